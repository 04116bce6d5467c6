"""Items that the same users rated alike: adjusted cosine and Pearson's correlation.

Both compare two items over the users who rated both. Ratings are centred first: by the mean of
the user (adjusted cosine) or of the item (Pearson). Sources: Sarwar et al. 2001, Herlocker 1999."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import sparse

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Times,
    Vector,
    make_csr,
    pattern,
    row_blocks,
    row_of_entries,
)
from jobs.engines.collaborative_filtering.item_table import ItemTable
from jobs.engines.collaborative_filtering.kernel import (
    BLOCK_ENTRIES,
    keep_strongest,
    most_entries,
)


class Centre(StrEnum):
    """Whose mean is taken off a rating."""

    USER = "user"  # adjusted cosine: what a user thinks of an item beside her other ones
    ITEM = "item"  # Pearson's correlation: what a user thinks of it beside other users


@dataclass(frozen=True)
class CentredConfig:
    """similarity = sum(x * y) / sqrt(sum(x * x) * sum(y * y)) * n / (n + shrinkage), n users of both"""

    neighbours: int = 100
    """Similar items kept for every item; those with a similarity above 0."""
    centre: Centre = Centre.USER
    """Whose mean is taken off."""
    shrinkage: float = 10.0
    """Two users who agree are no evidence yet."""
    recency: float = 0.0
    """Weight of a history item is (1 + rank) ** -recency."""


class CentredItems(ItemTable):
    """Recommends what was rated like the items of the history.

    Events that all weigh the same hold no opinion: then it is the plain cosine."""

    Config = CentredConfig
    config: CentredConfig

    @classmethod
    def _read_config(cls, values: dict[str, object]) -> CentredConfig:
        return CentredConfig(**values | {"centre": Centre(str(values["centre"]))})  # type: ignore[arg-type]

    def _similarities(
        self, user_items: CSR, times: Times | None, tick: Callable[[float], None]
    ) -> CSR:
        across = centred(user_items, self.config.centre)
        rows, n_items = across.T.tocsr(), user_items.shape[1]
        blocks = [sparse.csr_matrix((0, n_items), dtype=np.float32)]
        for part in row_blocks(most_entries(rows, across), budget=BLOCK_ENTRIES / 4):
            blocks.append(self._block(rows[part], across))
            _drop_diagonal(blocks[-1], np.arange(part.start, part.stop))
            blocks[-1] = keep_strongest(blocks[-1], keep=self.config.neighbours)
            tick(part.stop / n_items)
        return sparse.vstack(blocks, format="csr", dtype=np.float32)

    def _block(self, rows: CSR, across: CSR) -> CSR:
        ones, both = pattern(across), pattern(rows) @ pattern(across)
        both.sort_indices()
        products = (rows @ across, _squared(rows) @ ones, pattern(rows) @ _squared(across))
        above, left_sum, right_sum = (_beside(both, product) for product in products)
        below = np.sqrt(left_sum * right_sum)
        alike = np.divide(above, below, out=np.zeros_like(above), where=below > 1e-12)
        trust = both.data / (both.data + np.float32(self.config.shrinkage))
        return make_csr(alike * trust, both.indices, both.indptr, shape=both.shape)


def centred(user_items: CSR, centre: Centre) -> CSR:
    """The weights with the mean of the user or item taken off."""
    if not user_items.nnz or (user_items.data == user_items.data[0]).all():
        return user_items
    of = row_of_entries(user_items) if centre is Centre.USER else user_items.indices
    size = user_items.shape[0 if centre is Centre.USER else 1]
    data = user_items.data - _means(user_items.data, of, size)[of]
    return make_csr(data, user_items.indices, user_items.indptr, shape=user_items.shape)


def _means(data: Vector, of: Ids, size: int) -> Vector:
    sums = np.bincount(of, data, minlength=size)
    return (sums / np.maximum(np.bincount(of, minlength=size), 1)).astype(np.float32)


def _beside(whole: CSR, part: CSR) -> Vector:
    """The entries of `part` in the places of `whole`: a product leaves out sums of zero."""
    keys, wanted = (
        row_of_entries(matrix) * matrix.shape[1] + matrix.indices for matrix in (whole, part)
    )
    data = np.zeros(whole.nnz, dtype=np.float32)
    data[np.searchsorted(keys, wanted)] = part.data
    return data


def _squared(matrix: CSR) -> CSR:
    return make_csr(matrix.data**2, matrix.indices, matrix.indptr, shape=matrix.shape)


def _drop_diagonal(block: CSR, rows: Ids) -> None:
    block.data[block.indices == np.repeat(rows, np.diff(block.indptr))] = 0.0
