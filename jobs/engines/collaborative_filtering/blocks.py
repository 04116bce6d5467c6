"""Neighbours made block by block: in this process, by a pool of processes or by a cluster.

A block needs nothing but the matrices, which every process reads once from files. Any executor of
the kind of concurrent.futures will do: a process pool, or the executor of a dask client."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy import sparse

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, Tick, no_tick, pattern
from jobs.engines.collaborative_filtering.kernel import Denominator, nearest_rows, product_work

# Multiplications below which handing the work out takes longer than doing it.
LEAST_WORK = 500_000_000


@dataclass(frozen=True)
class Place:
    """Where blocks are made, when it is not this process."""

    executor: Executor
    n_blocks: int
    folder: Path | None = None
    """Where matrices are laid down meanwhile; must be the same place for every process."""


_PLACE: ContextVar[Place | None] = ContextVar("place of blocks", default=None)


@contextmanager
def made_at(place: Place | None) -> Iterator[None]:
    """Tables that are worth it are made at this place meanwhile; None: in this process."""
    token = _PLACE.set(place)
    try:
        yield
    finally:
        _PLACE.reset(token)


def neighbours_of(
    vectors: CSR,
    *,
    denominator: Denominator,
    keep: int,
    rows: Ids | None = None,
    across: CSR | None = None,
    tick: Tick = no_tick,
) -> CSR:
    """What `nearest_rows` gives, made at the place of `made_at`. A few `rows` are made here."""
    place = _PLACE.get()
    across = vectors.T.tocsr() if across is None else across
    if place is None or rows is not None or product_work(vectors, across).sum() < LEAST_WORK:
        return nearest_rows(
            vectors, denominator=denominator, keep=keep, rows=rows, across=across, tick=tick
        )
    return nearest_rows_by(
        place, vectors, denominator=denominator, keep=keep, across=across, tick=tick
    )


def nearest_rows_by(
    place: Place,
    vectors: CSR,
    *,
    denominator: Denominator,
    keep: int,
    across: CSR | None = None,
    tick: Tick = no_tick,
) -> CSR:
    """What `nearest_rows` gives, made in blocks of about the same work."""
    across = vectors.T.tocsr() if across is None else across
    cuts = _equal_parts(vectors, across, place.n_blocks)
    parts = []
    with tempfile.TemporaryDirectory(dir=place.folder) as shared:
        for name, matrix in (("vectors", vectors), ("across", across)):
            sparse.save_npz(Path(shared) / f"{name}.npz", matrix, compressed=False)
        block = partial(_block, Path(shared), denominator, keep)
        for part in place.executor.map(block, cuts):
            parts.append(part)
            tick(len(parts) / len(cuts))
    empty = sparse.csr_matrix((0, vectors.shape[0]), dtype=np.float32)
    return sparse.vstack([empty, *parts], format="csr", dtype=np.float32)


def cosine_by(place: Place, user_items: CSR, *, keep: int) -> CSR:
    """The binary item cosine of ItemItem with its defaults, made at a place: the same answer."""
    vectors = pattern(user_items.T.tocsr())
    root = np.sqrt(np.maximum(np.diff(vectors.indptr), 1)).astype(np.float32)
    below = Denominator(left=root, right=root)
    return nearest_rows_by(place, vectors, denominator=below, keep=keep)


def _block(folder: Path, denominator: Denominator, keep: int, part: tuple[int, int]) -> CSR:
    vectors, across = _matrices(folder)
    rows = np.arange(*part)
    return nearest_rows(vectors, denominator=denominator, keep=keep, rows=rows, across=across)


@lru_cache(maxsize=1)
def _matrices(folder: Path) -> tuple[CSR, CSR]:
    vectors, across = (
        sparse.csr_matrix(sparse.load_npz(folder / f"{name}.npz")) for name in ("vectors", "across")
    )
    return vectors, across


def _equal_parts(vectors: CSR, across: CSR, n_blocks: int) -> list[tuple[int, int]]:
    done = np.cumsum(product_work(vectors, across))
    if not len(done):
        return []
    targets = np.linspace(0, done[-1], n_blocks + 1)[1:-1]
    cuts = np.unique([0, *np.searchsorted(done, targets).tolist(), len(done)]).tolist()
    return list(pairwise(cuts))
