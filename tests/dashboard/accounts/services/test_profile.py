from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from dashboard.accounts import services
from dashboard.accounts.models import User
from dashboard.audit.models import AuditEntry
from dashboard.core.database import db
from dashboard.core.errors import Conflict, Invalid
from tests.factories.people import PASSWORD

pytestmark = pytest.mark.usefixtures("app")
on_each_database = pytest.mark.usefixtures("each_database")
MakeUser = Callable[..., User]


def update(user: User, **changes: Any) -> User:
    fields = {name: getattr(user, name) for name in ("email", "phone", "user_name", "nickname")}
    return services.update_profile(user.id, **{**fields, **changes})


class TestUpdateProfile:
    @on_each_database
    def test_changes_everything_with_the_password(self, make_user: MakeUser) -> None:
        user = make_user()

        update(
            user,
            email="New@example.org",
            phone="13812345678",
            user_name="newname",
            nickname=" Ana ",
            current_password=PASSWORD,
        )

        assert (user.email, user.phone) == ("new@example.org", "+8613812345678")
        assert (user.user_name, user.nickname) == ("newname", "Ana")

    def test_changes_names_without_the_password(self, make_user: MakeUser) -> None:
        user = update(make_user(), user_name="newname", nickname="Ana")

        assert user.display_name == "Ana"

    @pytest.mark.parametrize("password", [None, "wrong"])
    @pytest.mark.parametrize(
        "change", [{"email": "new@example.org"}, {"phone": "13812345678"}, {"email": ""}]
    )
    def test_asks_for_the_password_for_address_and_phone(
        self, make_user: MakeUser, change: dict[str, str], password: str | None
    ) -> None:
        user = make_user()
        before = user.email, user.phone

        with pytest.raises(Invalid) as caught:
            update(user, **change, current_password=password)

        assert caught.value.problems[0].field == "current_password"
        assert (user.email, user.phone) == before

    def test_keeps_at_least_one_identity(self, make_user: MakeUser) -> None:
        user = make_user()

        with pytest.raises(Invalid, match="check"):
            update(user, email="", phone="", user_name="", current_password=PASSWORD)

        assert user.email

    @on_each_database
    def test_names_the_field_that_somebody_else_has(self, make_user: MakeUser) -> None:
        make_user(phone="+8613812345678")
        user = make_user()

        with pytest.raises(Conflict) as caught:
            update(user, phone="138 1234 5678", current_password=PASSWORD)

        assert [problem.field for problem in caught.value.problems] == ["phone"]

    def test_puts_what_changed_on_record(self, make_user: MakeUser) -> None:
        user = make_user(nickname="old")

        update(user, nickname="new")

        entry = db.session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.changes) == ("user.profile", {"nickname": ["old", "new"]})

    def test_records_nothing_when_nothing_changed(self, make_user: MakeUser) -> None:
        update(make_user())

        assert db.session.scalars(select(AuditEntry)).all() == []


class TestChangePassword:
    @on_each_database
    def test_replaces_it(self, make_user: MakeUser) -> None:
        user = make_user(user_name="ana")

        services.change_password(user.id, current_password=PASSWORD, password="quite another one")

        assert services.authenticate("ana", "quite another one").id == user.id
        with pytest.raises(services.SignInFailed):
            services.authenticate("ana", PASSWORD)

    @pytest.mark.parametrize(
        ("current", "new", "field"),
        [("wrong", "quite another one", "current_password"), (PASSWORD, "password1", "password")],
        ids=["wrong current", "common new"],
    )
    def test_names_what_is_wrong(
        self, make_user: MakeUser, current: str, new: str, field: str
    ) -> None:
        with pytest.raises(Invalid) as caught:
            services.change_password(make_user().id, current_password=current, password=new)

        assert [problem.field for problem in caught.value.problems] == [field]
