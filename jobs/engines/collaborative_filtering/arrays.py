"""Array aliases and the few things that every model does to a CSR matrix."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

Vector = npt.NDArray[np.float32]
"""One number per item, user or stored entry."""
Matrix = npt.NDArray[np.float32]
Ids = npt.NDArray[np.integer[Any]]
"""Dense positions 0..n-1, or -1 for an empty place in a list."""
Times = npt.NDArray[np.float64]
"""Seconds since 1970, UTC."""
CSR: TypeAlias = sparse.csr_matrix
"""scipy's matrix and not its array: `user_items[user]` stays two-dimensional, as callers expect."""
DAY_S = 86_400.0
Tick = Callable[[float], None]
"""Called with the fraction done, 0 to 1; it may raise to cancel the work."""


def no_tick(_fraction: float) -> None:
    """The caller does not want to hear about progress."""


def make_csr(data: npt.ArrayLike, indices: Ids, indptr: Ids, *, shape: tuple[int, int]) -> CSR:
    """A float32 CSR matrix that keeps the order in which the entries of a row are stored."""
    return sparse.csr_matrix((np.asarray(data, dtype=np.float32), indices, indptr), shape=shape)


def as_csr(matrix: sparse.spmatrix | sparse.sparray) -> CSR:
    """The same entries as float32 CSR, in the stored order when it was CSR before.

    A row taken out of a sparse array has one dimension; it becomes a matrix of one row."""
    rows = matrix.reshape(1, -1) if matrix.ndim == 1 else matrix
    return sparse.csr_matrix(rows, dtype=np.float32)


def pattern(matrix: CSR) -> CSR:
    """A one for every stored entry."""
    ones = np.ones(matrix.nnz, dtype=np.float32)
    return make_csr(ones, matrix.indices, matrix.indptr, shape=matrix.shape)


def row_of_entries(matrix: CSR) -> Ids:
    """The row of every stored entry, in stored order."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def column_counts(matrix: CSR) -> Ids:
    """How many entries every column has."""
    return np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.int64)


def row_blocks(work: npt.NDArray[np.float64], *, budget: float) -> Iterator[slice]:
    """Slices of rows in order, each of about `budget` work; a heavier row is alone in its block."""
    done, start = 0.0, 0
    for row, cost in enumerate(work.tolist()):
        if done and done + cost > budget:
            yield slice(start, row)
            done, start = 0.0, row
        done += cost
    if start < len(work):
        yield slice(start, len(work))
