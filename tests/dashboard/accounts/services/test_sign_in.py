from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from dashboard.accounts import passwords, queries, services
from dashboard.accounts.models import User
from dashboard.audit.models import AuditEntry
from dashboard.core.database import db
from dashboard.core.errors import Invalid
from tests.factories.people import PASSWORD

pytestmark = pytest.mark.usefixtures("app")
on_each_database = pytest.mark.usefixtures("each_database")
MakeUser = Callable[..., User]


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


class TestAuthenticate:
    @pytest.mark.parametrize(
        "identity", ["ANA@example.org", "138 1234 5678", "+8613812345678", "Ana", " ana "]
    )
    def test_knows_a_person_by_any_identity_in_any_spelling(
        self, make_user: MakeUser, identity: str
    ) -> None:
        make_user()
        user = make_user(email="ana@example.org", phone="+8613812345678", user_name="ana")

        assert services.authenticate(identity, PASSWORD).id == user.id

    @on_each_database
    def test_says_the_same_of_unknown_wrong_and_disabled(self, make_user: MakeUser) -> None:
        make_user(user_name="ana")
        make_user(user_name="ben", active=False)
        messages = set()

        for identity, password in (("nobody", PASSWORD), ("ana", "wrong"), ("ben", PASSWORD)):
            with pytest.raises(services.SignInFailed) as caught:
                services.authenticate(identity, password)
            messages.add((caught.value.message, caught.value.code))

        assert len(messages) == 1

    @pytest.mark.parametrize("identity", ["nobody", "ana", "ben", "\0", ""])
    def test_compares_a_hash_for_everybody(
        self, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch, identity: str
    ) -> None:
        make_user(user_name="ana")
        make_user(user_name="ben", active=False)
        compared: list[object] = []
        verify = passwords.flask_security.verify_password

        def counted(*args: Any) -> bool:
            compared.append(args)
            return verify(*args)

        monkeypatch.setattr(passwords.flask_security, "verify_password", counted)

        with pytest.raises(services.SignInFailed):
            services.authenticate(identity, "wrong")

        assert len(compared) == 1

    @on_each_database
    def test_puts_success_and_failure_on_record_but_nothing_typed(
        self, make_user: MakeUser
    ) -> None:
        make_user(user_name="ana")

        services.authenticate("ana", PASSWORD, address="192.0.2.7")
        with pytest.raises(services.SignInFailed):
            services.authenticate("my secret in the wrong box", "wrong")

        assert actions() == ["sign_in.success", "sign_in.failure"]
        entries = db.session.scalars(select(AuditEntry)).all()
        assert entries[0].address == "192.0.2.7"
        assert "secret" not in repr([vars(entry) for entry in entries])


class TestCheckPassword:
    def test_names_the_field_of_a_wrong_one(self, make_user: MakeUser) -> None:
        user = make_user()

        services.check_password(user.id, PASSWORD)
        with pytest.raises(Invalid) as caught:
            services.check_password(user.id, "wrong")

        assert caught.value.problems[0].field == "current_password"
        assert actions() == ["password.wrong"]


class TestEndOtherSessions:
    @on_each_database
    def test_keeps_the_one_and_those_of_others(self, make_user: MakeUser) -> None:
        user, other = make_user(), make_user()
        mine = services.start_session(user.id)
        services.start_session(user.id)
        services.start_session(other.id)

        services.end_other_sessions(user.id, keep=mine)

        assert [session.id for session in queries.list_sessions(user.id)] == [mine]
        assert len(queries.list_sessions(other.id)) == 1


class TestRevokeTokens:
    def test_leaves_sessions_alone(self, make_user: MakeUser) -> None:
        user = make_user()
        before = user.fs_uniquifier, user.fs_token_uniquifier

        services.revoke_tokens(user.id)
        db.session.expire_all()

        assert user.fs_uniquifier == before[0]
        assert user.fs_token_uniquifier != before[1]
