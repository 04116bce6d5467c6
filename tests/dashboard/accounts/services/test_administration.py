import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from dashboard.accounts import queries, services
from dashboard.accounts.models import User
from dashboard.audit.models import AuditEntry
from dashboard.core.database import db
from dashboard.core.errors import Conflict, Invalid, NotFound
from tests.factories.people import PASSWORD

pytestmark = pytest.mark.usefixtures("app")
on_each_database = pytest.mark.usefixtures("each_database")
MakeUser = Callable[..., User]


@pytest.fixture
def admin(make_user: MakeUser) -> User:
    return make_user("admin", user_name="boss")


def update(user: User, *, actor_id: int, **changes: Any) -> User:
    names = ("email", "phone", "user_name", "nickname", "active")
    fields = {name: getattr(user, name) for name in names}
    fields["roles"] = user.role_names
    return services.update_user(user.id, actor_id=actor_id, **{**fields, **changes})


class TestCreateUser:
    def test_makes_an_account_in_the_name_of_the_administrator(self, admin: User) -> None:
        user = services.create_user(
            actor_id=admin.id, user_name="ana", password=PASSWORD, roles=["analyst"]
        )

        entry = db.session.scalars(select(AuditEntry)).one()
        assert user.role_names == ["analyst"]
        assert (entry.action, entry.actor_id) == ("user.create", admin.id)


class TestUpdateUser:
    @on_each_database
    def test_changes_everything(self, admin: User, make_user: MakeUser) -> None:
        user = make_user()

        update(
            user,
            actor_id=admin.id,
            email="new@example.org",
            roles=["analyst"],
            active=False,
            password="quite another one",
        )

        assert (user.email, user.role_names, user.active) == ("new@example.org", ["analyst"], False)
        assert PASSWORD not in repr(db.session.scalars(select(AuditEntry.changes)).all())

    @on_each_database
    def test_changes_nothing_at_all_when_one_part_is_refused(
        self, admin: User, make_user: MakeUser
    ) -> None:
        make_user(email="taken@example.org")
        user = make_user()

        with pytest.raises(Conflict) as caught:
            update(user, actor_id=admin.id, email="taken@example.org", roles=["analyst"])

        assert [problem.field for problem in caught.value.problems] == ["email"]
        assert user.role_names == ["learner"]

    def test_leaves_the_password_when_none_is_given(self, admin: User, make_user: MakeUser) -> None:
        user = make_user(user_name="ana")

        update(user, actor_id=admin.id, nickname="Ana", password="")

        assert services.authenticate("ana", PASSWORD).nickname == "Ana"


class TestSetRoles:
    def test_grants_and_records(self, admin: User, make_user: MakeUser) -> None:
        user = make_user()

        services.set_roles(user.id, actor_id=admin.id, roles=["analyst", "learner"])

        entry = db.session.scalars(select(AuditEntry)).one()
        assert entry.changes == {"roles": [["learner"], ["analyst", "learner"]]}

    def test_refuses_an_unknown_role(self, admin: User, make_user: MakeUser) -> None:
        with pytest.raises(Invalid):
            services.set_roles(make_user().id, actor_id=admin.id, roles=["queen"])

    @on_each_database
    def test_of_two_administrators_who_demote_each_other_one_stays(
        self, app: Flask, make_user: MakeUser
    ) -> None:
        first, second = make_user("admin").id, make_user("admin").id
        db.session.remove()
        outcomes: list[Any] = []
        barrier = threading.Barrier(2)

        def demote(user_id: int, actor_id: int) -> None:
            with app.app_context():
                barrier.wait()
                try:
                    services.set_roles(user_id, actor_id=actor_id, roles=["learner"])
                    outcomes.append(None)
                except Exception as error:
                    outcomes.append(error)

        pairs = [(first, second), (second, first)]
        threads = [threading.Thread(target=demote, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]
        assert queries.count_active_admins(besides=0) == 1


class TestTheLastAdministrator:
    @pytest.mark.parametrize(
        "harm",
        [
            lambda admin: services.set_roles(admin.id, actor_id=admin.id, roles=["learner"]),
            lambda admin: services.set_active(admin.id, actor_id=admin.id, active=False),
            lambda admin: services.delete_user(admin.id, actor_id=admin.id),
            lambda admin: update(admin, actor_id=admin.id, roles=[]),
            lambda admin: update(admin, actor_id=admin.id, active=False),
        ],
        ids=["roles", "disable", "delete", "update roles", "update active"],
    )
    def test_stays(self, admin: User, make_user: MakeUser, harm: Callable[[User], Any]) -> None:
        make_user("admin", active=False)

        with pytest.raises(Conflict, match="last administrator"):
            harm(admin)

        assert queries.count_active_admins(besides=0) == 1

    @on_each_database
    def test_may_go_when_there_is_another(self, admin: User, make_user: MakeUser) -> None:
        make_user("admin")

        services.delete_user(admin.id, actor_id=admin.id)

        assert queries.count_users() == 1


class TestSetActive:
    @on_each_database
    def test_ends_sessions_and_tokens(self, admin: User, make_user: MakeUser) -> None:
        user = make_user()
        before = user.fs_uniquifier, user.fs_token_uniquifier
        services.start_session(user.id)

        services.set_active(user.id, actor_id=admin.id, active=False)

        assert queries.list_sessions(user.id) == []
        assert user.fs_uniquifier != before[0]
        assert user.fs_token_uniquifier != before[1]


class TestDeleteUser:
    @on_each_database
    def test_removes_her_and_keeps_what_is_on_record(
        self, admin: User, make_user: MakeUser
    ) -> None:
        user = make_user(user_name="ana")
        user_id = user.id
        services.start_session(user_id)
        services.authenticate("ana", PASSWORD)

        services.delete_user(user_id, actor_id=admin.id)

        with pytest.raises(NotFound):
            queries.get_user(user_id)
        db.session.expire_all()
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [(entry.action, entry.actor_id) for entry in entries] == [
            ("sign_in.success", None),
            ("user.delete", admin.id),
        ]
