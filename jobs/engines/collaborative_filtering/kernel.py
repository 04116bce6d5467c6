"""Block products cut to the strongest entries of a row: exact, deterministic, bounded in memory."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sparse_dot_topn import sp_matmul_topn

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

# Multiplications of a block that only ever holds the best entries: about half a second, so that
# work can be followed and cancelled, and few enough blocks that they cost nothing.
COUNTED_WORK = 50_000_000

# Similarities closer than that may stand in another order after rounding to float32.
NEARLY_EQUAL = np.float32(1 + 1e-6)

# Rows up to so many times longer than what is kept are sorted, longer ones partitioned.
SORTED_TOGETHER = 3

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

    def divide(self, block: CSR, *, rows: Ids) -> None:
        """Divide the block in place; its rows are the rows `rows` of the whole."""
        below = np.repeat(self.left[rows], np.diff(block.indptr))
        below *= self.right[block.indices]
        if self.shrinkage:
            below += np.float32(self.shrinkage)
        block.data /= below


def nearest_rows(
    vectors: CSR,
    *,
    denominator: Denominator,
    keep: int,
    rows: Ids | None = None,
    across: CSR | None = None,
    tick: Tick = no_tick,
) -> CSR:
    """The `keep` most similar other rows of every row of `vectors`, or of the `rows` asked for.

    vectors: (n_rows, n_features); across is its transpose, made when it is not given.
    Returns (len(rows), n_rows), positive scores only, sorted by id; of equal ones the smaller id
    stays. A row depends on nothing but `vectors`, so blocks of rows may be made anywhere."""
    across = vectors.T.tocsr() if across is None else across
    wanted = np.arange(vectors.shape[0]) if rows is None else rows
    work = product_work(vectors if rows is None else vectors[wanted], across)
    blocks = []
    if _gives_counts(vectors, across, denominator):
        scaled = _divided(across, denominator.right)
        for part in row_blocks(work, budget=COUNTED_WORK):
            best, unsure = _counted(vectors, scaled, wanted[part], below=denominator, keep=keep)
            if len(unsure):
                rows = wanted[part][unsure]
                again = _summed(vectors, across, rows, below=denominator, keep=keep)
                best = replace_rows(best, unsure, again)
            blocks.append(best)
            tick(part.stop / len(wanted))
    else:
        for part in row_blocks(np.minimum(work, vectors.shape[0]), budget=BLOCK_ENTRIES):
            blocks.append(_summed(vectors, across, wanted[part], below=denominator, keep=keep))
            tick(part.stop / len(wanted))
    return _stack(blocks, shape=(len(wanted), vectors.shape[0]))


def _gives_counts(vectors: CSR, across: CSR, denominator: Denominator) -> bool:
    """Whether similarities are scaled counts, so that the counts can be had back from them."""
    plain = type(denominator) is Denominator and not denominator.shrinkage
    return plain and bool((vectors.data == 1).all() and (across.data == 1).all())


def _divided(across: CSR, right: Vector) -> sparse.csr_matrix:
    data = (1.0 / right.astype(np.float64))[across.indices]
    return sparse.csr_matrix((data, across.indices, across.indptr), shape=across.shape)


def _counted(
    vectors: CSR, scaled: sparse.csr_matrix, rows: Ids, *, below: Denominator, keep: int
) -> tuple[CSR, Ids]:
    """Rows by a product that never holds more than the best of each.

    It sums in float64, so that the counts come back exactly, and with them the similarities that
    `_summed` gives. It leaves open which of equal entries stay: the rows whose last place is as
    good as what was cut off are named, to be made again from all their entries."""
    left = sparse.csr_matrix(vectors[rows], dtype=np.float64)
    # One place for the row itself and one to see what was cut off. The threshold costs nothing and
    # makes the library take its faster path.
    block = sp_matmul_topn(left, scaled, top_n=keep + 2, threshold=0.0)
    cut_off = np.diff(block.indptr) == keep + 2
    counts = np.rint(block.data * below.right.astype(np.float64)[block.indices])
    block = make_csr(counts, block.indices, block.indptr, shape=block.shape)
    below.divide(block, rows=rows)
    least = _least(block)
    drop_itself(block, rows)
    best = keep_strongest(block, keep=keep)
    return best, np.flatnonzero(cut_off & (_least(best) <= least * NEARLY_EQUAL))


def _summed(vectors: CSR, across: CSR, rows: Ids, *, below: Denominator, keep: int) -> CSR:
    """Rows by a product that holds every entry."""
    block = vectors[rows] @ across
    below.divide(block, rows=rows)
    drop_itself(block, rows)
    return keep_strongest(block, keep=keep)


def replace_rows(table: CSR, places: Ids, rows: CSR) -> CSR:
    """The table with other rows at these places. places: sorted, each once."""
    keeps = np.ones(table.shape[0], dtype=np.float32)
    keeps[places] = 0
    order = np.zeros(table.shape[0], dtype=np.int64)
    order[keeps == 1] = np.flatnonzero(keeps)
    order[places] = table.shape[0] + np.arange(len(places))
    return sparse.vstack([table, rows], format="csr", dtype=np.float32)[order]


def drop_itself(block: CSR, rows: Ids) -> None:
    """Set the entry of every row for itself to 0. rows: (n_rows,) which rows of the whole."""
    block.data[block.indices == np.repeat(rows, np.diff(block.indptr))] = 0.0


def _least(block: CSR) -> Vector:
    """The smallest entry of every row; infinity for a row without any."""
    least = np.full(block.shape[0], np.inf, dtype=np.float32)
    filled = np.diff(block.indptr) > 0
    if filled.any():
        least[filled] = np.minimum.reduceat(block.data, block.indptr[:-1][filled])
    return least


def keep_strongest(table: CSR, *, keep: int) -> CSR:
    """The `keep` largest positive entries of every row; of equal ones the smaller id stays."""
    chosen = table.data > 0
    lengths = np.add.reduceat(np.append(chosen, False), table.indptr[:-1], dtype=np.int64)
    lengths[np.diff(table.indptr) == 0] = 0
    long = np.flatnonzero(lengths > keep)
    if len(long) and lengths[long].sum() <= SORTED_TOGETHER * len(long) * (keep + 1):
        _keep_by_sorting(table, chosen, keep=keep)
    else:
        for row in long.tolist():
            entries = slice(table.indptr[row], table.indptr[row + 1])
            chosen[entries] = _strongest(table.data[entries], table.indices[entries], keep=keep)
    ends = np.append(0, np.cumsum(np.minimum(lengths, keep)))
    cut = make_csr(table.data[chosen], table.indices[chosen], ends, shape=table.shape)
    cut.sort_indices()
    return cut


def _keep_by_sorting(table: CSR, chosen: npt.NDArray[np.bool_], *, keep: int) -> None:
    """The same for all rows at once: faster while rows are hardly longer than what is kept."""
    rows = row_of_entries(table)
    order = np.lexsort((table.indices, -table.data, rows))
    place = np.empty(table.nnz, dtype=np.int64)
    place[order] = np.arange(table.nnz) - table.indptr[rows]
    chosen &= place < keep


def without(left: CSR, right: CSR, *, banned: CSR) -> tuple[CSR, CSR]:
    """Two matrices with the same product, but far below zero wherever `banned` has a one.

    Appending columns and rows costs the length of `banned`; subtracting after the product would
    cost a pass over everything."""
    floor = _diagonal(banned.shape[1]) * BANNED
    return (
        sparse.hstack([left, banned], format="csr", dtype=np.float32),
        sparse.vstack([right, floor], format="csr", dtype=np.float32),
    )


def with_itself_banned(table: CSR) -> CSR:
    """The square table, whose rows now speak against the item they belong to."""
    return (table + _diagonal(table.shape[0]) * BANNED).tocsr()


def best_per_row(scores: CSR, *, n: int) -> tuple[Ids, Matrix]:
    """The n best positive entries of every row, best first, equal ones by id.

    Returns ids (int32, as `implicit` gives them) and scores, both (n_rows, n); an empty place is -1
    with the lowest float32."""
    cut = keep_strongest(scores, keep=n)
    rows = row_of_entries(cut)
    order = np.lexsort((cut.indices, -cut.data, rows))
    places = np.arange(cut.nnz) - cut.indptr[rows]
    ids = np.full((scores.shape[0], n), EMPTY_PLACE, dtype=np.int32)
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
