"""Block products cut to the strongest entries of a row: exact, deterministic, bounded in memory."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Matrix,
    Tick,
    Vector,
    make_csr,
    no_tick,
    row_blocks,
    row_of_entries,
)

# Entries of a block product at most: 8 bytes each and as much again while it is cut,
# so a block stays below about 50 MB whatever the size of the catalogue.
BLOCK_ENTRIES = 2_000_000

# Added to what must not come back. Every sum of similarities is far smaller, and float32 holds it.
BANNED = np.float32(-1e20)

EMPTY_PLACE = -1
EMPTY_SCORE = -np.finfo(np.float32).max


@dataclass(frozen=True)
class Denominator:
    """What a co-count of rows a and b is divided by: left[a] * right[b] + shrinkage."""

    left: Vector
    right: Vector
    shrinkage: float = 0.0

    def divide(self, block: CSR, *, start: int) -> None:
        """Divide the block in place; its first row is row `start` of the whole."""
        lengths = np.diff(block.indptr)
        below = np.repeat(self.left[start : start + len(lengths)], lengths)
        below *= self.right[block.indices]
        if self.shrinkage:
            below += np.float32(self.shrinkage)
        block.data /= below


def nearest_rows(vectors: CSR, *, denominator: Denominator, keep: int, tick: Tick = no_tick) -> CSR:
    """The `keep` most similar other rows of every row of `vectors`.

    vectors: (n_rows, n_features). Returns (n_rows, n_rows), positive scores only, sorted by id."""
    vectors, across = without(vectors, vectors.T.tocsr(), banned=_diagonal(vectors.shape[0]))
    blocks = []
    for rows in row_blocks(most_entries(vectors, across), budget=BLOCK_ENTRIES):
        block = vectors[rows] @ across
        denominator.divide(block, start=rows.start)
        blocks.append(keep_strongest(block, keep=keep))
        tick(rows.stop / vectors.shape[0])
    return _stack(blocks, shape=(vectors.shape[0], vectors.shape[0]))


def keep_strongest(table: CSR, *, keep: int) -> CSR:
    """The `keep` largest positive entries of every row; of equal ones the smaller id stays."""
    chosen = table.data > 0
    lengths = np.add.reduceat(np.append(chosen, False), table.indptr[:-1], dtype=np.int64)
    lengths[np.diff(table.indptr) == 0] = 0
    for row in np.flatnonzero(lengths > keep).tolist():
        entries = slice(table.indptr[row], table.indptr[row + 1])
        chosen[entries] = _strongest(table.data[entries], table.indices[entries], keep=keep)
    ends = np.append(0, np.cumsum(np.minimum(lengths, keep)))
    cut = make_csr(table.data[chosen], table.indices[chosen], ends, shape=table.shape)
    cut.sort_indices()
    return cut


def without(left: CSR, right: CSR, *, banned: CSR) -> tuple[CSR, CSR]:
    """Two matrices with the same product, but far below zero wherever `banned` has a one.

    Appending columns and rows costs the length of `banned`; subtracting after the product would
    cost a pass over everything."""
    floor = _diagonal(banned.shape[1]) * BANNED
    return (
        sparse.hstack([left, banned], format="csr", dtype=np.float32),
        sparse.vstack([right, floor], format="csr", dtype=np.float32),
    )


def best_per_row(scores: CSR, *, n: int) -> tuple[Ids, Matrix]:
    """The n best positive entries of every row, best first, equal ones by id.

    Returns ids and scores, both (n_rows, n); an empty place is -1 with the lowest float32."""
    cut = keep_strongest(scores, keep=n)
    rows = row_of_entries(cut)
    order = np.lexsort((cut.indices, -cut.data, rows))
    places = np.arange(cut.nnz) - cut.indptr[rows]
    ids = np.full((scores.shape[0], n), EMPTY_PLACE, dtype=np.int64)
    best = np.full((scores.shape[0], n), EMPTY_SCORE, dtype=np.float32)
    ids[rows, places], best[rows, places] = cut.indices[order], cut.data[order]
    return ids, best


def best_of(scores: Vector, *, n: int) -> Ids:
    """Positions of the n largest positive scores, best first, equal ones by position."""
    candidates = np.flatnonzero(scores > 0)
    if len(candidates) > n:
        chosen = _strongest(scores[candidates], candidates, keep=n)
        candidates = candidates[chosen]
    return candidates[np.argsort(-scores[candidates], kind="stable")]


def product_work(left: CSR, right: CSR) -> npt.NDArray[np.float64]:
    """Multiplications that every row of left @ right takes."""
    lengths = np.append(0, np.cumsum(np.diff(right.indptr)[left.indices], dtype=np.float64))
    return lengths[left.indptr[1:]] - lengths[left.indptr[:-1]]


def most_entries(left: CSR, right: CSR) -> npt.NDArray[np.float64]:
    """Entries that every row of left @ right can have at most."""
    return np.minimum(product_work(left, right), float(right.shape[1]))


def _strongest(scores: Vector, ids: Ids, *, keep: int) -> npt.NDArray[np.bool_]:
    """A mask of the `keep` largest scores; there are more than that many."""
    if keep <= 0:
        return np.zeros(len(scores), dtype=bool)
    last = np.partition(scores, len(scores) - keep)[len(scores) - keep]
    chosen = scores > last
    tied = np.flatnonzero(scores == last)
    places = keep - np.count_nonzero(chosen)
    if len(tied) > places:
        tied = tied[np.argpartition(ids[tied], places - 1)[:places]]
    chosen[tied] = True
    return chosen


def _diagonal(size: int) -> CSR:
    return sparse.identity(size, dtype=np.float32, format="csr")


def _stack(blocks: list[CSR], *, shape: tuple[int, int]) -> CSR:
    if not blocks:
        return sparse.csr_matrix(shape, dtype=np.float32)
    return sparse.vstack(blocks, format="csr", dtype=np.float32)
