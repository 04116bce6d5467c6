"""What is hidden from a model so that its lists can be judged afterwards."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, Vector, make_csr
from jobs.engines.collaborative_filtering.interactions import Interactions

# Fewer pairs leave too little to go by when one is hidden.
MIN_PAIRS = 3
TRAIN_SHARE = 0.8


@dataclass(frozen=True)
class Split:
    """A training part, and for some users what they met that the training part does not show."""

    name: str
    train: Interactions
    """Positions of users and items are those of the whole."""
    users: Ids
    """(n_judged,) positions of the users whose lists are judged."""
    hidden: CSR
    """(n_judged, n_items): a one for every hidden item, row r belongs to users[r]."""
    idle_days: Vector
    """(n_judged,) days from the newest event of each history to the moment of the list."""


def leave_last_out(interactions: Interactions, *, min_pairs: int = MIN_PAIRS) -> Split:
    """Hide the last pair of every user who has `min_pairs` or more.

    Last: by time, of equal times the larger item id, or what lot decided (`ties_by_lot`). A tuning fold is the same split of `train`.
    The list is asked for at once after the newest event that is left: nobody was idle.
    Neighbours may be learnt from later events of other users, which flatters every model that
    learns from co-occurrence: report a split by time beside it."""
    users = np.flatnonzero(np.diff(interactions.indptr) >= min_pairs)
    last = np.zeros(interactions.n_pairs, dtype=bool)
    last[interactions.indptr[users + 1] - 1] = True
    return _split("leave-last-out", interactions, last, users=users, at_once=True)


def by_time(interactions: Interactions, *, train_share: float = TRAIN_SHARE) -> Split:
    """Hide everything after the moment at which `train_share` of the pairs had happened.

    Judged are the users who have pairs on both sides: the honest test of a live system. All
    lists are asked for at that moment."""
    late = np.ones(interactions.n_pairs, dtype=bool)
    # Stable: equal times by user, and of one user in the order in which they are stored.
    order = np.argsort(interactions.times, kind="stable")
    late[order[: int(interactions.n_pairs * train_share)]] = False
    before = np.bincount(interactions.users[~late], minlength=interactions.n_users)
    after = np.bincount(interactions.users[late], minlength=interactions.n_users)
    users = np.flatnonzero((before > 0) & (after > 0))
    return _split("by-time", interactions, late, users=users, at_once=False)


def _split(
    name: str,
    interactions: Interactions,
    hide: npt.NDArray[np.bool_],
    *,
    users: Ids,
    at_once: bool,
) -> Split:
    hidden = interactions.only(hide)
    rows = hidden.user_items[users]
    ones = make_csr(np.ones(rows.nnz), rows.indices, rows.indptr, shape=rows.shape)
    train = interactions.only(~hide)
    idle = np.zeros(len(users), dtype=np.float32)
    if not at_once:
        idle = train.idle_days()[users]
    return Split(name=name, train=train, users=users, hidden=ones, idle_days=idle)
