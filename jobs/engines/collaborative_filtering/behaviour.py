"""The behaviour matrix from a log of events: who likes what, and how much that says.

A pair of user and item weighs what its strongest event weighs. It is left out while the user is not
interested in the item, has asked to leave it out, or rates it so low that similar items are unwelcome."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import Ids, Vector
from jobs.engines.collaborative_filtering.interactions import (
    Interactions,
    Keep,
    Labels,
    build_interactions,
)

MEETINGS = ("view", "download", "watch", "rating", "favourite")
"""Events that mean "she met this item", the weakest first."""
KINDS = (*MEETINGS, "unfavourite", "dismiss", "undismiss", "ignore", "unignore")
"""What a log may hold; an event's kind is its place here."""
VIEW, DOWNLOAD, WATCH, RATING, FAVOURITE, UNFAVOURITE, DISMISS, UNDISMISS, IGNORE, UNIGNORE = range(
    len(KINDS)
)
# So many stars or fewer: the item is no reason to show similar ones. Five are the most there are.
FEW_STARS, MOST_STARS = 2, 5

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EventWeights:
    """What an event of each kind counts; 0: nothing. Only their proportions matter."""

    view: float = 0.5
    download: float = 1.0
    watch: float = 1.0
    """Of a whole video; of a part as much as its share."""
    rating: float = 1.5
    """Of five stars; each star less takes a third of it away, two stars leave nothing."""
    favourite: float = 1.5

    def of(self, kinds: npt.ArrayLike, values: npt.ArrayLike) -> Vector:
        """The weight of every event; 0 for kinds that are no meeting. Both (n_events,).

        values: share of the video that was watched, 0 to 1; stars of a rating; else not looked at."""
        kind, value = np.asarray(kinds, dtype=np.int64), np.nan_to_num(np.asarray(values, float))
        by_kind = np.zeros(len(KINDS))
        by_kind[: len(MEETINGS)] = [getattr(self, name) for name in MEETINGS]
        share = np.ones(len(kind))
        share[kind == WATCH] = value[kind == WATCH]
        share[kind == RATING] = (value[kind == RATING] - FEW_STARS) / (MOST_STARS - FEW_STARS)
        return (by_kind[kind] * np.clip(share, 0, 1)).astype(np.float32)


def behaviour_matrix(
    user_ids: npt.ArrayLike,
    item_ids: npt.ArrayLike,
    *,
    kinds: npt.ArrayLike,
    values: npt.ArrayLike,
    times_s: npt.ArrayLike,
    weights: EventWeights | None = None,
    keep: Keep = Keep.FIRST,
) -> Interactions:
    """The matrix of a log in any order; of events of one moment the later in the log is the newer.

    kinds: places in KINDS. values: see EventWeights.of, NaN where there is none. All (n_events,).
    What was taken back (unfavourite, undismiss, unignore) holds no more, and of several ratings of a
    pair only the newest counts. Raises ValueError for arrays that do not fit together."""
    users, items = np.asarray(user_ids), np.asarray(item_ids)
    kind, value = np.asarray(kinds, dtype=np.int64), np.asarray(values, dtype=np.float64)
    times = np.asarray(times_s, dtype=np.float64)
    if not users.shape == items.shape == kind.shape == value.shape == times.shape:
        raise ValueError("users, items, kinds, values and times must be lists of the same length")
    order = np.lexsort((times, items, users))
    users, items, times = users[order], items[order], times[order]
    log = _Log(_pair_of(users, items), kind[order], value[order])
    weight = log.weights(weights or EventWeights())
    counts = weight > 0
    return build_interactions(
        users[counts], items[counts], times_s=times[counts], weights=weight[counts], keep=keep
    )


class _Log:
    """Events by pair, oldest first; the present state of a pair is what its newest event says."""

    def __init__(self, pair: Ids, kind: Ids, value: Numbers) -> None:
        self.pair, self.kind, self.value = pair, kind, value
        self.n_pairs = int(pair[-1]) + 1 if len(pair) else 0

    def weights(self, weights: EventWeights) -> Vector:
        """(n_events,) 0 where an event counts for nothing, for its own sake or its pair's."""
        rated = self._newest(self.kind == RATING)
        stars = np.append(self.value, np.nan)[rated]
        unwelcome = stars <= FEW_STARS
        for taken, given_back in ((DISMISS, UNDISMISS), (IGNORE, UNIGNORE)):
            unwelcome |= self._holds(taken, given_back)
        kept = ~unwelcome[self.pair]
        kept &= (self.kind != FAVOURITE) | self._holds(FAVOURITE, UNFAVOURITE)[self.pair]
        kept &= (self.kind != RATING) | (rated[self.pair] == np.arange(len(self.pair)))
        return np.where(kept, weights.of(self.kind, self.value), np.float32(0))

    def _newest(self, among: Flags) -> Ids:
        """(n_pairs,) place of the newest of these events, -1 without any."""
        places = np.flatnonzero(among)
        newest = np.full(self.n_pairs, -1, dtype=np.int64)
        newest[self.pair[places]] = places  # of several the last stays
        return newest

    def _holds(self, taken: int, given_back: int) -> Flags:
        """(n_pairs,) whether it was said and not taken back since."""
        newest = self._newest((self.kind == taken) | (self.kind == given_back))
        return np.append(self.kind, given_back)[newest] == taken


def _pair_of(users: Labels, items: Labels) -> Ids:
    """(n_events,) the number of the pair of every event; both sorted."""
    new = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    return np.append(0, np.cumsum(new))[: len(users)].astype(np.int64)
