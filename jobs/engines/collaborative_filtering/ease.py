"""The item table that reproduces all histories best with nothing on its diagonal.

Source: Steck 2019 (EASE^R). For catalogues of up to 5,000 items: it inverts a dense matrix."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Matrix,
    Times,
    no_tick,
    pattern,
)
from jobs.engines.collaborative_filtering.item_table import ItemTable
from jobs.engines.collaborative_filtering.kernel import keep_strongest

MOST_ITEMS = 5_000


class TooManyItems(ValueError):
    """The catalogue is too large for a dense inverse."""


@dataclass(frozen=True)
class EASEConfig:
    """table = -P[h, j] / P[j, j] with P the inverse of (co-counts + ridge on the diagonal)."""

    neighbours: int = 400
    """Positive entries kept for every item; the rest hardly changes the lists."""
    ridge: float = 100.0
    """Larger: rare items lean less on single users."""
    recency: float = 0.0
    """Weight of a history item is (1 + rank) ** -recency."""


class EASE(ItemTable):
    """Recommends what a linear model of all histories expects."""

    Config = EASEConfig
    config: EASEConfig

    def _similarities(
        self, user_items: CSR, times: Times | None, tick: Callable[[float], None]
    ) -> CSR:
        n_items = user_items.shape[1]
        if n_items > MOST_ITEMS:
            raise TooManyItems(f"EASE takes up to {MOST_ITEMS:,} items, there are {n_items:,}")
        table = self._table_of(user_items, tick)
        return keep_strongest(
            _candidates(table, self.config.neighbours), keep=self.config.neighbours
        )

    def rows_again(self, user_items: CSR, rows: Ids) -> CSR | None:
        # All entries hang together, so all are made: some seconds for the largest catalogue.
        if user_items.shape[1] > MOST_ITEMS:
            return None
        table = self._table_of(user_items, no_tick)[rows]
        return keep_strongest(
            _candidates(table, self.config.neighbours), keep=self.config.neighbours
        )

    def _table_of(self, user_items: CSR, tick: Callable[[float], None]) -> Matrix:
        """(n_items, n_items), dense, zeros on the diagonal."""
        n_items = user_items.shape[1]
        if not n_items:
            return np.zeros((0, 0), dtype=np.float32)
        ones = pattern(user_items)
        gram = (ones.T.tocsr() @ ones).toarray()
        gram[np.diag_indices(n_items)] += np.float32(self.config.ridge)
        tick(0.3)
        inverse = _symmetric_inverse(gram)
        tick(0.9)
        table = inverse / -np.diag(inverse)
        np.fill_diagonal(table, 0.0)
        return table.astype(np.float32, copy=False)


def _candidates(table: Matrix, keep: int) -> CSR:
    """The positive entries that may be among the `keep` largest of their row, ties included."""
    if keep >= table.shape[1]:
        return sparse.csr_matrix(np.maximum(table, 0))
    least = np.partition(table, table.shape[1] - keep, axis=1)[:, [table.shape[1] - keep]]
    return sparse.csr_matrix(np.where(table >= np.maximum(least, 0), table, 0))


def _symmetric_inverse(gram: np.ndarray) -> np.ndarray:
    """By Cholesky, in place; only one triangle is made and then mirrored."""
    factor, _ = linalg.lapack.spotrf(gram, lower=0, overwrite_a=1)
    inverse, _ = linalg.lapack.spotri(factor, lower=0, overwrite_c=1)
    return np.triu(inverse) + np.triu(inverse, 1).T
