"""Items that the same users met, as a share of all who met either. Source: Jaccard 1912."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, Times, column_counts, pattern
from jobs.engines.collaborative_filtering.item_table import ItemTable
from jobs.engines.collaborative_filtering.kernel import Denominator, nearest_rows


@dataclass(frozen=True)
class JaccardConfig:
    """similarity(h, j) = users of both / (users of either + shrinkage)"""

    neighbours: int = 100
    """Similar items kept for every item."""
    shrinkage: float = 0.0
    """Added below the line: items met by few users need more of them in common to be similar."""
    recency: float = 0.0
    """Weight of a history item is (1 + rank) ** -recency."""


class Jaccard(ItemTable):
    """Recommends what mostly the same users met."""

    Config = JaccardConfig
    config: JaccardConfig

    def _similarities(
        self, user_items: CSR, times: Times | None, tick: Callable[[float], None]
    ) -> CSR:
        sizes = column_counts(user_items).astype(np.float32)
        either = EitherOf(left=sizes, right=sizes, shrinkage=self.config.shrinkage)
        across = pattern(user_items)
        return nearest_rows(
            across.T.tocsr(),
            denominator=either,
            keep=self.config.neighbours,
            across=across,
            tick=tick,
        )


class EitherOf(Denominator):
    """left[a] + right[b] - the co-count itself."""

    def divide(self, block: CSR, *, rows: Ids) -> None:
        below = np.repeat(self.left[rows], np.diff(block.indptr))
        below += self.right[block.indices]
        below -= block.data
        block.data /= below + np.float32(self.shrinkage)
