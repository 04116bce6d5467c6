import pytest
from sqlalchemy import select

from dashboard.audit.models import AuditEntry
from dashboard.audit.services import difference, record
from dashboard.core.database import db, transaction

pytestmark = pytest.mark.usefixtures("app")
on_each_database = pytest.mark.usefixtures("each_database")


class TestRecord:
    @on_each_database
    def test_adds_an_entry(self) -> None:
        record(
            actor_id=None,
            action="course.update",
            subject="item:3",
            summary="New title",
            address="::1",
        )

        entry = db.session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.subject, entry.summary) == (
            "course.update",
            "item:3",
            "New title",
        )
        assert entry.created_at is not None

    def test_goes_with_the_transaction_around_it(self) -> None:
        with pytest.raises(ZeroDivisionError), transaction():
            record(actor_id=None, action="course.update")
            raise ZeroDivisionError

        assert db.session.query(AuditEntry).count() == 0

    def test_hides_secrets(self) -> None:
        record(
            actor_id=None,
            action="user.update",
            changes={"password": ["old", "new"], "api_token": "t", "email": ["a", "b"]},
        )

        entry = db.session.scalars(select(AuditEntry)).one()
        assert entry.changes == {"password": "***", "api_token": "***", "email": ["a", "b"]}

    @on_each_database
    def test_cuts_what_is_too_long(self) -> None:
        record(actor_id=None, action="x.y", subject="s" * 500, summary="汉" * 900, address="a" * 99)

        assert db.session.query(AuditEntry).count() == 1


class TestDifference:
    def test_names_what_changed_with_before_and_after(self) -> None:
        assert difference({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == {
            "b": [2, 3],
            "c": [None, 4],
        }
