import contextlib
import importlib.util
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from jobs.engines import collaborative_filtering as cf
from jobs.engines.collaborative_filtering.arrays import pattern
from jobs.engines.collaborative_filtering.blocks import cosine_by, nearest_rows_by
from jobs.engines.collaborative_filtering.executors import NoEngine, engine_of
from jobs.engines.collaborative_filtering.kernel import Denominator, nearest_rows
from tests.factories.shared_data import shared_data
from tests.jobs.engines.collaborative_filtering.matrices import random_interactions


def executor(kind: str) -> Executor:
    if kind == "processes":
        return ProcessPoolExecutor(2, mp_context=get_context("spawn"))
    return ThreadPoolExecutor(2)


class TestEngineOf:
    @pytest.mark.parametrize(
        "engine",
        [
            "pool:2",
            pytest.param("dask:", marks=pytest.mark.slow),
            pytest.param("spark:local[2]", marks=pytest.mark.slow),
        ],
    )
    def test_gives_the_same_neighbours_on_real_clicks(self, engine: str) -> None:
        folder = shared_data("ratings") / "mars"
        events = cf.read_ratings(folder / "views.csv")
        data = cf.build_interactions(events.user_ids, events.item_ids, times_s=events.times_s)
        alone = cf.ItemItem(cf.ItemItemConfig(neighbours=50))
        alone.fit(data.user_items)

        with contextlib.ExitStack() as stack:
            executor, n_blocks = stack.enter_context(engine_of(_address(engine, stack)))
            assert executor is not None
            found = cosine_by(executor, data.user_items, keep=50, n_blocks=n_blocks)

        np.testing.assert_array_equal(found.indices, alone.similarity.indices)
        np.testing.assert_array_equal(found.data, alone.similarity.data)

    @pytest.mark.parametrize("text", ["pool:0", "pool:many", "cluster", "dask:", ""])
    def test_refuses_what_it_does_not_know(self, text: str) -> None:
        with pytest.raises(NoEngine, match="there are local, pool:N"), engine_of(text):
            pass

    def test_says_what_to_install(self) -> None:
        if importlib.util.find_spec("pyspark"):
            pytest.skip("Spark is installed")

        with pytest.raises(NoEngine, match="the extra 'spark'"), engine_of("spark:local[1]"):
            pass


def _address(engine: str, stack: contextlib.ExitStack) -> str:
    """The address of a cluster of our own, or a skip where the extra is not installed."""
    if engine.startswith("spark"):
        pytest.importorskip("pyspark", reason="the extra spark is not installed")
    if engine.startswith("dask"):
        distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
        cluster = stack.enter_context(
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        )
        return f"dask:{cluster.scheduler_address}"
    return engine


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
