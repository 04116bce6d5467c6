"""Ranked lists out of matrix products: what may come back, in which order, in which form."""

import numpy as np
import numpy.typing as npt
from sparse_dot_topn import sp_matmul_topn

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

# Places of all lists that are made at once: 20 bytes each.
LIST_PLACES = 5_000_000
# Above every similarity: what comes first whatever is as similar.
FIRST = np.float32(1e20)

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


def allowed(size: int, *, without: npt.ArrayLike | None, only: npt.ArrayLike | None) -> Vector:
    """(size,) a one for every id that may come back: all but some, or some alone."""
    if without is not None and only is not None:
        raise ValueError("give the ids to leave out or the ids to rank, not both")
    factor = np.full(size, only is None, dtype=np.float32)
    factor[checked_positions(without if only is None else only, size=size)] = only is not None
    return factor


def best_of_product(left: CSR, right: CSR, *, n: int, factor: Vector) -> tuple[Ids, Matrix]:
    """The n best columns of every row of left @ right, columns multiplied by `factor`."""
    if not (factor == 1).all():
        data = right.data * factor[right.indices]
        right = make_csr(data, right.indices, right.indptr, shape=right.shape)
    if n <= 0 or not left.nnz or not right.nnz:
        return best_per_row(left[:, :0] @ right[:0], n=max(n, 0))
    left, right = needed(left, right)
    step = max(1, LIST_PLACES // (n + 1))
    parts = [
        _best_of_rows(left[start : start + step], right, n=n)
        for start in range(0, left.shape[0], step)
    ]
    return np.concatenate([ids for ids, _ in parts]), np.concatenate([best for _, best in parts])


def needed(left: CSR, right: CSR) -> tuple[CSR, CSR]:
    """The two matrices with only those rows of the right one that the product looks at, if few.

    The library copies the right matrix at every call, which is most of the time of a single list."""
    if left.nnz >= right.shape[0]:
        return left, right
    rows, places = np.unique(left.indices, return_inverse=True)
    shape = (left.shape[0], len(rows))
    return make_csr(left.data, places.ravel(), left.indptr, shape=shape), right[rows]


def _best_of_rows(left: CSR, right: CSR, *, n: int) -> tuple[Ids, Matrix]:
    """One more than asked for shows what was cut off: equal scores go by id, so a row whose last
    place is tied with it is made again from all its entries."""
    cut = as_csr(sp_matmul_topn(left, right, top_n=n + 1, threshold=0.0))
    ids, scores = best_per_row(cut, n=n + 1)
    tied = np.flatnonzero((ids[:, n] >= 0) & (scores[:, n] == scores[:, n - 1]))
    for rows in row_blocks(most_entries(left[tied], right), budget=BLOCK_ENTRIES):
        some = tied[rows]
        ids[some, :n], scores[some, :n] = best_per_row(left[some] @ right, n=n)
    return ids[:, :n], scores[:, :n]


def most_similar(table: CSR, wanted: IdOrIds, *, n: int, factor: Vector) -> tuple[Ids, Matrix]:
    """Every wanted row itself, then its entries of the table, best first.

    Itself counts 1.0, or as much as the best other one where that is more."""
    rows = checked_positions(np.atleast_1d(np.asarray(wanted)), size=table.shape[0])
    itself = make_csr(
        np.full(len(rows), FIRST),
        rows,
        np.arange(len(rows) + 1),
        shape=(len(rows), table.shape[1]),
    )
    scores = (table[rows] + itself).tocsr()
    scores.data *= factor[scores.indices]
    ids, best = best_per_row(scores, n=max(n, 2))
    first = ids[:, 0] == rows
    best[first, 0] = np.maximum(1, best[first, 1])
    return ids[:, :n], best[:, :n]


def with_the_rest(best: tuple[Ids, Matrix], *, items: npt.ArrayLike, met: CSR | None) -> None:
    """Fill empty places with those of the items that nothing speaks for, by id.

    They have the score of an empty place. met: items of each row that may not come back."""
    ids, _ = best
    wanted = np.unique(np.asarray(items, dtype=np.int64))
    for row in np.flatnonzero((ids < 0).any(axis=1)).tolist():
        empty = np.flatnonzero(ids[row] < 0)
        rest = np.setdiff1d(wanted, ids[row])
        if met is not None:
            rest = np.setdiff1d(rest, met.indices[met.indptr[row] : met.indptr[row + 1]])
        ids[row, empty[: len(rest)]] = rest[: len(empty)]


def one_or_all(wanted: IdOrIds, best: tuple[Ids, Matrix]) -> tuple[Ids, Vector]:
    """One row without its empty places when one id was asked for, and all rows otherwise."""
    ids, scores = best
    if np.ndim(wanted):
        return ids, scores
    return ids[0][ids[0] >= 0], scores[0][ids[0] >= 0]
