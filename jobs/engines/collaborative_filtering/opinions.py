"""Ratings of the pairs of a training part, for the models that compare what people think."""

from dataclasses import replace

import numpy as np

from jobs.engines.collaborative_filtering.event_file import EventColumns
from jobs.engines.collaborative_filtering.interactions import Interactions, Labels


def hold_opinions(events: EventColumns) -> bool:
    """Whether there are ratings, and not all alike."""
    given = events.ratings[np.isfinite(events.ratings)]
    return bool(len(given)) and bool((given != given[0]).any())


def rated(train: Interactions, events: EventColumns) -> Interactions:
    """The pairs of `train` that have a rating, the newest one their weight.

    Ratings of 0 and less are moved above it, all of them as much: comparisons take a mean off."""
    given = np.isfinite(events.ratings)
    ratings = events.ratings[given]
    pairs = _keys(train, events.user_ids[given], events.item_ids[given])
    times = np.zeros(len(pairs)) if events.times_s is None else events.times_s[given]
    order = np.lexsort((times, pairs))
    pairs, ratings = pairs[order], ratings[order]
    last = np.append(pairs[1:] != pairs[:-1], True)[: len(pairs)]
    pairs, ratings = pairs[last], ratings[last]
    wanted = train.users * train.n_items + train.items
    place = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
    found = pairs[place] == wanted
    ratings = ratings[place[found]]
    lowest = ratings.min(initial=1.0)
    lift = 1 - lowest if lowest <= 0 else 0.0
    return replace(train.only(found), weights=(ratings + lift).astype(np.float32))


def _keys(train: Interactions, users: Labels, items: Labels) -> Labels:
    """One number per pair, as that of the pairs of `train`; every id is among its own."""
    return np.searchsorted(train.user_ids, users) * train.n_items + np.searchsorted(
        train.item_ids, items
    )
