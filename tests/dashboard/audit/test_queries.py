from collections.abc import Callable
from typing import Any

import pytest

from dashboard.accounts.models import User
from dashboard.audit import queries
from dashboard.audit.services import record

pytestmark = pytest.mark.usefixtures("app")


class TestListEntries:
    def test_is_newest_first_with_who_did_it(self, make_user: Callable[..., User]) -> None:
        user = make_user(nickname="Ana")
        record(actor_id=None, action="course.update")
        record(actor_id=user.id, action="course.delete")

        page = queries.list_entries(per_page=1)

        assert page.total == 2
        assert [str(entry.actor) for entry in page.items] == ["Ana"]

    @pytest.mark.parametrize(
        ("wanted", "n_found"),
        [({"action": "course"}, 2), ({"action": "course.update"}, 1), ({"subject": "item:1"}, 1)],
        ids=["kind", "action", "subject"],
    )
    def test_filters(self, wanted: dict[str, Any], n_found: int) -> None:
        record(actor_id=None, action="course.update", subject="item:1")
        record(actor_id=None, action="course.delete", subject="item:2")
        record(actor_id=None, action="coursework.update", subject="item:3")

        assert queries.list_entries(**wanted).total == n_found

    def test_filters_by_who_did_it(self, make_user: Callable[..., User]) -> None:
        user = make_user()
        record(actor_id=user.id, action="course.update")
        record(actor_id=None, action="course.update")

        assert queries.list_entries(actor_id=user.id).total == 1
