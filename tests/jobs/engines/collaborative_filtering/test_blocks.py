from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from jobs.engines.collaborative_filtering.arrays import pattern
from jobs.engines.collaborative_filtering.blocks import nearest_rows_by
from jobs.engines.collaborative_filtering.kernel import Denominator, nearest_rows
from tests.jobs.engines.collaborative_filtering.matrices import random_interactions


def executor(kind: str) -> Executor:
    if kind == "processes":
        return ProcessPoolExecutor(2, mp_context=get_context("spawn"))
    return ThreadPoolExecutor(2)


class TestNearestRowsBy:
    @pytest.mark.parametrize("kind", ["processes", "threads"])
    @pytest.mark.parametrize("shrinkage", [0.0, 2.0])
    def test_gives_what_one_process_gives(self, kind: str, shrinkage: float) -> None:
        data = random_interactions(n_users=200, n_items=60, n_events=3_000)
        vectors = pattern(data.user_items).T.tocsr()
        root = np.sqrt(data.item_counts).astype(np.float32)
        below = Denominator(left=root, right=root, shrinkage=shrinkage)

        with executor(kind) as workers:
            found = nearest_rows_by(workers, vectors, denominator=below, keep=7, n_blocks=5)

        alone = nearest_rows(vectors, denominator=below, keep=7)
        assert (found != alone).nnz == 0
        np.testing.assert_array_equal(found.indices, alone.indices)
