"""The behaviour matrix: who did something with which item, how much it counts, and when.

Dense positions come from sorted arrays of ids: position p of a user is the p-th smallest user id."""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    DAY_S,
    Ids,
    Times,
    Vector,
    make_csr,
)

# Items of one user that are compared with each other: nobody but a robot meets so many.
LONGEST_HISTORY = 20_000

Labels = npt.NDArray[Any]
"""Ids as the caller knows them: whole numbers or text."""


class Keep(StrEnum):
    """Which event of a repeated pair gives the pair its time."""

    FIRST = "first"  # discovery counts: the order in which items were met
    NEWEST = "newest"  # attention counts: what was opened again is fresh again


@dataclass(frozen=True)
class Interactions:
    """One entry per pair of user and item, by user, oldest first, equal times by item id."""

    user_ids: Labels
    """(n_users,) sorted, each once."""
    item_ids: Labels
    """(n_items,) sorted, each once."""
    indptr: Ids
    """(n_users + 1,): the pairs of user u are indptr[u] to indptr[u + 1]."""
    items: Ids
    """(n_pairs,) position of the item in item_ids."""
    weights: Vector
    """(n_pairs,) above 0."""
    times: Times
    """(n_pairs,) seconds since 1970."""

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    @property
    def n_pairs(self) -> int:
        return len(self.items)

    @cached_property
    def users(self) -> Ids:
        """(n_pairs,) position of the user in user_ids."""
        return np.repeat(np.arange(self.n_users), np.diff(self.indptr))

    @property
    def user_items(self) -> CSR:
        """(n_users, n_items) weights; a row's entries are stored oldest first.

        Models that use the order read it from there, so do not call `sort_indices` on it."""
        shape = (self.n_users, self.n_items)
        return make_csr(self.weights, self.items, self.indptr, shape=shape)

    @property
    def item_counts(self) -> Ids:
        """(n_items,) how many users met the item."""
        return np.bincount(self.items, minlength=self.n_items).astype(np.int64)

    def history(self, user: int) -> Ids:
        """Positions of the items of one user, oldest first."""
        return self.items[self.indptr[user] : self.indptr[user + 1]]

    def idle_days(self) -> Vector:
        """(n_users,) days from the newest pair of each user to the newest of all; 0 without any."""
        last = self.indptr[1:] - 1
        filled = np.diff(self.indptr) > 0
        idle = np.zeros(self.n_users, dtype=np.float32)
        if filled.any():
            idle[filled] = (self.times.max() - self.times[last[filled]]) / DAY_S
        return idle

    def tied(self) -> npt.NDArray[np.bool_]:
        """(n_pairs,) whether the user has another pair of the same moment: time gives no order."""
        same = (self.users[1:] == self.users[:-1]) & (self.times[1:] == self.times[:-1])
        return (np.append(same, False) | np.append(False, same))[: self.n_pairs]

    def ties_by_lot(self, seed: int) -> "Interactions":
        """The same, but equal times of a user in an order drawn by lot instead of by item id.

        An order by id would be learnt by models of sequences, and whoever hides the last pair would
        then hide what they foretell. The lot hangs on the pairs and the seed alone."""
        lot = np.random.default_rng(seed).random(self.n_pairs)
        order = np.lexsort((lot, self.times, self.users))
        return replace(self, items=self.items[order], weights=self.weights[order])

    def newest(self, most: int) -> "Interactions":
        """The newest `most` pairs of every user: work grows with the square of a history."""
        if not self.n_pairs or np.diff(self.indptr).max() <= most:
            return self
        return self.only(self.indptr[1:][self.users] - np.arange(self.n_pairs) <= most)

    def with_items(self, item_ids: npt.ArrayLike) -> "Interactions":
        """The same pairs in a catalogue that holds these items as well: places of all are new."""
        everything = (
            np.union1d(self.item_ids, np.asarray(item_ids)) if np.size(item_ids) else self.item_ids
        )
        if len(everything) == self.n_items:
            return self
        items = (
            np.searchsorted(everything, self.item_ids)[self.items] if self.n_pairs else self.items
        )
        return replace(self, item_ids=everything, items=items)

    def only(self, pairs: npt.NDArray[np.bool_]) -> "Interactions":
        """The chosen pairs among the same users and items, so that positions stay valid."""
        ends = np.append(0, np.cumsum(pairs))[self.indptr]
        return replace(
            self,
            indptr=ends,
            items=self.items[pairs],
            weights=self.weights[pairs],
            times=self.times[pairs],
        )


def build_interactions(
    user_ids: npt.ArrayLike,
    item_ids: npt.ArrayLike,
    *,
    times_s: npt.ArrayLike,
    weights: npt.ArrayLike | float = 1.0,
    keep: Keep = Keep.NEWEST,
) -> Interactions:
    """The behaviour matrix of a list of events, in any order.

    A pair weighs what its strongest event weighs. A pair whose newest event weighs 0 or less was
    withdrawn and is left out. Raises ValueError for arrays that do not fit together."""
    events = _checked(user_ids, item_ids, times_s=times_s, weights=weights)
    pairs = _pairs(*events, keep=keep)
    return _by_user(*pairs)


Columns = tuple[Labels, Labels, Times, Vector]


def _checked(
    user_ids: npt.ArrayLike,
    item_ids: npt.ArrayLike,
    *,
    times_s: npt.ArrayLike,
    weights: npt.ArrayLike | float,
) -> Columns:
    users, items = np.asarray(user_ids), np.asarray(item_ids)
    times = np.asarray(times_s, dtype=np.float64)
    weight = np.broadcast_to(np.asarray(weights, dtype=np.float32), users.shape)
    if not users.shape == items.shape == times.shape or users.ndim != 1:
        raise ValueError("user ids, item ids and times must be lists of the same length")
    if not np.isfinite(times).all() or not np.isfinite(weight).all():
        raise ValueError("times and weights must be finite numbers")
    return users, items, times, weight


def _pairs(users: Labels, items: Labels, times: Times, weights: Vector, *, keep: Keep) -> Columns:
    """One row per pair that was not withdrawn, ordered by user and item."""
    if not len(users):
        return users, items, times, weights
    # Weight is the last key, so that two events of one second give the same answer in any order.
    order = np.lexsort((weights, times, items, users))
    users, items, times, weights = users[order], items[order], times[order], weights[order]
    new = np.append(True, (users[1:] != users[:-1]) | (items[1:] != items[:-1]))
    first = np.flatnonzero(new)
    newest = np.append(first[1:], len(users)) - 1
    stays = weights[newest] > 0
    when = times[first if keep is Keep.FIRST else newest]
    strongest = np.maximum.reduceat(weights, first)
    return users[first][stays], items[first][stays], when[stays], strongest[stays]


def _by_user(users: Labels, items: Labels, times: Times, weights: Vector) -> Interactions:
    user_ids, user = np.unique(users, return_inverse=True)
    item_ids, item = np.unique(items, return_inverse=True)
    order = np.lexsort((item, times, user))
    lengths = np.bincount(user, minlength=len(user_ids))
    return Interactions(
        user_ids=user_ids,
        item_ids=item_ids,
        indptr=np.append(0, np.cumsum(lengths)).astype(np.int64),
        items=item[order].astype(np.int64),
        weights=weights[order].astype(np.float32),
        times=times[order],
    )
