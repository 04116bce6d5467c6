"""A finished training run as arrays: what a portal stores, serves and draws.

Ids are the caller's own everywhere; a history is a list of item ids, oldest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, Matrix, Vector, make_csr
from jobs.engines.collaborative_filtering.interactions import Interactions, Labels
from jobs.engines.collaborative_filtering.item_table import freshness
from jobs.engines.collaborative_filtering.kernel import best_of
from jobs.engines.collaborative_filtering.metrics import MetricRow
from jobs.engines.collaborative_filtering.recommender import CoCount

Label = int | str


@dataclass(frozen=True)
class Neighbours:
    """Similar rows in CSR: those of row r are indptr[r] to indptr[r + 1], sorted by position."""

    indptr: Ids
    indices: Ids
    data: Vector
    """Similarity, above 0."""


@dataclass(frozen=True)
class Neighbour:
    """A similar item or user."""

    id: Label
    score: float


@dataclass(frozen=True)
class Reason:
    """An item of the history that speaks for a recommended one."""

    item_id: Label
    share: float
    """Of the score, 0 to 1."""
    counts: CoCount
    """`both` of the `n` people who met this item met the recommended one too."""


@dataclass(frozen=True)
class Suggestion:
    """A recommended item."""

    item_id: Label
    score: float
    """Comparable within one list only."""
    reasons: tuple[Reason, ...]
    """Largest share first. Empty: nothing in the history speaks for it, it is popular of late."""


@dataclass(frozen=True)
class PopularityCurve:
    """Items from the most to the least popular: the long tail."""

    item_ids: Labels
    n_users: Ids
    cumulative_share: npt.NDArray[np.float64]
    """Share of all pairs that the items up to this one have."""


@dataclass(frozen=True)
class Coverage:
    """How much of the catalogue the run reaches."""

    n_items: int
    n_with_neighbours: int
    """Items that have at least one similar item."""
    n_listed: int
    """Items in the list of at least one user."""


@dataclass(frozen=True)
class TrainedModel:
    """The result of `train`."""

    item_ids: Labels
    """(n_items,) sorted; positions in the arrays below."""
    item_counts: Ids
    """(n_items,) users who met the item."""
    recent_counts: Vector
    """(n_items,) the same, halved with every half-life: what newcomers are shown."""
    trend: Vector
    """(n_items,) what scores are multiplied with."""
    neighbours: Neighbours
    """Item to item."""
    both: Ids
    """Beside neighbours.data: users who met both items."""
    recency: float
    """Weight of a history item is (1 + rank) ** -recency."""
    user_ids: Labels
    """(n_users,) sorted."""
    user_neighbours: Neighbours
    """User to user; empty when it was left out."""
    list_counts: Ids
    """(n_items,) lists of users that show the item."""
    metrics: tuple[MetricRow, ...]
    n_pairs: int
    newest_s: float
    """Time of the newest pair, seconds since 1970."""
    notes: tuple[str, ...]
    """What a reader of the figures must know, for instance what was left out."""

    def top_n(
        self,
        history: Sequence[Label],
        n: int = 10,
        *,
        exclude: Sequence[Label] = (),
        weights: Sequence[float] | None = None,
        n_reasons: int = 3,
    ) -> list[Suggestion]:
        """The n best items that are neither in the history nor in `exclude`, best first.

        When the neighbours do not fill the list, popular items follow, without reasons.
        Items the run does not know are skipped."""
        items, weight = self._known(history, weights)
        hidden = np.concatenate([items, self._known(exclude, None)[0]])
        scores = self._scores(items, weight)
        scores[hidden] = 0
        best = best_of(scores, n=n)
        reasons = self._reasons(items, weight, best, n_reasons)
        chosen = [self._suggestion(i, scores, why) for i, why in zip(best, reasons, strict=True)]
        return chosen + self._popular(n - len(best), without=np.concatenate([hidden, best]))

    def popular(self, n: int = 10, *, exclude: Sequence[Label] = ()) -> list[Suggestion]:
        """What most people met of late, then ever; for someone without a history."""
        return self._popular(n, without=self._known(exclude, None)[0])

    def all_lists(
        self, interactions: Interactions, n: int = 10, *, n_reasons: int = 3
    ) -> Iterator[tuple[Label, list[Suggestion]]]:
        """The list of every user of `interactions`, by user id."""
        labels = interactions.item_ids[interactions.items].tolist()
        weights = interactions.weights.tolist()
        for user, label in enumerate(interactions.user_ids.tolist()):
            own = slice(interactions.indptr[user], interactions.indptr[user + 1])
            yield label, self.top_n(labels[own], n, weights=weights[own], n_reasons=n_reasons)

    def similar_items(self, item_id: Label, n: int = 10) -> list[Neighbour]:
        """Items most similar to one, without itself; none for an item the run does not know."""
        return _nearest(self._item_table, self.item_ids, item_id, n=n)

    def similar_users(self, user_id: Label, n: int = 10) -> list[Neighbour]:
        """Users most similar to one, without herself; none for one the run does not know."""
        return _nearest(self._user_table, self.user_ids, user_id, n=n)

    def explain(self, history: Sequence[Label], item_id: Label) -> list[Reason]:
        """Everything in the history that speaks for an item, the largest share first."""
        items, weight = self._known(history, None)
        wanted = _find(self.item_ids, [item_id])
        known = wanted[wanted >= 0]
        return [r for why in self._reasons(items, weight, known, len(items)) for r in why]

    def co_counts(self, item_a: Label, item_b: Label) -> CoCount | None:
        """How many of the people who met a met b too; None when b is no neighbour of a."""
        a, b = _find(self.item_ids, [item_a, item_b]).tolist()
        if a < 0 or b < 0:
            return None
        both = int(self._both_table[a, b])
        return CoCount(both=both, n=int(self.item_counts[a])) if both else None

    def similarity_block(self, item_ids: Sequence[Label]) -> Matrix:
        """Cosine of every two of the items, (n, n), symmetric, for a heat map.

        0 where neither is a neighbour of the other. Raises KeyError for an unknown item."""
        items = _find(self.item_ids, item_ids)
        if (items < 0).any():
            raise KeyError(f"item {item_ids[int(np.argmax(items < 0))]} is not in the run")
        both = np.asarray(self._both_table[items][:, items].todense())
        root = np.sqrt(self.item_counts[items]).astype(np.float32)
        block = np.maximum(both, both.T) / np.outer(root, root)
        np.fill_diagonal(block, 1.0)
        return block.astype(np.float32)

    def popularity_curve(self) -> PopularityCurve:
        """Items from the most to the least popular, equal ones by id."""
        order = np.argsort(-self.item_counts, kind="stable")
        counts = self.item_counts[order]
        share = np.cumsum(counts) / max(counts.sum(), 1)
        return PopularityCurve(
            item_ids=self.item_ids[order], n_users=counts, cumulative_share=share
        )

    def coverage(self) -> Coverage:
        """How much of the catalogue has neighbours, and how much is in someone's list."""
        return Coverage(
            n_items=len(self.item_ids),
            n_with_neighbours=int((np.diff(self.neighbours.indptr) > 0).sum()),
            n_listed=int((self.list_counts > 0).sum()),
        )

    @cached_property
    def _item_table(self) -> CSR:
        return _table(self.neighbours, n_columns=len(self.item_ids))

    @cached_property
    def _user_table(self) -> CSR:
        return _table(self.user_neighbours, n_columns=len(self.user_ids))

    @cached_property
    def _both_table(self) -> CSR:
        near = self.neighbours
        return make_csr(self.both, near.indices, near.indptr, shape=self._item_table.shape)

    def _known(
        self, labels: Sequence[Label], weights: Sequence[float] | None
    ) -> tuple[Ids, Vector]:
        """Positions of the known items, and weight times freshness of each."""
        items = _find(self.item_ids, labels)
        weight = np.ones(len(items)) if weights is None else np.asarray(weights, dtype=float)
        weight = weight[items >= 0].astype(np.float32)
        fresh = freshness(np.array([0, len(weight)]), power=self.recency)
        return items[items >= 0], (weight * fresh).astype(np.float32)

    def _scores(self, items: Ids, weight: Vector) -> Vector:
        rows = self._item_table[items]
        amounts = rows.data * np.repeat(weight, np.diff(rows.indptr))
        sums = np.bincount(rows.indices, amounts, minlength=len(self.item_ids))
        return (sums * self.trend).astype(np.float32)

    def _reasons(
        self, items: Ids, weight: Vector, best: Ids, n_reasons: int
    ) -> list[tuple[Reason, ...]]:
        """For every item of `best` what the history adds to it."""
        if not len(best) or not len(items):
            return [() for _ in best]
        amounts = self._item_table[items][:, best].toarray() * weight[:, None]
        both = self._both_table[items][:, best].toarray()
        return [
            tuple(
                Reason(
                    item_id=_label(self.item_ids, items[row]),
                    share=float(amounts[row, column] / amounts[:, column].sum()),
                    counts=CoCount(int(both[row, column]), int(self.item_counts[items[row]])),
                )
                for row in best_of(amounts[:, column], n=n_reasons)
            )
            for column in range(len(best))
        ]

    def _popular(self, n: int, *, without: Ids) -> list[Suggestion]:
        # All-time counts only order what hardly anybody met for months.
        scores = (self.recent_counts + self.item_counts / 1e6).astype(np.float32)
        scores[without] = 0
        return [self._suggestion(i, scores, ()) for i in best_of(scores, n=n)] if n > 0 else []

    def _suggestion(self, item: int, scores: Vector, why: tuple[Reason, ...]) -> Suggestion:
        return Suggestion(
            item_id=_label(self.item_ids, item), score=float(scores[item]), reasons=why
        )


def _label(labels: Labels, position: int) -> Label:
    return labels[position].item()  # type: ignore[no-any-return]


def _find(labels: Labels, wanted: Sequence[Label]) -> Ids:
    """Positions in the sorted labels, -1 where there is none."""
    if not len(labels) or not len(wanted):
        return np.full(len(wanted), -1, dtype=np.int64)
    keys = np.asarray(wanted)
    if keys.dtype.kind != labels.dtype.kind:
        return np.full(len(wanted), -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(labels, keys), len(labels) - 1)
    return np.where(labels[places] == keys, places, -1)


def _table(neighbours: Neighbours, *, n_columns: int) -> CSR:
    near = neighbours
    shape = (len(near.indptr) - 1, n_columns)
    return make_csr(near.data, near.indices, near.indptr, shape=shape)


def _nearest(table: CSR, labels: Labels, wanted: Label, *, n: int) -> list[Neighbour]:
    row = int(_find(labels, [wanted])[0])
    if row < 0 or row >= table.shape[0]:
        return []
    entries = slice(table.indptr[row], table.indptr[row + 1])
    scores, ids = table.data[entries], table.indices[entries]
    return [
        Neighbour(id=_label(labels, ids[i]), score=float(scores[i])) for i in best_of(scores, n=n)
    ]
