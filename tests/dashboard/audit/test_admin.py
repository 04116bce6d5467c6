"""The audit log in the dashboard."""

import pytest
from flask import Flask

from dashboard.accounts.models import User
from dashboard.audit.models import AuditEntry
from dashboard.audit.services import record
from dashboard.core.database import session
from tests.factories.dashboard import Desk, rows_of


@pytest.fixture(autouse=True)
def _entries(app: Flask) -> None:
    record(
        actor_id=None, action="course.update", subject="item:3", changes={"title": ["Old", "<b>"]}
    )
    record(actor_id=None, action="user.delete", subject="user:7", summary="=cmd|' /C calc'!A0")


class TestList:
    def test_filters_by_what_an_entry_is_about(self, desk: Desk) -> None:
        rows = rows_of(desk.get("/audit/?flt_about=course"))

        assert ["course.update" in row for row in rows] == [True]

    def test_searches_the_subject(self, desk: Desk) -> None:
        assert len(rows_of(desk.get("/audit/?search=item:3"))) == 1

    def test_filters_by_day(self, desk: Desk) -> None:
        assert len(rows_of(desk.get("/audit/?flt_from=2001-01-01&flt_to=2001-12-31"))) == 0

    def test_names_who_did_it(self, desk: Desk) -> None:
        admin = session.query(User).one()
        record(actor_id=admin.id, action="user.roles", subject="user:1")

        assert admin.display_name in rows_of(desk.get("/audit/?search=user.roles"))[0]


class TestDetails:
    def test_show_each_change_before_and_after_as_text(self, desk: Desk) -> None:
        entry = session.query(AuditEntry).filter_by(action="course.update").one()

        text = desk.get(f"/audit/details/?id={entry.id}").text

        assert "<b>title</b>: <del>Old</del> → <ins>&lt;b&gt;</ins>" in text


class TestExport:
    def test_holds_no_formula(self, desk: Desk) -> None:
        text = desk.get("/audit/export/csv/").text

        assert ",'=cmd|" in text
        assert ",=cmd|" not in text


class TestChanges:
    def test_are_not_possible(self, desk: Desk) -> None:
        entry_id = session.query(AuditEntry.id).limit(1).scalar()
        n_before = session.query(AuditEntry).count()

        statuses = [
            desk.post("/audit/delete/", id=entry_id, confirm="yes").status_code,
            desk.post("/audit/action/", action="delete", rowid=entry_id, confirm="yes").status_code,
            desk.client.get(f"/admin/audit/edit/?id={entry_id}").status_code,
            desk.client.get("/admin/audit/new/").status_code,
        ]

        assert statuses == [403, 404, 302, 302]
        assert session.query(AuditEntry).count() >= n_before
