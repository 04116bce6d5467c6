"""The same neighbours made block by block by several processes.

A block needs nothing but the matrix, which every process reads once from a file. Any executor of
the kind of concurrent.futures will do: a process pool, or the executor of a dask client
(`client.get_executor()`) whose workers see the same folder."""

import tempfile
from concurrent.futures import Executor
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy import sparse

from jobs.engines.collaborative_filtering.arrays import CSR, pattern
from jobs.engines.collaborative_filtering.kernel import Denominator, nearest_rows, product_work


def nearest_rows_by(
    executor: Executor,
    vectors: CSR,
    *,
    denominator: Denominator,
    keep: int,
    n_blocks: int,
    folder: Path | None = None,
) -> CSR:
    """What nearest_rows gives, made in n_blocks blocks of about the same work.

    folder: where the matrix is laid down meanwhile; must be the same place for every process."""
    with tempfile.TemporaryDirectory(dir=folder) as shared:
        path = Path(shared) / "vectors.npz"
        sparse.save_npz(path, vectors, compressed=False)
        block = partial(_block, path, denominator, keep)
        parts = list(executor.map(block, _equal_parts(vectors, n_blocks)))
    empty = sparse.csr_matrix((0, vectors.shape[0]), dtype=np.float32)
    return sparse.vstack([empty, *parts], format="csr", dtype=np.float32)


def cosine_by(
    executor: Executor, user_items: CSR, *, keep: int, n_blocks: int, folder: Path | None = None
) -> CSR:
    """The binary item cosine of ItemItem with its defaults, made by an executor: the same answer."""
    vectors = pattern(user_items.T.tocsr())
    root = np.sqrt(np.maximum(np.diff(vectors.indptr), 1)).astype(np.float32)
    below = Denominator(left=root, right=root)
    return nearest_rows_by(
        executor, vectors, denominator=below, keep=keep, n_blocks=n_blocks, folder=folder
    )


def _block(path: Path, denominator: Denominator, keep: int, part: tuple[int, int]) -> CSR:
    vectors, across = _matrices(path)
    rows = np.arange(*part)
    return nearest_rows(vectors, denominator=denominator, keep=keep, rows=rows, across=across)


@lru_cache(maxsize=1)
def _matrices(path: Path) -> tuple[CSR, CSR]:
    vectors = sparse.csr_matrix(sparse.load_npz(path))
    return vectors, vectors.T.tocsr()


def _equal_parts(vectors: CSR, n_blocks: int) -> list[tuple[int, int]]:
    done = np.cumsum(product_work(vectors, vectors.T.tocsr()))
    if not len(done):
        return []
    targets = np.linspace(0, done[-1], n_blocks + 1)[1:-1]
    cuts = np.unique([0, *np.searchsorted(done, targets).tolist(), len(done)]).tolist()
    return list(pairwise(cuts))
