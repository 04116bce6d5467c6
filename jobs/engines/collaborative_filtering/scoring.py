"""Scores of one learner's history: what people did, mixed with what is written about the items.

score(j) = language(j) * (1 + people(j)) ** -penalty
           * (behaviour(j) / best behaviour + content weight(j) * content(j) / best content)
Without content the behaviour stays as it is: its numbers then compare with those of the models."""

from dataclasses import dataclass

import numpy as np

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, Matrix, Vector
from jobs.engines.collaborative_filtering.rules import ListRules, content_weight


@dataclass(frozen=True)
class Scored:
    """The scores, and what they are made of."""

    scores: Vector
    """(n_items,) above 0 where something speaks for the item."""
    weight: Vector
    """(n_history,) of the items of the history."""
    behaviour_rows: CSR
    content_rows: CSR | None
    behaviour_factor: Vector
    """(n_items,) what a similarity is multiplied with to be a part of the score."""
    content_factor: Vector | None

    def contributions(self, items: Ids) -> tuple[Matrix, Matrix]:
        """(n_history, len(items)) each: parts of the scores by behaviour and by content."""
        behaviour = columns_of(self.behaviour_rows, items)
        behaviour = behaviour * self.weight[:, None] * self.behaviour_factor[items]
        if self.content_rows is None or self.content_factor is None:
            return behaviour, np.zeros_like(behaviour)
        content = columns_of(self.content_rows, items)
        return behaviour, content * self.weight[:, None] * self.content_factor[items]


def score(
    items: Ids,
    weight: Vector,
    *,
    table: CSR,
    content: CSR,
    trend: Vector,
    people: Ids,
    floor: Vector | None,
    rules: ListRules,
    language: Vector | None,
) -> Scored:
    """Scores of a history of positions `items` with their weights."""
    rows = table[items]
    sums = _weighed(rows, weight, n_items=len(trend))
    if floor is not None and len(items):
        sums = sums / np.float32(max(float(weight.sum()), 1e-9)) + floor
    outer = np.ones(len(trend), dtype=np.float32) if language is None else language
    if rules.penalty:
        outer = outer * np.power(1 + people, np.float32(-rules.penalty), dtype=np.float32)
    factor = trend
    content_rows = content_factor = None
    scores = sums * trend
    if rules.content and content.nnz and len(items):
        factor = trend / np.float32(max(float(scores.max(initial=0)), 1e-30))
        scores = sums * factor
        content_rows = content[items]
        alike = _weighed(content_rows, weight, n_items=len(trend))
        counts = content_weight(rules, n_history=len(items), people=people)
        content_factor = counts / np.float32(max(float(alike.max(initial=0)), 1e-30))
        scores += alike * content_factor
        content_factor = content_factor * outer
    if floor is not None and len(items):
        factor = factor / np.float32(max(float(weight.sum()), 1e-9))
    scores = (scores * outer).astype(np.float32)
    return Scored(scores, weight, rows, content_rows, factor * outer, content_factor)


def columns_of(rows: CSR, items: Ids) -> Matrix:
    """(n_rows, len(items)) some columns, dense. Slicing columns would build a table first."""
    place = np.full(rows.shape[1], -1, dtype=np.int64)
    place[items] = np.arange(len(items))
    column = place[rows.indices]
    wanted = np.flatnonzero(column >= 0)
    row = np.searchsorted(rows.indptr, wanted, side="right") - 1
    dense = np.zeros((rows.shape[0], len(items)), dtype=np.float32)
    dense[row, column[wanted]] = rows.data[wanted]
    return dense


def _weighed(rows: CSR, weight: Vector, *, n_items: int) -> Vector:
    amounts = rows.data * np.repeat(weight, np.diff(rows.indptr))
    return np.bincount(rows.indices, amounts, minlength=n_items).astype(np.float32)
