"""Weighted co-occurrence: BM25 and TF-IDF, which count a busy user's events for less.

Sources: Robertson and Zaragoza 2009 (BM25); Salton and Buckley 1988 (TF-IDF). A user is a term and
an item is a document; the formulas are those of the library `implicit`, but for half an item (`rarity`)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Times,
    Vector,
    make_csr,
    no_tick,
    pattern,
    row_of_entries,
)
from jobs.engines.collaborative_filtering.blocks import neighbours_of
from jobs.engines.collaborative_filtering.item_item import row_square_sums
from jobs.engines.collaborative_filtering.item_table import ItemTable
from jobs.engines.collaborative_filtering.kernel import Denominator


@dataclass(frozen=True)
class BM25Config:
    """weight = w * (k1 + 1) / (k1 * (1 - b + b * users of the item / their mean) + w) * idf(user)"""

    neighbours: int = 100
    """Similar items kept for every item."""
    k1: float = 1.2
    """How soon a repeated or strong event stops adding."""
    b: float = 0.2
    """How much an item that everybody met is held down: 0 not at all, 1 fully."""
    binary: bool = False
    """Count every user of an item once. Otherwise weights enter."""
    recency: float = 0.0
    """Weight of a history item is (1 + rank) ** -recency."""


@dataclass(frozen=True)
class TFIDFConfig:
    """Cosine of sqrt(w) * idf(user)."""

    neighbours: int = 100
    """Similar items kept for every item."""
    recency: float = 0.0
    """Weight of a history item is (1 + rank) ** -recency."""


class BM25(ItemTable):
    """Recommends items that the same users met; sums of weights, so popular items gain."""

    Config = BM25Config
    config: BM25Config
    arguments = ("K", "K1", "B", "num_threads")

    def _similarities(
        self, user_items: CSR, times: Times | None, tick: Callable[[float], None]
    ) -> CSR:
        return self._rows(user_items, None, tick)

    def rows_again(self, user_items: CSR, rows: Ids) -> CSR | None:
        return self._rows(user_items, rows, no_tick)

    def _rows(self, user_items: CSR, wanted: Ids | None, tick: Callable[[float], None]) -> CSR:
        rows = (pattern(user_items) if self.config.binary else user_items).T.tocsr()
        k1, b = self.config.k1, self.config.b
        sums = np.asarray(rows.sum(axis=1)).ravel()
        length = 1 - b + b * sums / max(sums.mean() if len(sums) else 0.0, 1e-9)
        weight = rows.data * (k1 + 1) / (k1 * length[row_of_entries(rows)] + rows.data)
        weighted = _with_data(rows, weight * rarity(user_items)[rows.indices])
        lengths = np.ones(rows.shape[0])
        return _products(weighted, lengths, self.config.neighbours, wanted, tick)


class TFIDF(ItemTable):
    """Recommends items that the same users met, users with few events first."""

    Config = TFIDFConfig
    config: TFIDFConfig

    def _similarities(
        self, user_items: CSR, times: Times | None, tick: Callable[[float], None]
    ) -> CSR:
        return self._rows(user_items, None, tick)

    def rows_again(self, user_items: CSR, rows: Ids) -> CSR | None:
        return self._rows(user_items, rows, no_tick)

    def _rows(self, user_items: CSR, wanted: Ids | None, tick: Callable[[float], None]) -> CSR:
        rows = user_items.T.tocsr()
        weighted = _with_data(rows, np.sqrt(rows.data) * rarity(user_items)[rows.indices])
        lengths = np.sqrt(row_square_sums(weighted))
        return _products(weighted, lengths, self.config.neighbours, wanted, tick)


def rarity(user_items: CSR) -> Vector:
    """(n_users,) log(items / items of the user): what a user says about two items she met.

    Half an item is added below and above, so that even who met everything says a little."""
    n_items = user_items.shape[1]
    met = np.diff(user_items.indptr)
    return np.log((n_items + 1) / (met + 0.5)).astype(np.float32)


def _with_data(rows: CSR, data: Vector) -> CSR:
    return make_csr(data, rows.indices, rows.indptr, shape=rows.shape)


def _products(
    rows: CSR, lengths: Vector, keep: int, wanted: Ids | None, tick: Callable[[float], None]
) -> CSR:
    below = np.where(lengths > 0, lengths, 1).astype(np.float32)
    denominator = Denominator(left=below, right=below)
    return neighbours_of(rows, denominator=denominator, keep=keep, rows=wanted, tick=tick)
