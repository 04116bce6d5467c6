"""Ranked lists out of matrix products: what may come back, in which order, in which form."""

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Matrix,
    Vector,
    as_csr,
    make_csr,
    row_blocks,
)
from jobs.engines.collaborative_filtering.kernel import (
    BLOCK_ENTRIES,
    best_per_row,
    most_entries,
)

IdOrIds = int | npt.ArrayLike


def positive_entries(user_items: CSR) -> CSR:
    """The entries above 0 in their stored order. Raises ValueError for NaN and infinity."""
    matrix = as_csr(user_items)
    if not np.isfinite(matrix.data).all():
        raise ValueError("user_items holds a number that is not finite")
    if (matrix.data > 0).all():
        return matrix
    chosen = matrix.data > 0
    ends = np.append(0, np.cumsum(chosen))[matrix.indptr]
    return make_csr(matrix.data[chosen], matrix.indices[chosen], ends, shape=matrix.shape)


def checked_positions(ids: npt.ArrayLike | None, *, size: int) -> Ids:
    """The ids as an array. Raises IndexError for one outside 0..size-1."""
    chosen = np.asarray([] if ids is None else ids, dtype=np.int64)
    if len(chosen) and not (chosen.min() >= 0 and chosen.max() < size):
        raise IndexError(f"an id is not among the {size} that the model knows")
    return chosen


def best_of_product(left: CSR, right: CSR, *, n: int, factor: Vector) -> tuple[Ids, Matrix]:
    """The n best columns of every row of left @ right, columns multiplied by `factor`."""
    ids: list[Ids] = [np.empty((0, n), np.int64)]
    scores: list[Matrix] = [np.empty((0, n), np.float32)]
    same = bool((factor == 1).all())
    for rows in row_blocks(most_entries(left, right), budget=BLOCK_ENTRIES):
        block = left[rows] @ right
        if not same:
            block.data *= factor[block.indices]
        best = best_per_row(block, n=n)
        ids.append(best[0])
        scores.append(best[1])
    return np.concatenate(ids), np.concatenate(scores)


def most_similar(
    table: CSR, wanted: IdOrIds, *, n: int, without: npt.ArrayLike | None
) -> tuple[Ids, Matrix]:
    """Every wanted row itself with 1.0, then its entries of the table, best first."""
    rows = checked_positions(np.atleast_1d(np.asarray(wanted)), size=table.shape[0])
    itself = make_csr(
        np.ones(len(rows)), rows, np.arange(len(rows) + 1), shape=(len(rows), table.shape[1])
    )
    scores = (table[rows] + itself).tocsr()
    if without is not None:
        scores.data[np.isin(scores.indices, checked_positions(without, size=table.shape[1]))] = 0.0
    return best_per_row(scores, n=n)


def one_or_all(wanted: IdOrIds, best: tuple[Ids, Matrix]) -> tuple[Ids, Vector]:
    """One row without its empty places when one id was asked for, and all rows otherwise."""
    ids, scores = best
    if np.ndim(wanted):
        return ids, scores
    return ids[0][ids[0] >= 0], scores[0][ids[0] >= 0]
