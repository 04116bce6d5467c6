"""What learners did: as arrays, or one learner's own."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select

from dashboard.activity.models import Event, EventKind
from dashboard.catalogue.models import Item, ItemStatus
from dashboard.core.database import session

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
# Numbers that one query names: PostgreSQL takes 65,535 at most.
IDS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Events:
    """All meetings of published items, one entry per event, in no particular order."""

    user_ids: npt.NDArray[np.int64]
    item_ids: npt.NDArray[np.int64]
    times_s: npt.NDArray[np.float64]  # since 1970, UTC
    kinds: npt.NDArray[np.int64]  # places in MEETINGS
    last_id: int = 0  # the newest event, whatever its kind; the next read begins after it

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
    ignored: tuple[int, ...] = ()  # met, but not to be learnt from; newest first


def load_events(*, after: int = 0) -> Events:
    """Every meeting of a published item with a number above `after`, in one query.

    What somebody asked to leave out, or is not interested in, is left out."""
    # Read first: an event that commits meanwhile is read again by the next call, never missed.
    last_id = session.scalar(select(func.max(Event.id))) or 0
    query = (
        select(Event.user_id, Event.item_id, Event.created_at, Event.kind)
        .join(Item, Item.id == Event.item_id)
        .where(Event.kind.in_([kind.value for kind in MEETINGS]))
        .where(Item.status == ItemStatus.PUBLISHED)
    )
    if after:
        query = query.where(Event.id > after)
    withdrawn = withdrawn_pairs()
    rows = [row for row in session.execute(query).all() if (row[0], row[1]) not in withdrawn]
    place = {kind.value: number for number, kind in enumerate(MEETINGS)}
    times = np.array([row[2] for row in rows], dtype="datetime64[us]").astype(np.int64)
    return Events(
        user_ids=np.array([row[0] for row in rows], dtype=np.int64),
        item_ids=np.array([row[1] for row in rows], dtype=np.int64),
        times_s=times / 1e6,
        kinds=np.array([place[row[3]] for row in rows], dtype=np.int64),
        last_id=last_id,
    )


def withdrawn_pairs() -> set[tuple[int, int]]:
    """(user, item) of what somebody left out or dismissed and did not take back."""
    withdrawn = set()
    for taken, given_back in (
        (EventKind.IGNORE, EventKind.UNIGNORE),
        (EventKind.DISMISS, EventKind.UNDISMISS),
    ):
        query = (
            select(Event.user_id, Event.item_id, Event.kind)
            .where(Event.kind.in_([taken.value, given_back.value]))
            .order_by(Event.created_at, Event.id)
        )
        newest = {(user, item): kind for user, item, kind in session.execute(query)}
        withdrawn |= {pair for pair, kind in newest.items() if kind == taken}
    return withdrawn


def signals_of(user_id: int) -> Signals:
    """What the learner likes, and what she must not be shown again."""
    query = (
        select(Event.item_id, Event.kind, Event.value, Event.created_at)
        .where(Event.user_id == user_id)
        .order_by(Event.created_at.desc(), Event.id.desc())
        .limit(MAX_OWN_EVENTS)
    )
    rows = session.execute(query).all()
    own = signals_from([(item, EventKind(kind), value, at) for item, kind, value, at in rows])
    if len(rows) < MAX_OWN_EVENTS:
        return own
    # Of a longer history the newest events are judged; all of it stays out of the list.
    met = select(Event.item_id).where(
        Event.user_id == user_id, Event.kind.in_([kind.value for kind in MEETINGS])
    )
    return replace(own, hidden=own.hidden | frozenset(session.scalars(met.distinct())))


def signals_from(newest_first: Sequence[tuple[int, EventKind, float | None, datetime]]) -> Signals:
    """The same from the learner's events."""
    by_item: dict[int, list[tuple[EventKind, float | None, datetime]]] = {}
    for item_id, kind, value, at in newest_first:
        by_item.setdefault(item_id, []).append((kind, value, at))
    met = [each for each in (_signal(i, events) for i, events in by_item.items()) if each]
    dismissed = tuple(i for i, events in by_item.items() if _is_dismissed(events))
    ignored = tuple(i for i, events in by_item.items() if _is_ignored(events))
    silent = {*dismissed, *ignored}
    liked = [s for s in met if s.item_id not in silent and not _few_stars(s)]
    return Signals(
        # by_item is ordered by the newest event of each item.
        liked=tuple(sorted(liked, key=lambda s: s.at)),
        hidden=frozenset(s.item_id for s in met) | frozenset(dismissed),
        dismissed=dismissed,
        ignored=ignored,
    )


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
    return {row[0]: row[1] for row in _published(item_ids, Item.id, Item.title)}


def facts_of(item_ids: Iterable[int]) -> dict[int, tuple[str, str, str | None]]:
    """Kind, language and level of the published items among these."""
    columns = (Item.id, Item.kind, Item.language, Item.level)
    return {row[0]: (row[1], row[2], row[3]) for row in _published(item_ids, *columns)}


def _published(item_ids: Iterable[int], *columns: Any) -> Iterator[Any]:
    """These columns of the published items among these."""
    wanted = list(item_ids)
    for start in range(0, len(wanted), IDS_AT_ONCE):
        ids = wanted[start : start + IDS_AT_ONCE]
        query = select(*columns).where(Item.id.in_(ids), Item.status == ItemStatus.PUBLISHED)
        yield from session.execute(query)


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


def _is_ignored(events: list[tuple[EventKind, float | None, datetime]]) -> bool:
    kinds = [kind for kind, _, _ in events]
    return _newest_of(kinds, EventKind.IGNORE, EventKind.UNIGNORE) == EventKind.IGNORE


def _newest_of(newest_first: list[EventKind], *wanted: EventKind) -> EventKind | None:
    return next((kind for kind in newest_first if kind in wanted), None)


def _few_stars(signal: Signal) -> bool:
    return signal.stars is not None and signal.stars <= FEW_STARS
