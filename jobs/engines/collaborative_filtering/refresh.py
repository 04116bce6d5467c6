"""A trained run brought up to date between full trainings: the rows of touched items are made again.

Counts, trend and popularity come from all events and are exact. A row that was made again is the one
a full training would make; one that was not keeps its similarities until it is touched itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, make_csr, no_tick, pattern
from jobs.engines.collaborative_filtering.blend import Blend
from jobs.engines.collaborative_filtering.content import ItemContent, content_neighbours
from jobs.engines.collaborative_filtering.interactions import Interactions, Labels
from jobs.engines.collaborative_filtering.kernel import replace_rows
from jobs.engines.collaborative_filtering.mixtures import Choice
from jobs.engines.collaborative_filtering.results import Label, Neighbours
from jobs.engines.collaborative_filtering.trained import TrainedModel
from jobs.engines.collaborative_filtering.training import (
    NO_CONTENT,
    TrainingConfig,
    blend_model,
    co_counts_of,
)
from jobs.engines.collaborative_filtering.trend import recent_counts, trend_factor


@dataclass(frozen=True)
class Refreshed:
    """The run as it is now, and how much of it is new."""

    model: TrainedModel
    n_rows: int
    """Rows made again."""
    n_new_items: int


def touched_items(before: Interactions, after: Interactions, *, context: int = 5) -> Labels:
    """Items whose rows changed pairs change most: theirs, and those the same people met just before.

    Both may hold some people only, all whose pairs changed among them. Every item of a longer history
    changes a little too; that waits for the next full training."""
    touched = _unmatched(after, before, context=context) | _unmatched(
        before, after, context=context
    )
    return np.array(sorted(touched)) if touched else after.item_ids[:0]  # type: ignore[type-var]


def _unmatched(some: Interactions, others: Interactions, *, context: int) -> set[Label]:
    """Items of the pairs that `others` has not, and of the `context` pairs of the user before each."""
    known = set(zip(others.user_ids[others.users].tolist(), _items(others), strict=True))
    users, items = some.user_ids[some.users].tolist(), _items(some)
    found: set[Label] = set()
    for place, pair in enumerate(zip(users, items, strict=True)):
        if pair not in known:
            start = max(place - context, int(some.indptr[some.users[place]]))
            found.update(items[start : place + 1])
    return found


def refresh(
    model: TrainedModel,
    interactions: Interactions,
    *,
    touched: Sequence[Label],
    config: TrainingConfig | None = None,
    catalogue: Mapping[Label, ItemContent] | None = None,
) -> Refreshed:
    """The run with the rows of `touched` made again from all `interactions`.

    catalogue: the texts, when they have changed; what was compared before is kept otherwise."""
    config = config or TrainingConfig()
    data = interactions.newest(config.longest_history)
    data = data.with_items(np.union1d(model.item_ids, list(catalogue or {}) or model.item_ids))
    place: Ids = np.searchsorted(data.item_ids, model.item_ids)
    table = _moved(model.neighbours, place, n_items=data.n_items)
    counts = replace(model.neighbours, data=model.both.astype(np.float32))
    both = _moved(counts, place, n_items=data.n_items)
    rows: Ids = place[:0]
    if len(touched):
        rows = np.searchsorted(data.item_ids, np.unique(np.asarray(touched)))
    choice = Choice.from_parameters(model.choice) if model.choice else None
    blend = blend_model(config, choice)
    user_items = data.user_items
    rows, again = _rows_again(blend, user_items, rows, table)
    if len(rows):
        # Counted only for the people of these items.
        counted = co_counts_of(
            pattern(user_items).T.tocsr()[rows],
            again,
            users_items=pattern(user_items),
            tick=no_tick,
        )
        same = make_csr(counted, again.indices, again.indptr, shape=again.shape)
        table, both = replace_rows(table, rows, again), replace_rows(both, rows, same)
    languages = np.full(data.n_items, "", dtype="<U8")
    languages[place] = model.languages
    content = _moved(model.content, place, n_items=data.n_items)
    if catalogue:
        texts = [catalogue.get(label, NO_CONTENT) for label in data.item_ids.tolist()]
        content = content_neighbours(texts)
        languages = np.array([each.language for each in texts], dtype=np.str_)
    fresh = replace(
        model,
        item_ids=data.item_ids,
        item_counts=data.item_counts,
        recent_counts=recent_counts(
            user_items, data.times, half_life_days=config.popular_half_life_days
        ),
        trend=trend_factor(user_items, data.times, config=blend.config.trend),
        neighbours=_neighbours(table),
        both=both.data.astype(np.int64),
        content=_neighbours(content),
        languages=languages,
        list_counts=_spread(model.list_counts, place, n_items=data.n_items),
        n_pairs=data.n_pairs,
        newest_s=float(data.times.max(initial=0.0)),
    )
    return Refreshed(fresh, len(rows), data.n_items - len(model.item_ids))


def _rows_again(blend: Blend, user_items: CSR, rows: Ids, table: CSR) -> tuple[Ids, CSR]:
    """The rows made again, and which; a model that takes a whole fit has only its empty rows filled."""
    again = blend.rows_again(user_items, rows) if len(rows) else None
    if again is None:
        rows = rows[np.diff(table.indptr)[rows] == 0] if len(rows) else rows
        stand_in = Blend(replace(blend.config))
        again = stand_in.rows_again(user_items, rows) if len(rows) else None
    return (rows, again) if again is not None else (rows[:0], table[:0])


def _moved(near: Neighbours, place: Ids, *, n_items: int) -> CSR:
    """The table with every old position at its new place; positions keep their order."""
    lengths = np.zeros(n_items, dtype=np.int64)
    lengths[place] = np.diff(near.indptr)
    indptr = np.append(0, np.cumsum(lengths))
    return make_csr(near.data, place[near.indices], indptr, shape=(n_items, n_items))


def _spread(counts: Ids, place: Ids, *, n_items: int) -> Ids:
    spread = np.zeros(n_items, dtype=counts.dtype)
    spread[place] = counts
    return spread


def _neighbours(table: CSR) -> Neighbours:
    return Neighbours(indptr=table.indptr, indices=table.indices, data=table.data)


def _items(data: Interactions) -> list[Label]:
    return data.item_ids[data.items].tolist()  # type: ignore[no-any-return]
