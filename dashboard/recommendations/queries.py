"""Reads: what learners did (as arrays, or one learner's own), training runs, stored lists."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select

from dashboard.activity.models import Event, EventKind
from dashboard.catalogue.models import Item, ItemStatus
from dashboard.core.database import Page, page_of, session
from dashboard.core.errors import NotFound
from dashboard.recommendations.models import RecommendedItem, RunState, TrainingRun

# Events that mean "she met this item", the weakest first; the strongest names the reason.
MEETINGS = (
    EventKind.VIEW,
    EventKind.DOWNLOAD,
    EventKind.WATCH,
    EventKind.RATING,
    EventKind.FAVOURITE,
)
# So many stars or fewer: the item is no reason to show similar ones.
FEW_STARS = 2
# The newest events say most (their weight falls with rank); a longer history only costs time.
MAX_OWN_EVENTS = 2_000


@dataclass(frozen=True, slots=True)
class Events:
    """All meetings of published items, one entry per event, in no particular order."""

    user_ids: npt.NDArray[np.int64]
    item_ids: npt.NDArray[np.int64]
    times_s: npt.NDArray[np.float64]  # since 1970, UTC
    kinds: npt.NDArray[np.int64]  # places in MEETINGS

    def __len__(self) -> int:
        return len(self.user_ids)


@dataclass(frozen=True, slots=True)
class Signal:
    """What one learner did with one item, all events taken together."""

    item_id: int
    kind: EventKind  # the strongest
    at: datetime  # the newest
    stars: float | None = None


@dataclass(frozen=True, slots=True)
class Signals:
    """A learner's own behaviour."""

    liked: tuple[Signal, ...]  # oldest first: what recommendations follow from
    hidden: frozenset[int]  # never to be recommended: met, rated or dismissed
    dismissed: tuple[int, ...]  # newest first


def load_events() -> Events:
    """Every meeting of a published item, in one query."""
    query = (
        select(Event.user_id, Event.item_id, Event.created_at, Event.kind)
        .join(Item, Item.id == Event.item_id)
        .where(Event.kind.in_([kind.value for kind in MEETINGS]))
        .where(Item.status == ItemStatus.PUBLISHED)
    )
    rows = session.execute(query).all()
    place = {kind.value: number for number, kind in enumerate(MEETINGS)}
    times = np.array([row[2] for row in rows], dtype="datetime64[us]").astype(np.int64)
    return Events(
        user_ids=np.array([row[0] for row in rows], dtype=np.int64),
        item_ids=np.array([row[1] for row in rows], dtype=np.int64),
        times_s=times / 1e6,
        kinds=np.array([place[row[3]] for row in rows], dtype=np.int64),
    )


def signals_of(user_id: int) -> Signals:
    """What the learner likes, and what she must not be shown again."""
    query = (
        select(Event.item_id, Event.kind, Event.value, Event.created_at)
        .where(Event.user_id == user_id)
        .order_by(Event.created_at.desc(), Event.id.desc())
        .limit(MAX_OWN_EVENTS)
    )
    rows = session.execute(query).all()
    return signals_from([(item, EventKind(kind), value, at) for item, kind, value, at in rows])


def signals_from(newest_first: Sequence[tuple[int, EventKind, float | None, datetime]]) -> Signals:
    """The same from the learner's events."""
    by_item: dict[int, list[tuple[EventKind, float | None, datetime]]] = {}
    for item_id, kind, value, at in newest_first:
        by_item.setdefault(item_id, []).append((kind, value, at))
    met = [each for each in (_signal(i, events) for i, events in by_item.items()) if each]
    dismissed = tuple(i for i, events in by_item.items() if _is_dismissed(events))
    liked = [s for s in met if s.item_id not in dismissed and not _few_stars(s)]
    return Signals(
        # by_item is ordered by the newest event of each item.
        liked=tuple(sorted(liked, key=lambda s: s.at)),
        hidden=frozenset(s.item_id for s in met) | frozenset(dismissed),
        dismissed=dismissed,
    )


def find_current_run() -> TrainingRun | None:
    """The run whose lists are shown."""
    return session.scalar(select(TrainingRun).where(TrainingRun.is_current.is_(True)))


def get_run(run_id: int) -> TrainingRun:
    """The training run. Raises NotFound."""
    run = session.get(TrainingRun, run_id)
    if run is None:
        raise NotFound()
    return run


def list_runs(*, page: int, per_page: int) -> Page[TrainingRun]:
    """Training runs, newest first."""
    return page_of(
        select(TrainingRun).order_by(TrainingRun.id.desc()), page=page, per_page=per_page
    )


def list_done_runs(*, limit: int) -> list[TrainingRun]:
    """The newest published runs, oldest of them first: the course of the metrics."""
    query = (
        select(TrainingRun)
        .where(TrainingRun.state == RunState.DONE)
        .order_by(TrainingRun.id.desc())
        .limit(limit)
    )
    return list(reversed(session.scalars(query).all()))


def list_stored(user_id: int) -> list[RecommendedItem]:
    """The learner's list as the current run left it, best first."""
    query = (
        select(RecommendedItem)
        .where(RecommendedItem.user_id == user_id)
        .order_by(RecommendedItem.place)
    )
    return list(session.scalars(query))


def list_popular_ids(*, limit: int, exclude: Iterable[int] = ()) -> list[int]:
    """Published items by how many people met them, most first; for a portal without a trained run."""
    n_people = func.count(func.distinct(Event.user_id))
    query = (
        select(Event.item_id)
        .join(Item, Item.id == Event.item_id)
        .where(Event.kind.in_([kind.value for kind in MEETINGS]))
        .where(Item.status == ItemStatus.PUBLISHED, Item.id.not_in(list(exclude)))
        .group_by(Event.item_id)
        .order_by(n_people.desc(), Event.item_id)
        .limit(limit)
    )
    return list(session.scalars(query))


def titles_of(item_ids: Iterable[int]) -> dict[int, str]:
    """The titles of the published items among these."""
    query = select(Item.id, Item.title).where(
        Item.id.in_(list(item_ids)), Item.status == ItemStatus.PUBLISHED
    )
    return dict(session.execute(query).all())


def _signal(item_id: int, events: list[tuple[EventKind, float | None, datetime]]) -> Signal | None:
    """What the events of one item (newest first) amount to; None when nothing is left of them."""
    undone = _is_undone(events)
    meetings = [
        e for e in events if e[0] in MEETINGS and not (undone and e[0] == EventKind.FAVOURITE)
    ]
    if not meetings:
        return None
    stars = next((value for kind, value, _ in meetings if kind == EventKind.RATING), None)
    strongest = max((kind for kind, _, _ in meetings), key=MEETINGS.index)
    return Signal(item_id=item_id, kind=strongest, at=meetings[0][2], stars=stars)


def _is_undone(events: list[tuple[EventKind, float | None, datetime]]) -> bool:
    kinds = [kind for kind, _, _ in events]
    return _newest_of(kinds, EventKind.FAVOURITE, EventKind.UNFAVOURITE) == EventKind.UNFAVOURITE


def _is_dismissed(events: list[tuple[EventKind, float | None, datetime]]) -> bool:
    kinds = [kind for kind, _, _ in events]
    return _newest_of(kinds, EventKind.DISMISS, EventKind.UNDISMISS) == EventKind.DISMISS


def _newest_of(newest_first: list[EventKind], *wanted: EventKind) -> EventKind | None:
    return next((kind for kind in newest_first if kind in wanted), None)


def _few_stars(signal: Signal) -> bool:
    return signal.stars is not None and signal.stars <= FEW_STARS
