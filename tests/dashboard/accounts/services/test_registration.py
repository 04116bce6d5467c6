import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from dashboard.accounts import queries, services
from dashboard.accounts.models import User
from dashboard.audit.models import AuditEntry
from dashboard.core.database import db
from dashboard.core.errors import Conflict, Invalid
from tests.factories.people import PASSWORD

pytestmark = pytest.mark.usefixtures("app")
on_each_database = pytest.mark.usefixtures("each_database")
N_AT_ONCE = 20


def fields_of(error: Conflict | Invalid) -> list[str]:
    return [problem.field for problem in error.problems]


class TestRegister:
    @on_each_database
    def test_stores_every_identity_in_one_spelling(self) -> None:
        user = services.register(
            email="Ana@Example.org", phone="138 1234 5678", user_name="ＡNA", password=PASSWORD
        )

        assert (user.email, user.phone, user.user_name) == (
            "ana@example.org",
            "+8613812345678",
            "ana",
        )
        assert user.role_names == ["learner"]
        assert PASSWORD not in user.password

    @on_each_database
    def test_lets_many_have_no_phone_and_no_address(self) -> None:
        for name in ("ana", "ben", "cai"):
            services.register(user_name=name, phone="", email=" ", password=PASSWORD)

        assert queries.count_users() == 3
        assert db.session.scalars(select(User.phone)).all() == [None] * 3

    @on_each_database
    def test_keeps_emoji_and_rare_characters_in_the_display_name(self) -> None:
        user = services.register(user_name="王伟", nickname="𠮷野👩‍🔬", password=PASSWORD)
        db.session.expire_all()

        assert user.display_name == "𠮷野👩‍🔬"

    def test_grants_the_roles_asked_for(self) -> None:
        user = services.register(user_name="ana", password=PASSWORD, roles=["learner", "admin"])

        assert user.role_names == ["admin", "learner"]

    def test_refuses_an_unknown_role_and_stores_nothing(self) -> None:
        with pytest.raises(Invalid) as caught:
            services.register(user_name="ana", password=PASSWORD, roles=["queen"])

        assert fields_of(caught.value) == ["roles"]
        assert queries.count_users() == 0

    def test_names_every_fault_at_once(self) -> None:
        with pytest.raises(Invalid) as caught:
            services.register(email="a@", phone="12", user_name="138", password="short")

        assert fields_of(caught.value) == ["email", "phone", "user_name", "password"]

    def test_wants_at_least_one_identity(self) -> None:
        with pytest.raises(Invalid) as caught:
            services.register(password=PASSWORD)

        assert "at least one" in caught.value.problems[0].message

    @pytest.mark.parametrize(
        ("first", "second", "field"),
        [
            ({"phone": "13812345678"}, {"phone": "+86 138 1234 5678"}, "phone"),
            ({"email": "ana@example.org"}, {"email": "ANA@EXAMPLE.ORG"}, "email"),
            ({"user_name": "admin"}, {"user_name": "ａDMIN "}, "user_name"),
        ],
        ids=["phone", "email", "user_name"],
    )
    @on_each_database
    def test_names_the_field_that_somebody_else_has(
        self, first: dict[str, Any], second: dict[str, Any], field: str
    ) -> None:
        services.register(password=PASSWORD, **first)

        with pytest.raises(Conflict) as caught:
            services.register(password=PASSWORD, **second)

        assert fields_of(caught.value) == [field]

    def test_puts_it_on_record_without_the_password(self) -> None:
        user = services.register(user_name="ana", password=PASSWORD)

        entry = db.session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.actor_id, entry.subject) == (
            "user.register",
            user.id,
            f"user:{user.id}",
        )
        assert PASSWORD not in repr(vars(entry))

    @on_each_database
    def test_of_twenty_at_once_one_wins_and_the_rest_are_told(self, app: Flask) -> None:
        outcomes: list[Any] = []
        barrier = threading.Barrier(N_AT_ONCE)

        def try_it() -> None:
            with app.app_context():
                barrier.wait()
                try:
                    outcomes.append(services.register(phone="13812345678", password=PASSWORD).id)
                except Exception as error:
                    outcomes.append(error)

        threads = [threading.Thread(target=try_it) for _ in range(N_AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)

        refused = [outcome for outcome in outcomes if not isinstance(outcome, int)]
        assert len(refused) == N_AT_ONCE - 1
        assert {type(error) for error in refused} == {Conflict}
        assert all(fields_of(error) == ["phone"] for error in refused)
        assert db.session.scalar(select(func.count(User.id))) == 1
