"""What was shown, opened and watched: counts by source, ground and arm of an experiment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, select

from dashboard.activity.models import Event, EventKind
from dashboard.core.database import session
from dashboard.recommendations.models import Impression


@dataclass(frozen=True, slots=True)
class Shown:
    """Counts of one group of impressions."""

    group: str
    n_people: int
    n_shown: int
    n_clicked: int
    n_watched: int
    """Opened from there and watched within a week."""


def shown_by(column: str, *, since: datetime) -> list[Shown]:
    """Impressions since a moment by "source" or "ground", most shown first."""
    group = getattr(Impression, column)
    query = _counts(group).where(Impression.shown_at >= since).group_by(group).order_by(group)
    return [Shown(*row) for row in session.execute(query)]


def shown_by_run(experiment_id: int) -> dict[int, Shown]:
    """Impressions of an experiment by run."""
    query = (
        _counts(Impression.run_id)
        .where(Impression.experiment_id == experiment_id)
        .group_by(Impression.run_id)
    )
    return {row[0]: Shown(str(row[0]), *row[1:]) for row in session.execute(query)}


def people_by_run(experiment_id: int) -> dict[int, list[tuple[int, int, int]]]:
    """For every run of an experiment its people: (shown, clicked, watched) of each."""
    query = (
        select(Impression.run_id, *_sums())
        .where(Impression.experiment_id == experiment_id)
        .group_by(Impression.run_id, Impression.user_id)
    )
    found: dict[int, list[tuple[int, int, int]]] = {}
    for run_id, shown, clicked, watched in session.execute(query):
        found.setdefault(run_id, []).append((shown, int(clicked), int(watched)))
    return found


def _counts(group: Any) -> Any:
    return select(group, func.count(func.distinct(Impression.user_id)), *_sums())


def _sums() -> tuple[ColumnElement[Any], ...]:
    clicked = Impression.clicked_at.is_not(None)
    return (
        func.count(Impression.id),
        func.coalesce(func.sum(case((clicked, 1), else_=0)), 0),
        func.coalesce(func.sum(case((and_(clicked, _watched()), 1), else_=0)), 0),
    )


def _watched() -> ColumnElement[bool]:
    """A video of the item was watched soon after the click."""
    return exists().where(
        Event.user_id == Impression.user_id,
        Event.item_id == Impression.item_id,
        Event.kind == EventKind.WATCH.value,
        Event.created_at >= Impression.clicked_at,
        Event.created_at < Impression.watched_until,
    )
