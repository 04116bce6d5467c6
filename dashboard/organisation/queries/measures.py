"""The measures of rooms, for those who look after the portal."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import case, func, select, union

from dashboard.activity.models import Event, EventKind, Favourite, WatchProgress
from dashboard.catalogue.models import PositionCourse
from dashboard.core.database import session, utcnow
from dashboard.organisation.models import UnitPosition
from dashboard.recommendations.models import RecommendedItem

# "This month" is the last thirty days: on the first of a month a calendar month would be empty.
MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Measures:
    """What is known about one position, its courses counted in."""

    people: int  # learners who keep the position as a favourite or have begun a course of it
    completion: float | None  # share of begun videos that were finished, 0 to 1; None: none begun
    views: int  # introduction pages opened in the last thirty days
    demand: int  # places that position and courses hold in learners' recommendations


def measures_of_rooms() -> dict[int, dict[str, Any]]:
    """The measures of every position that a unit has, by its id; what nobody touched is 0."""
    people, done = _people(), _completion()
    views = _total(_own_views(), _course_views())
    demand = _total(_own_demand(), _course_demand())
    ids = set(session.scalars(select(UnitPosition.item_id).distinct()))
    return {
        room: asdict(
            Measures(people.get(room, 0), done.get(room), views.get(room, 0), demand.get(room, 0))
        )
        for room in ids
    }


def _people() -> dict[int, int]:
    begun = select(PositionCourse.position_id.label("room"), WatchProgress.user_id).join(
        WatchProgress, WatchProgress.item_id == PositionCourse.course_id
    )
    kept = select(Favourite.item_id.label("room"), Favourite.user_id).where(
        Favourite.item_id.in_(select(UnitPosition.item_id))
    )
    # A union holds each learner once for each room.
    both = union(begun, kept).subquery()
    return _dict(select(both.c.room, func.count()).group_by(both.c.room))


def _completion() -> dict[int, float]:
    finished = func.sum(case((WatchProgress.finished.is_(True), 1), else_=0))
    query = (
        select(PositionCourse.position_id, finished, func.count())
        .join(WatchProgress, WatchProgress.item_id == PositionCourse.course_id)
        .group_by(PositionCourse.position_id)
    )
    return {room: int(n_done) / n_begun for room, n_done, n_begun in session.execute(query)}


def _own_views() -> dict[int, int]:
    query = select(Event.item_id, func.count()).where(*_recent_views())
    rooms = Event.item_id.in_(select(UnitPosition.item_id))
    return _dict(query.where(rooms).group_by(Event.item_id))


def _course_views() -> dict[int, int]:
    query = select(PositionCourse.position_id, func.count()).join(
        Event, Event.item_id == PositionCourse.course_id
    )
    return _dict(query.where(*_recent_views()).group_by(PositionCourse.position_id))


def _recent_views() -> tuple[Any, Any]:
    return Event.kind == EventKind.VIEW, Event.created_at > utcnow() - MONTH


def _own_demand() -> dict[int, int]:
    rooms = RecommendedItem.item_id.in_(select(UnitPosition.item_id))
    query = select(RecommendedItem.item_id, func.count()).where(rooms)
    return _dict(query.group_by(RecommendedItem.item_id))


def _course_demand() -> dict[int, int]:
    query = select(PositionCourse.position_id, func.count()).join(
        RecommendedItem, RecommendedItem.item_id == PositionCourse.course_id
    )
    return _dict(query.group_by(PositionCourse.position_id))


def _dict(query: Any) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(query)}


def _total(*parts: dict[int, int]) -> dict[int, int]:
    keys: Iterable[int] = {key for part in parts for key in part}
    return {key: sum(part.get(key, 0) for part in parts) for key in keys}
