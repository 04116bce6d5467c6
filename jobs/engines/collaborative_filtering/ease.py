"""The item table that reproduces all histories best with nothing on its diagonal.

Source: Steck 2019 (EASE^R). For catalogues of up to 5,000 items: it inverts a dense matrix."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from jobs.engines.collaborative_filtering.arrays import CSR, Times, pattern
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
        ones = pattern(user_items)
        gram = (ones.T.tocsr() @ ones).toarray()
        gram[np.diag_indices(n_items)] += np.float32(self.config.ridge)
        tick(0.3)
        if not n_items:
            return sparse.csr_matrix((0, 0), dtype=np.float32)
        inverse = _symmetric_inverse(gram)
        tick(0.9)
        table = inverse / -np.diag(inverse)
        np.fill_diagonal(table, 0.0)
        return keep_strongest(sparse.csr_matrix(table), keep=self.config.neighbours)


def _symmetric_inverse(gram: np.ndarray) -> np.ndarray:
    """By Cholesky, in place; only one triangle is made and then mirrored."""
    factor, _ = linalg.lapack.spotrf(gram, lower=0, overwrite_a=1)
    inverse, _ = linalg.lapack.spotri(factor, lower=0, overwrite_c=1)
    return np.triu(inverse) + np.triu(inverse, 1).T
