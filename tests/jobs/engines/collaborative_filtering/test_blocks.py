from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from distributed import LocalCluster

from jobs.engines import collaborative_filtering as cf
from jobs.engines.collaborative_filtering import blocks, executors
from jobs.engines.collaborative_filtering.arrays import pattern
from jobs.engines.collaborative_filtering.blocks import Place, cosine_by, nearest_rows_by
from jobs.engines.collaborative_filtering.executors import NoEngine, engine_of
from jobs.engines.collaborative_filtering.kernel import Denominator, nearest_rows
from tests.factories.shared_data import shared_data
from tests.jobs.engines.collaborative_filtering.matrices import random_interactions


def executor(kind: str) -> Executor:
    if kind == "processes":
        return ProcessPoolExecutor(2, mp_context=get_context("spawn"))
    return ThreadPoolExecutor(2)


@pytest.fixture(scope="module")
def mars() -> cf.Interactions:
    events = cf.read_ratings(shared_data("ratings") / "mars" / "views.csv")
    return cf.build_interactions(events.user_ids, events.item_ids, times_s=events.times_s)


@pytest.fixture(scope="module", params=["pool", "dask"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """A pool of two processes, then a dask cluster of two worker processes."""
    if request.param == "pool":
        yield "pool:2"
        return
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield f"dask:{cluster.scheduler_address}"


class TestEngineOf:
    def test_gives_the_same_neighbours_on_real_clicks(
        self, mars: cf.Interactions, engine: str
    ) -> None:
        alone = cf.ItemItem(cf.ItemItemConfig(neighbours=50))
        alone.fit(mars.user_items)

        with engine_of(engine) as place:
            assert place is not None
            found = cosine_by(place, mars.user_items, keep=50)

        np.testing.assert_array_equal(found.indices, alone.similarity.indices)
        np.testing.assert_array_equal(found.data, alone.similarity.data)

    def test_trains_the_same_run_on_real_clicks(
        self, mars: cf.Interactions, engine: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alone = cf.train(mars, cf.TrainingConfig(evaluate=False))
        asked: list[int] = []
        make = blocks.nearest_rows_by
        monkeypatch.setattr(
            blocks, "nearest_rows_by", lambda *a, **k: asked.append(1) or make(*a, **k)
        )
        monkeypatch.setattr(blocks, "LEAST_WORK", 0)

        found = cf.train(mars, cf.TrainingConfig(evaluate=False, engine=engine))

        assert len(asked) == 2  # items and people
        np.testing.assert_array_equal(found.neighbours.indices, alone.neighbours.indices)
        np.testing.assert_array_equal(found.neighbours.data, alone.neighbours.data)
        np.testing.assert_array_equal(found.user_neighbours.data, alone.user_neighbours.data)

    @pytest.mark.parametrize("text", ["pool:0", "pool:many", "cluster", "dask:", ""])
    def test_refuses_what_it_does_not_know(self, text: str) -> None:
        with pytest.raises(NoEngine, match="there are local, pool:N"), engine_of(text):
            pass

    def test_says_when_nobody_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(executors, "CONNECT_S", 0.5)

        with (
            pytest.raises(NoEngine, match="no dask scheduler answers at tcp://"),
            engine_of("dask:tcp://127.0.0.1:9"),
        ):
            pass


class TestNearestRowsBy:
    @pytest.mark.parametrize("kind", ["processes", "threads"])
    @pytest.mark.parametrize("shrinkage", [0.0, 2.0])
    def test_gives_what_one_process_gives(self, kind: str, shrinkage: float) -> None:
        data = random_interactions(n_users=200, n_items=60, n_events=3_000)
        vectors = pattern(data.user_items).T.tocsr()
        root = np.sqrt(data.item_counts).astype(np.float32)
        below = Denominator(left=root, right=root, shrinkage=shrinkage)

        with executor(kind) as workers:
            found = nearest_rows_by(Place(workers, 5), vectors, denominator=below, keep=7)

        alone = nearest_rows(vectors, denominator=below, keep=7)
        assert (found != alone).nnz == 0
        np.testing.assert_array_equal(found.indices, alone.indices)
