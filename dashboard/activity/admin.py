"""What learners did, as the dashboard tells of it: counted, never shown person by person."""

from collections.abc import Sequence

from sqlalchemy import func, select

from dashboard.activity.models import Event
from dashboard.core.admin import AdminPage, goes_with
from dashboard.core.database import session
from dashboard.core.i18n import _

VIEWS: list[type[AdminPage]] = []


@goes_with("item")
def count_events_of_items(ids: Sequence[int]) -> dict[int, str]:
    """How many activity events go with each course or position."""
    return _counted(Event.item_id, ids)


@goes_with("user")
def count_events_of_users(ids: Sequence[int]) -> dict[int, str]:
    """How many activity events go with each user."""
    return _counted(Event.user_id, ids)


def _counted(column: object, ids: Sequence[int]) -> dict[int, str]:
    query = select(column, func.count()).where(column.in_(ids)).group_by(column)  # type: ignore[attr-defined, call-overload]
    return {
        id: _("activity events: %(count)s", count=count) for id, count in session.execute(query)
    }
