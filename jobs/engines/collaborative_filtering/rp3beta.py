"""Random walks of three steps from a user over items and users to items, popular ones held down.

Sources: Cooper et al. 2014 (P3alpha), Christoffel et al. 2015 (RP3beta)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Times,
    column_counts,
    make_csr,
    no_tick,
    pattern,
    row_of_entries,
)
from jobs.engines.collaborative_filtering.blocks import neighbours_of
from jobs.engines.collaborative_filtering.item_table import ItemTable
from jobs.engines.collaborative_filtering.kernel import Denominator


@dataclass(frozen=True)
class RP3betaConfig:
    """table[h, j] = sum over users of both (1 / users of h / items of the user) ** alpha / users of j ** beta"""

    neighbours: int = 200
    """Items kept for every item."""
    alpha: float = 0.5
    """1: a walk takes every step with equal chance; below, busy users and items keep more."""
    beta: float = 0.4
    """0: popular items are reached most; 1: their popularity is divided out."""
    recency: float = 0.0
    """Weight of a history item is (1 + rank) ** -recency."""


class RP3beta(ItemTable):
    """Recommends what a random walk from the history reaches."""

    Config = RP3betaConfig
    config: RP3betaConfig

    def _similarities(
        self, user_items: CSR, times: Times | None, tick: Callable[[float], None]
    ) -> CSR:
        return self._rows(user_items, None, tick)

    def rows_again(self, user_items: CSR, rows: Ids) -> CSR | None:
        return self._rows(user_items, rows, no_tick)

    def _rows(self, user_items: CSR, rows: Ids | None, tick: Callable[[float], None]) -> CSR:
        alpha, beta = self.config.alpha, self.config.beta
        ones = pattern(user_items)
        through = np.power(np.maximum(np.diff(ones.indptr), 1.0), -alpha)
        across = make_csr(
            through[row_of_entries(ones)], ones.indices, ones.indptr, shape=ones.shape
        )
        n_users = np.maximum(column_counts(ones), 1).astype(np.float32)
        below = Denominator(left=np.power(n_users, alpha), right=np.power(n_users, beta))
        return neighbours_of(
            ones.T.tocsr(),
            denominator=below,
            keep=self.config.neighbours,
            rows=rows,
            across=across,
            tick=tick,
        )
