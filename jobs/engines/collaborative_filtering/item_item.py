"""Items that the same users met: cosine and asymmetric cosine, with shrinkage.

Source: Sarwar et al. 2001 (item-based collaborative filtering); Aiolli 2013 (asymmetric cosine)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Tick,
    Times,
    no_tick,
    pattern,
)
from jobs.engines.collaborative_filtering.blocks import neighbours_of
from jobs.engines.collaborative_filtering.item_table import ItemTable
from jobs.engines.collaborative_filtering.kernel import Denominator


@dataclass(frozen=True)
class ItemItemConfig:
    """similarity(h, j) = users of both / (users of h ** alpha * users of j ** (1 - alpha) + shrinkage)"""

    neighbours: int = 100
    """Similar items kept for every item. Fewer: less memory; more hardly changes the lists."""
    alpha: float = 0.5
    """0.5 is the cosine. Above 0.5 popular items are recommended more readily, below less."""
    shrinkage: float = 0.0
    """Added below the line: items met by few users need more of them in common to be similar."""
    recency: float = 0.0
    """Weight of a history item is (1 + rank) ** -recency; 0 counts old and new items alike."""
    binary: bool = True
    """Count every user of an item once. Otherwise weights enter the similarity as well."""


class ItemItem(ItemTable):
    """Recommends what is similar to the items of a history."""

    Config = ItemItemConfig
    config: ItemItemConfig

    def _similarities(
        self, user_items: CSR, times: Times | None, tick: Callable[[float], None]
    ) -> CSR:
        return cosine_neighbours(
            user_items.T.tocsr(),
            columns=user_items,
            neighbours=self.config.neighbours,
            alpha=self.config.alpha,
            shrinkage=self.config.shrinkage,
            binary=self.config.binary,
            tick=tick,
        )

    def rows_again(self, user_items: CSR, rows: Ids) -> CSR | None:
        return cosine_neighbours(
            user_items.T.tocsr(),
            columns=user_items,
            neighbours=self.config.neighbours,
            alpha=self.config.alpha,
            shrinkage=self.config.shrinkage,
            binary=self.config.binary,
            tick=no_tick,
            wanted=rows,
        )


def cosine_neighbours(
    rows: CSR,
    *,
    columns: CSR | None = None,
    neighbours: int,
    alpha: float,
    shrinkage: float,
    binary: bool,
    tick: Tick,
    wanted: Ids | None = None,
) -> CSR:
    """The rows most similar to every row, or to those `wanted`; the formula stands at ItemItemConfig.

    columns: the rows transposed, when the caller has them."""
    vectors = pattern(rows) if binary else rows
    across = columns if columns is None or not binary else pattern(columns)
    square_sums = row_square_sums(vectors)
    # A row without entries is similar to nothing, but its place must not divide by zero.
    square_sums[square_sums == 0] = 1
    denominator = Denominator(
        left=np.power(square_sums, alpha).astype(np.float32),
        right=np.power(square_sums, 1 - alpha).astype(np.float32),
        shrinkage=shrinkage,
    )
    return neighbours_of(
        vectors, denominator=denominator, keep=neighbours, rows=wanted, across=across, tick=tick
    )


def row_square_sums(rows: CSR) -> npt.NDArray[np.float64]:
    """(n_rows,) sum of the squares of every row's entries."""
    ends = np.append(0.0, np.cumsum(np.square(rows.data, dtype=np.float64)))[rows.indptr]
    return np.diff(ends)
