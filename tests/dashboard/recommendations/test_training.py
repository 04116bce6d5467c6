"""A run publishes all or nothing, says what it was made of, and runs in a worker."""

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import func, select

from dashboard import surfaces
from dashboard.core.database import db
from dashboard.job_queue.models import Job, JobState
from dashboard.job_queue.runner import build_worker
from dashboard.recommendations import queries, services
from dashboard.recommendations.models import RecommendedItem, RunState, TrainingRun
from dashboard.recommendations.queries import Events
from dashboard.recommendations.services import artefacts
from dashboard.recommendations.services.training import TooFewInteractions, hash_of
from jobs.tasks import Cancelled
from tests.dashboard.recommendations.conftest import World, silent

Train = Callable[[], TrainingRun]


class TestTrain:
    def test_publishes_file_rows_and_metrics(self, world: World, train: Train) -> None:
        run = train()

        assert (run.state, run.is_current) == (RunState.DONE, True)
        assert (artefacts.folder() / run.artefact).is_file()
        assert {row["model"] for row in run.metrics} >= {"popularity", "blend with trend"}
        assert db.session.scalar(select(func.count()).select_from(RecommendedItem))

    def test_stores_only_items_that_everybody_may_see(self, world: World, train: Train) -> None:
        train()

        stored = set(db.session.scalars(select(RecommendedItem.item_id)))
        assert world.items["Secret"].id not in stored

    def test_the_next_run_takes_over(self, world: World, train: Train) -> None:
        first, second = train(), train()

        assert queries.find_current_run() == second
        assert db.session.get(TrainingRun, first.id).is_current is None  # type: ignore[union-attr]
        assert set(db.session.scalars(select(RecommendedItem.run_id))) == {second.id}

    def test_refuses_too_little_and_keeps_the_old_run(
        self, app: Flask, world: World, train: Train
    ) -> None:
        old = train()
        db.session.execute(db.text("DELETE FROM event"))
        db.session.commit()

        with pytest.raises(TooFewInteractions, match="There are 0 interactions"):
            train()

        refused = queries.list_runs(page=1, per_page=1).items[0]
        assert refused.state == RunState.REFUSED
        assert "at least 20" in refused.message
        assert queries.find_current_run() == old

    @pytest.mark.parametrize("fraction", [0.0, 0.5, 0.8])
    def test_cancelled_half_way_keeps_the_old_run(
        self, world: World, train: Train, fraction: float
    ) -> None:
        old = train()

        def cancel(done: float, _text: str) -> None:
            if done >= fraction:
                raise Cancelled

        with pytest.raises(Cancelled):
            services.train(progress=cancel)

        assert queries.find_current_run() == old
        assert queries.list_runs(page=1, per_page=1).items[0].state == RunState.FAILED

    def test_ends_what_a_killed_attempt_left(self, world: World) -> None:
        job = services.request_training(actor_id=world.crowd[0].id)
        db.session.add(TrainingRun(job_id=job.id))
        db.session.commit()

        services.train(job_id=job.id, progress=silent)

        assert [run.state for run in queries.list_runs(page=1, per_page=9).items] == [
            RunState.DONE,
            RunState.FAILED,
        ]

    def test_keeps_the_last_files_only(self, world: World, train: Train) -> None:
        runs = [train() for _ in range(12)]

        kept = {path.name for path in artefacts.folder().glob("*.npz")}
        pairs = {f"{run.id}.pairs.npz" for run in runs[-10:]}
        assert kept == {run.artefact for run in runs[-10:]} | pairs

    def test_works_on_every_database(
        self, each_database: str, request: pytest.FixtureRequest
    ) -> None:
        world: World = request.getfixturevalue("world")

        run = services.train(progress=silent)

        assert queries.find_current_run() == run
        assert services.recommendations_for(world.crowd[0].id, n=3)


class TestHashOf:
    def test_does_not_depend_on_the_order_of_rows(self) -> None:
        events = Events(*(np.array([3, 1, 2]) for _ in range(5)))
        other = Events(*(np.array([1, 2, 3]) for _ in range(5)))

        assert hash_of(events) == hash_of(other)

    def test_changes_with_the_data(self) -> None:
        events = Events(*(np.array([3, 1, 2]) for _ in range(5)))
        other = Events(*(np.array([1, 2, 4]) for _ in range(5)))

        assert hash_of(events) != hash_of(other)


class TestTask:
    def test_runs_in_a_child_of_the_worker(
        self, app: Flask, world: World, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
    ) -> None:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        job_id = services.request_training(actor_id=world.crowd[0].id).id
        worker = build_worker(
            app, surfaces.TASKS, kinds=["recommendations.train", "recommendations.refresh"]
        )
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            job = _wait_for(job_id)
        finally:
            worker.shutdown()
            thread.join(timeout=30)

        assert (job.state, job.error) == (JobState.DONE, "")
        run = queries.find_current_run()
        assert run is not None
        assert job.result == {"run_id": run.id}
        assert run.job_id == job_id
        assert run.requested_by == world.crowd[0].id


def _wait_for(job_id: int) -> Job:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        db.session.rollback()
        job = db.session.get_one(Job, job_id, populate_existing=True)
        if job.state not in (JobState.QUEUED, JobState.RUNNING):
            return job
        time.sleep(0.2)
    raise AssertionError(f"job {job_id} did not end")
