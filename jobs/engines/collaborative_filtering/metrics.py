"""Figures of a set of lists against what was hidden, with bootstrap intervals."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, row_of_entries

RESAMPLES = 1_000
# Users drawn in one go while resampling: 8 bytes each.
DRAWN_AT_ONCE = 4_000_000

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A mean over users, or an error, with the 95 % interval that resampling gives."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class MetricRow:
    """One model on one split."""

    model: str
    split: str
    k: int
    """Length of the lists."""
    n_users: int
    """Users whose lists were judged."""
    recall: Figure
    """Hidden items found in the list / hidden items."""
    ndcg: Figure
    """Found items count 1 / log2(1 + place), divided by the best that was possible."""
    map: Figure
    """Mean of the precision at every found item, over min(hidden items, k)."""
    coverage: float
    """Items in at least one list / all items."""
    popularity_share: float
    """Places in lists taken by the most popular tenth of the items."""
    novelty: float
    """Mean of -log2(share of the users who met it) over the places of the lists: bits."""
    seconds: float
    """Wall time of fitting and of making the lists."""


@dataclass(frozen=True)
class SegmentRow:
    """The served model for some of the judged users."""

    segment: str
    """Items they had met before: "1-2", "3-5", "6-20" or "21+"."""
    n_users: int
    recall: Figure
    ndcg: Figure


@dataclass(frozen=True)
class UserFigures:
    """(n_users,) each: the figures of every user, before the mean is taken."""

    recall: Numbers
    ndcg: Numbers
    map: Numbers


def judge(lists: Ids, *, hidden: CSR) -> UserFigures:
    """Figures of every user. lists: (n_users, k) best first, -1 where a place is empty."""
    found = hits(lists, hidden=hidden)
    k = lists.shape[1]
    n_hidden = np.diff(hidden.indptr)
    best = np.minimum(n_hidden, k)
    discount = 1.0 / np.log2(np.arange(k) + 2.0)
    ideal = np.append(0.0, np.cumsum(discount))[best]
    precision = np.cumsum(found, axis=1) / np.arange(1, k + 1)
    return UserFigures(
        recall=_share(found.sum(axis=1), n_hidden),
        ndcg=_share(found @ discount, ideal),
        map=_share((found * precision).sum(axis=1), best),
    )


def hits(lists: Ids, *, hidden: CSR) -> npt.NDArray[np.float64]:
    """(n_users, k): 1 where the item of that place was hidden from the user, else 0."""
    n_items = hidden.shape[1]
    wanted = row_of_entries(hidden) * n_items + hidden.indices
    places = np.arange(len(lists))[:, None] * n_items + lists
    return (np.isin(places, wanted) & (lists >= 0)).astype(np.float64)


def coverage(lists: Ids, *, n_items: int) -> float:
    """Items in at least one list / all items."""
    return len(np.unique(lists[lists >= 0])) / n_items if n_items else 0.0


def popularity_share(lists: Ids, *, item_counts: Ids, head: float = 0.1) -> float:
    """Filled places taken by the most popular `head` of the items, 0 to 1."""
    filled = lists[lists >= 0]
    n_head = int(np.ceil(len(item_counts) * head))
    popular = np.lexsort((np.arange(len(item_counts)), -item_counts))[:n_head]
    return float(np.isin(filled, popular).mean()) if len(filled) else 0.0


def novelty(lists: Ids, *, item_counts: Ids, n_users: int) -> float:
    """Mean self-information of the recommended items, in bits. Source: Zhou et al. 2010."""
    filled = lists[lists >= 0]
    share = np.maximum(item_counts[filled], 1) / max(n_users, 1)
    return float(-np.log2(np.minimum(share, 1.0)).mean()) if len(filled) else 0.0


def figure(values: Numbers, *, seed: int = 0, resamples: int = RESAMPLES) -> Figure:
    """The mean and its 95 % bootstrap interval; the same seed gives the same interval."""
    if not len(values):
        return Figure(value=0.0, low=0.0, high=0.0)
    random = np.random.default_rng(seed)
    at_once = max(1, DRAWN_AT_ONCE // len(values))
    means = [
        values[
            random.integers(0, len(values), (min(at_once, resamples - start), len(values)))
        ].mean(axis=1)
        for start in range(0, resamples, at_once)
    ]
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Figure(value=float(values.mean()), low=float(low), high=float(high))


def _share(part: Numbers, whole: npt.NDArray[np.generic]) -> Numbers:
    return np.divide(part, whole, out=np.zeros(len(part)), where=np.asarray(whole) > 0)
