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
from jobs.engines import collaborative_filtering as cf

# Events that mean "she met this item", the weakest first; the strongest names the reason.
MEETINGS = tuple(map(EventKind, cf.MEETINGS))
# Events that keep an item out of a list, or out of what lists follow from, or take that back.
JUDGEMENTS = ("rating", "dismiss", "undismiss", "ignore", "unignore")
PLACE = {kind: place for place, kind in enumerate(cf.KINDS)}
# The newest events say most (their weight falls with rank); a longer history only costs time.
MAX_OWN_EVENTS = 2_000
# Numbers that one query names: PostgreSQL takes 65,535 at most.
IDS_AT_ONCE = 10_000

# Something one learner did: item, kind, stars or share, when.
OwnEvent = tuple[int, EventKind, float | None, datetime]


@dataclass(frozen=True, slots=True)
class Events:
    """All that was done with published items, one entry per event, in the order of their numbers."""

    user_ids: npt.NDArray[np.int64]
    item_ids: npt.NDArray[np.int64]
    times_s: npt.NDArray[np.float64]  # since 1970, UTC
    kinds: npt.NDArray[np.int64]  # places in cf.KINDS
    values: npt.NDArray[np.float64]  # share watched or stars; NaN where there is none

    def __len__(self) -> int:
        return len(self.user_ids)


@dataclass(frozen=True, slots=True)
class Signal:
    """What one learner did with one item, all events taken together."""

    item_id: int
    kind: EventKind  # the strongest
    at: datetime  # the newest
    weight: float = 0.0  # of what she likes


@dataclass(frozen=True, slots=True)
class Signals:
    """A learner's own behaviour."""

    liked: tuple[Signal, ...]  # oldest first: what recommendations follow from
    hidden: frozenset[int]  # never to be recommended: met, rated or dismissed
    dismissed: tuple[int, ...]  # newest first
    ignored: tuple[int, ...] = ()  # met, but not to be learnt from; newest first


def last_event_id() -> int:
    """The number of the newest event; 0 before the first.

    Ask before reading: what commits meanwhile is read again the next time. Lower numbers may commit
    later, so a reader that goes on from here goes back a little."""
    return session.scalar(select(func.max(Event.id))) or 0


def count_events_by_user(*, after: int) -> dict[int, int]:
    """Who did something since the event of that number, and how many events that are."""
    query = (
        select(Event.user_id, func.count())
        .where(Event.id > after, Event.kind.in_(cf.KINDS))
        .group_by(Event.user_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def load_events(*, user_ids: Sequence[int] | None = None) -> Events:
    """All that was done with published items, by everybody or by these people."""
    query = (
        select(Event.user_id, Event.item_id, Event.created_at, Event.kind, Event.value)
        .join(Item, Item.id == Event.item_id)
        .where(Event.kind.in_(cf.KINDS), Item.status == ItemStatus.PUBLISHED)
        .order_by(Event.id)
    )
    if user_ids is None:
        return _events(session.execute(query).all())
    rows: list[Any] = []
    for start in range(0, len(user_ids), IDS_AT_ONCE):
        some = user_ids[start : start + IDS_AT_ONCE]
        rows += session.execute(query.where(Event.user_id.in_(some))).all()
    return _events(rows)


def _events(rows: Sequence[Any]) -> Events:
    times = np.array([row[2] for row in rows], dtype="datetime64[us]").astype(np.int64)
    return Events(
        user_ids=np.array([row[0] for row in rows], dtype=np.int64),
        item_ids=np.array([row[1] for row in rows], dtype=np.int64),
        times_s=times / 1e6,
        kinds=np.array([PLACE[row[3]] for row in rows], dtype=np.int64),
        values=np.array([row[4] for row in rows], dtype=np.float64),
    )


def signals_of(user_id: int, *, weights: cf.EventWeights) -> Signals:
    """What the learner likes, and what she must not be shown again."""
    query = (
        select(Event.item_id, Event.kind, Event.value, Event.created_at)
        .where(Event.user_id == user_id)
        .order_by(Event.created_at.desc(), Event.id.desc())
        .limit(MAX_OWN_EVENTS)
    )
    newest = _own_events(session.execute(query))
    if len(newest) < MAX_OWN_EVENTS:
        return signals_from(newest, weights=weights)
    # Of a longer history the newest events are judged; what she met or refused before stays out.
    # A refusal among the newest comes twice, which changes nothing.
    own = signals_from([*newest, *_refusals(user_id)], weights=weights)
    met = select(Event.item_id).where(
        Event.user_id == user_id, Event.kind.in_([kind.value for kind in MEETINGS])
    )
    return replace(own, hidden=own.hidden | frozenset(session.scalars(met.distinct())))


def _refusals(user_id: int) -> Iterator[OwnEvent]:
    """What she ever said of items not to be shown or learnt from, or took back; newest first."""
    at = func.max(Event.created_at)
    query = (
        select(Event.item_id, Event.kind, Event.value, at)
        .where(Event.user_id == user_id, Event.kind.in_(JUDGEMENTS))
        .group_by(Event.item_id, Event.kind, Event.value)
        .order_by(at.desc(), func.max(Event.id).desc())
    )
    rated: set[int] = set()
    for event in _own_events(session.execute(query)):
        item_id, kind, value, _at = event
        if kind != EventKind.RATING:
            yield event
        elif item_id not in rated:
            rated.add(item_id)
            if value is not None and value <= cf.FEW_STARS:
                yield event


def _own_events(rows: Iterable[Any]) -> list[OwnEvent]:
    return [(item_id, EventKind(kind), value, at) for item_id, kind, value, at in rows]


def signals_from(newest_first: Sequence[OwnEvent], *, weights: cf.EventWeights) -> Signals:
    """The same from the learner's events; what they weigh is what a training gives them."""
    by_item: dict[int, list[tuple[EventKind, datetime]]] = {}
    for item_id, kind, _value, at in newest_first:
        by_item.setdefault(item_id, []).append((kind, at))
    weight = _weight_by_item(newest_first, weights)
    met = [each for each in (_signal(i, events) for i, events in by_item.items()) if each]
    dismissed = tuple(i for i, events in by_item.items() if _is_dismissed(events))
    ignored = tuple(i for i, events in by_item.items() if _is_ignored(events))
    liked = [replace(s, weight=weight[s.item_id]) for s in met if s.item_id in weight]
    # by_item is ordered by the newest event of each item; what is of one moment keeps that order.
    liked.reverse()
    return Signals(
        liked=tuple(sorted(liked, key=lambda s: s.at)),
        hidden=frozenset(s.item_id for s in met) | frozenset(dismissed),
        dismissed=dismissed,
        ignored=ignored,
    )


def _weight_by_item(newest_first: Sequence[OwnEvent], weights: cf.EventWeights) -> dict[int, float]:
    log = newest_first[::-1]
    own = cf.behaviour_matrix(
        np.zeros(len(log), dtype=np.int64),
        np.array([item_id for item_id, *_ in log], dtype=np.int64),
        kinds=[PLACE[kind] for _, kind, *_ in log],
        values=np.array([value for *_, value, _ in log], dtype=np.float64),
        times_s=np.arange(len(log)),
        weights=weights,
    )
    return dict(zip(own.item_ids[own.items].tolist(), own.weights.tolist(), strict=True))


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


def _signal(item_id: int, events: list[tuple[EventKind, datetime]]) -> Signal | None:
    """What the events of one item (newest first) amount to; None when nothing is left of them."""
    undone = _is_undone(events)
    meetings = [
        e for e in events if e[0] in MEETINGS and not (undone and e[0] == EventKind.FAVOURITE)
    ]
    if not meetings:
        return None
    strongest = max((kind for kind, _ in meetings), key=MEETINGS.index)
    return Signal(item_id=item_id, kind=strongest, at=meetings[0][1])


def _is_undone(events: list[tuple[EventKind, datetime]]) -> bool:
    return _newest_of(events, EventKind.FAVOURITE, EventKind.UNFAVOURITE) == EventKind.UNFAVOURITE


def _is_dismissed(events: list[tuple[EventKind, datetime]]) -> bool:
    return _newest_of(events, EventKind.DISMISS, EventKind.UNDISMISS) == EventKind.DISMISS


def _is_ignored(events: list[tuple[EventKind, datetime]]) -> bool:
    return _newest_of(events, EventKind.IGNORE, EventKind.UNIGNORE) == EventKind.IGNORE


def _newest_of(
    newest_first: list[tuple[EventKind, datetime]], *wanted: EventKind
) -> EventKind | None:
    return next((kind for kind, _ in newest_first if kind in wanted), None)
