"""A finished training run as arrays: what a portal stores, serves and draws.

Ids are the caller's own everywhere; a history is a list of item ids, oldest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, Matrix, Vector, make_csr
from jobs.engines.collaborative_filtering.blend import FLOOR_ITEMS, risen
from jobs.engines.collaborative_filtering.interactions import Interactions, Labels
from jobs.engines.collaborative_filtering.item_table import freshness
from jobs.engines.collaborative_filtering.kernel import best_of
from jobs.engines.collaborative_filtering.metrics import MetricRow, SegmentRow
from jobs.engines.collaborative_filtering.recommender import CoCount
from jobs.engines.collaborative_filtering.results import (
    ActivityGrid,
    Coverage,
    Label,
    Neighbour,
    Neighbours,
    PopularityCurve,
    Reason,
    Suggestion,
)
from jobs.engines.collaborative_filtering.rules import (
    CANDIDATES,
    PLAIN,
    ListRules,
    diversified,
    language_factor,
)
from jobs.engines.collaborative_filtering.scoring import Scored, columns_of, score


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
    floor: float
    """Added to the similarity of the items most wanted now, as a share of the history."""
    floor_days: float
    """After so many days without an event half of the floor counts; 0: all of it always."""
    content: Neighbours
    """Item to item by what is written about them; empty when nothing was given."""
    languages: Labels
    """(n_items,) "" where it is not known."""
    choice: dict[str, Any]
    """What the search chose to serve, as plain JSON."""
    user_ids: Labels
    """(n_users,) sorted."""
    user_neighbours: Neighbours
    """User to user; empty when it was left out."""
    list_counts: Ids
    """(n_items,) lists of users that show the item."""
    grid: ActivityGrid
    metrics: tuple[MetricRow, ...]
    segments: tuple[SegmentRow, ...]
    """The served model by length of history, on the last item of everybody."""
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
        rules: ListRules = PLAIN,
        idle_days: float = 0.0,
    ) -> list[Suggestion]:
        """The n best items that are neither in the history nor in `exclude`, best first.

        idle_days: since the newest event of the history; after a long time present demand counts more.

        When the neighbours do not fill the list, popular items follow, without reasons.
        Items the run does not know are skipped."""
        items, weight = self._known(history, weights)
        hidden = np.concatenate([items, self._known(exclude, None)[0]])
        scored = self._scored(items, weight, rules, idle_days)
        scores = scored.scores
        scores[hidden] = 0
        best = best_of(scores, n=n * CANDIDATES if rules.diversity else n)
        alike = self._content_table
        best = diversified(best, scores, alike=alike, n=n, diversity=rules.diversity)
        reasons = self._reasons(items, scored, best, n_reasons)
        chosen = [self._suggestion(i, scores, why) for i, why in zip(best, reasons, strict=True)]
        taken = np.concatenate([hidden, best])
        return chosen + self._popular(n - len(best), without=taken, rules=rules)

    def popular(
        self, n: int = 10, *, exclude: Sequence[Label] = (), rules: ListRules = PLAIN
    ) -> list[Suggestion]:
        """What most people met of late, then ever; for someone without a history."""
        return self._popular(n, without=self._known(exclude, None)[0], rules=rules)

    def all_lists(
        self, interactions: Interactions, n: int = 10, *, n_reasons: int = 3
    ) -> Iterator[tuple[Label, list[Suggestion]]]:
        """The list of every user of `interactions`, by user id."""
        labels = interactions.item_ids[interactions.items].tolist()
        weights = interactions.weights.tolist()
        idle = interactions.idle_days().tolist()
        for user, label in enumerate(interactions.user_ids.tolist()):
            own = slice(interactions.indptr[user], interactions.indptr[user + 1])
            yield (
                label,
                self.top_n(
                    labels[own], n, weights=weights[own], n_reasons=n_reasons, idle_days=idle[user]
                ),
            )

    def similar_items(self, item_id: Label, n: int = 10) -> list[Neighbour]:
        """Items most similar to one, without itself; none for an item the run does not know."""
        return _nearest(self._item_table, self.item_ids, item_id, n=n)

    def similar_contents(self, item_id: Label, n: int = 10) -> list[Neighbour]:
        """Items of the most alike content, whether or not anybody met them."""
        return _nearest(self._content_table, self.item_ids, item_id, n=n)

    def languages_of(self, item_ids: Sequence[Label]) -> set[str]:
        """The languages that the known ones of these items are written in."""
        return set(self.languages[self._known(item_ids, None)[0]].tolist())

    def similar_users(self, user_id: Label, n: int = 10) -> list[Neighbour]:
        """Users most similar to one, without herself; none for one the run does not know."""
        return _nearest(self._user_table, self.user_ids, user_id, n=n)

    def explain(
        self,
        history: Sequence[Label],
        item_id: Label,
        weights: Sequence[float] | None = None,
        *,
        rules: ListRules = PLAIN,
        idle_days: float = 0.0,
    ) -> list[Reason]:
        """Everything in the history that speaks for an item, most first; empty for an unknown one."""
        items, weight = self._known(history, weights)
        wanted = self._known([item_id], None)[0]
        if not len(wanted) or not len(items):
            return []
        scored = self._scored(items, weight, rules, idle_days)
        return list(self._reasons(items, scored, wanted, len(items))[0])

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
    def _content_table(self) -> CSR:
        return _table(self.content, n_columns=len(self.item_ids))

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

    def _scored(self, items: Ids, weight: Vector, rules: ListRules, idle_days: float) -> Scored:
        return score(
            items,
            weight,
            table=self._item_table,
            content=self._content_table,
            trend=self.trend,
            people=self.item_counts,
            floor=self._floor(idle_days),
            rules=rules,
            language=language_factor(self.languages, rules) if rules.languages else None,
        )

    def _floor(self, idle_days: float) -> Vector | None:
        """(n_items,) what the items most wanted now get without being similar to anything."""
        height = risen(self.floor, self.floor_days, np.array([idle_days], dtype=np.float32))[0]
        if not height:
            return None
        floor = np.zeros(len(self.trend), dtype=np.float32)
        floor[self._most_wanted] = height
        return floor

    @cached_property
    def _most_wanted(self) -> Ids:
        wanted = (self.trend * (self.item_counts > 0)).astype(np.float32)
        return best_of(wanted, n=FLOOR_ITEMS)

    def _reasons(
        self, items: Ids, scored: Scored, best: Ids, n_reasons: int
    ) -> list[tuple[Reason, ...]]:
        """For every item of `best` what the history adds to it."""
        if not len(best) or not len(items):
            return [() for _ in best]
        behaviour, content = scored.contributions(best)
        amounts = behaviour + content
        both = columns_of(self._both_table[items], best)
        return [
            tuple(
                Reason(
                    item_id=_label(self.item_ids, items[row]),
                    share=float(amounts[row, column] / amounts[:, column].sum()),
                    counts=CoCount(int(both[row, column]), int(self.item_counts[items[row]])),
                    by_content=bool(content[row, column] > behaviour[row, column]),
                )
                for row in best_of(amounts[:, column], n=n_reasons)
            )
            for column in range(len(best))
        ]

    def _popular(self, n: int, *, without: Ids, rules: ListRules = PLAIN) -> list[Suggestion]:
        # All-time counts only order what hardly anybody met for months, and what nobody met comes last.
        scores = (self.recent_counts + self.item_counts / 1e6 + 1e-12).astype(np.float32)
        if rules.languages:
            scores *= language_factor(self.languages, rules)
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
