"""Accounts and roles in the dashboard."""

import io
from collections.abc import Callable

import pytest
from flask import Flask
from openpyxl import load_workbook

from dashboard.accounts import queries
from dashboard.accounts.models import User
from dashboard.audit.models import AuditEntry
from dashboard.core.database import session
from tests.factories.dashboard import Desk, rows_of

GOOD = "sturdy-Lamp-93-river"


@pytest.fixture
def ana(make_user: Callable[..., User]) -> User:
    return make_user(
        nickname="Ana", user_name="ana", email="ana@example.org", phone="+8613812345678"
    )


def fields_of(user: User, **changes: object) -> dict[str, object]:
    """What the form of this user sends when nothing is changed in it."""
    fields = {
        "email": user.email or "",
        "phone": user.phone or "",
        "user_name": user.user_name or "",
        "nickname": user.nickname,
        "roles": user.role_names,
        "active": "y",
        "password": "",
    }
    return {**fields, **changes}


class TestList:
    def test_shows_names_and_roles(self, desk: Desk, ana: User) -> None:
        row = rows_of(desk.get("/users/"))[0]

        assert "Ana ana ana@example.org +8613812345678 learner Yes" in row

    def test_finds_a_phone_number_in_any_spelling(self, desk: Desk, ana: User) -> None:
        for spelling in ("13812345678", "138 1234 5678", "+8613812345678", "138-1234-5678"):
            response = desk.client.get("/admin/users/", query_string={"search": spelling})
            assert len(rows_of(response)) == 1, spelling

    def test_tells_active_from_disabled(self, desk: Desk, make_user: Callable[..., User]) -> None:
        make_user(nickname="Gone", active=False)

        assert ["Gone" in row for row in rows_of(desk.get("/users/?flt_active=no"))] == [True]


class TestSecrets:
    def test_are_on_no_page_and_in_no_export(self, desk: Desk, ana: User) -> None:
        pages = (
            *("/users/", f"/users/details/?id={ana.id}", f"/users/edit/?id={ana.id}"),
            *("/users/export/csv/", "/audit/", "/audit/export/csv/"),
        )

        texts = [desk.get(page).text for page in pages]

        for secret in (ana.password, ana.fs_uniquifier, ana.fs_token_uniquifier, "$argon2"):
            assert not [text for text in texts if secret in text]

    def test_are_not_in_the_spreadsheet(self, desk: Desk, ana: User) -> None:
        content = desk.get("/users/export/xlsx/").data

        cells = [cell.value for row in load_workbook(io.BytesIO(content)).active for cell in row]
        assert "ana@example.org" in cells
        assert ana.password not in cells


class TestCreate:
    def test_makes_an_account_that_can_sign_in(self, desk: Desk) -> None:
        desk.post(
            "/users/new/",
            **{"user_name": "bo", "phone": "138 0000 1111", "roles": ["analyst"]},
            **{"active": "y", "password": GOOD},
        )

        user = queries.find_by_identity("+8613800001111")
        assert user is not None
        assert (user.user_name, user.role_names, user.active) == ("bo", ["analyst"], True)
        assert user.verify_and_update_password(GOOD)

    def test_keeps_what_was_typed_and_says_what_is_wrong(self, desk: Desk, ana: User) -> None:
        response = desk.post("/users/new/", email="ANA@example.org", nickname="Bo", password=GOOD)

        assert "is in use already" in response.text
        assert 'value="Bo"' in response.text
        assert GOOD not in response.text

    def test_says_what_is_wrong_with_the_password(self, desk: Desk) -> None:
        response = desk.post("/users/new/", user_name="bo", password="x")

        assert 'id="password-error"' in response.text
        assert queries.find_by_identity("bo") is None


class TestUpdate:
    def test_changes_names_and_roles(self, desk: Desk, ana: User) -> None:
        desk.post(
            f"/users/edit/?id={ana.id}",
            **fields_of(ana, nickname="Anna", roles=["learner", "analyst"]),
        )

        user = queries.get_user(ana.id)
        assert (user.nickname, user.role_names) == ("Anna", ["analyst", "learner"])

    def test_keeps_the_password_when_none_is_given(self, desk: Desk, ana: User) -> None:
        before = ana.password

        desk.post(f"/users/edit/?id={ana.id}", **fields_of(ana, nickname="Anna"))

        assert queries.get_user(ana.id).password == before

    def test_writes_the_audit_log(self, desk: Desk, ana: User) -> None:
        desk.post(f"/users/edit/?id={ana.id}", **fields_of(ana, nickname="Anna"))

        text = desk.get("/audit/").text
        assert "user.update" in text
        assert f"user:{ana.id}" in text

    def test_keeps_the_last_administrator(self, desk: Desk) -> None:
        admin = session.query(User).filter(User.roles.any(name="admin")).one()

        response = desk.post(f"/users/edit/?id={admin.id}", **fields_of(admin, roles=["learner"]))

        assert "the portal needs one" in response.text
        assert queries.get_user(admin.id).has_role("admin")


class TestDelete:
    def test_asks_first_and_names_who(self, desk: Desk, ana: User) -> None:
        response = desk.post("/users/delete/", id=ana.id)

        assert "<strong>Ana</strong>" in response.text
        assert session.get(User, ana.id) is not None

    def test_removes_once_it_is_confirmed(self, desk: Desk, ana: User) -> None:
        ana_id = ana.id

        response = desk.post("/users/delete/", id=ana_id, confirm="yes")

        assert "successfully deleted" in response.text
        assert session.get(User, ana_id) is None

    def test_keeps_the_last_administrator(self, desk: Desk) -> None:
        admin = session.query(User).filter(User.roles.any(name="admin")).one()

        response = desk.post("/users/delete/", id=admin.id, confirm="yes")

        assert "the portal needs one" in response.text
        assert queries.count_users() == 1

    def test_of_many_asks_first(self, desk: Desk, make_user: Callable[..., User]) -> None:
        ids = [make_user().id for _number in range(3)]

        response = desk.post("/users/action/", action="delete", rowid=ids)

        assert response.text.count("<strong>user") == 3
        assert queries.count_users() == 4

    def test_of_many_removes_all(self, desk: Desk, make_user: Callable[..., User]) -> None:
        ids = [make_user().id for _number in range(3)]

        desk.post("/users/action/", action="delete", rowid=ids, confirm="yes")

        assert queries.count_users() == 1

    def test_of_many_removes_none_when_one_must_stay(
        self, desk: Desk, make_user: Callable[..., User]
    ) -> None:
        admin = session.query(User).filter(User.roles.any(name="admin")).one()
        ids = [make_user().id, admin.id]

        desk.post("/users/action/", action="delete", rowid=ids, confirm="yes")

        assert queries.count_users() == 2

    def test_writes_the_audit_log(self, app: Flask, desk: Desk, ana: User) -> None:
        desk.post("/users/delete/", id=ana.id, confirm="yes")

        entry = session.query(AuditEntry).filter_by(action="user.delete").one()
        assert entry.summary == "Ana"


class TestRoles:
    def test_are_shown_with_the_number_of_their_users(self, desk: Desk, ana: User) -> None:
        rows = rows_of(desk.get("/roles/"))

        assert [row.partition(" Users with")[0][-1] for row in rows] == ["1", "0", "2"]

    def test_cannot_be_changed(self, desk: Desk) -> None:
        assert desk.post("/roles/delete/", id=1, confirm="yes").status_code == 403
        assert desk.client.get("/admin/roles/new/").status_code == 302
        assert desk.client.get("/admin/roles/edit/?id=1").status_code == 302
