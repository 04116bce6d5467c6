"""A drained worker takes no jobs until it is resumed, and the page says so."""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.app import create_app
from dashboard.audit.models import AuditEntry
from dashboard.core.config import load_config
from dashboard.core.database import db, session
from dashboard.core.errors import NotFound
from dashboard.job_queue import queries, services
from dashboard.job_queue.messages import CleanUp
from dashboard.job_queue.models import JobState, WorkerState
from dashboard.job_queue.queries import Viewer
from dashboard.job_queue.store import SqlJobStore
from jobs import upkeep
from tests.dashboard.job_queue.conftest import ended, is_alive, state_of, wait_for
from tests.dashboard.job_queue.probe import ROOT, Append
from tests.dashboard.job_queue.test_features import replace_status
from tests.dashboard.job_queue.test_pages import post
from tests.factories.processes import clean_environment, serving

ADMIN = Viewer(user_id=None, sees_all=True)
MESSAGE = Append(path=os.devnull)
Put = Callable[..., int]


def states() -> list[WorkerState]:
    session.rollback()
    return [worker.state for worker in queries.list_live_workers()]


class TestDrain:
    def test_lets_jobs_end_and_takes_none_until_resumed(
        self,
        app: Flask,
        put: Put,
        as_admin: FlaskClient,
        working: Callable,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(upkeep, "REPORT_EVERY_S", 0.5)
        running = put(Append(path=os.devnull, wait_s=4.0))
        with working() as worker:
            wait_for(lambda: state_of(running) is JobState.RUNNING and queries.runner_alive())
            name = worker.status().name
            post(as_admin, "/jobs/workers/drain", name=name)
            wait_for(lambda: worker.status().draining, seconds=7)
            waiting = put(MESSAGE)
            assert "draining" in as_admin.get("/jobs/workers/list").text

            assert ended(running).state is JobState.DONE
            wait_for(lambda: states() == [WorkerState.DRAINED], seconds=7)
            page = as_admin.get("/jobs/workers").text
            assert "takes no jobs until it is resumed" in page
            assert "Resume" in page
            assert "drained" in as_admin.get("/admin/").text
            assert (
                f'atrium_job_worker_drained{{worker="{name}"}} 1.0' in as_admin.get("/metrics").text
            )
            assert state_of(waiting) is JobState.QUEUED

            post(as_admin, "/jobs/workers/resume", name=name)
            assert states() == [WorkerState.ALIVE]
            assert ended(waiting, seconds=7).state is JobState.DONE
            wait_for(lambda: not worker.status().draining)

        told = session.scalars(queries.select(AuditEntry.action)).all()
        assert [each for each in told if each.startswith("worker.")] == [
            "worker.drain",
            "worker.resume",
        ]

    def test_takes_nothing_that_rings_while_it_is_told(
        self, app: Flask, put: Put, working: Callable
    ) -> None:
        with working() as worker:
            wait_for(queries.runner_alive)
            done = put(MESSAGE)
            assert ended(done).state is JobState.DONE
            # The worker waits for the next bell here, and hears of the drain and of a job in one moment.
            jobs = []
            for _turn in range(5):
                assert worker.pause(True)
                jobs.append(put(MESSAGE))
                time.sleep(0.3)
                assert state_of(jobs[-1]) is JobState.QUEUED
                worker.pause(False)
                assert ended(jobs[-1], seconds=7).state is JobState.DONE

    def test_of_a_worker_that_stops_is_no_drain(self, app: Flask, store: SqlJobStore) -> None:
        store.report_worker(replace_status())
        store.report_worker(replace_status(draining=True))

        assert states() == [WorkerState.STOPPING]

    def test_of_an_unknown_worker_is_not_found(self, app: Flask, as_admin: FlaskClient) -> None:
        with pytest.raises(NotFound):
            services.drain_worker("nobody", viewer=ADMIN)
        assert post(as_admin, "/jobs/workers/resume", name="nobody") == 404


class TestUp:
    @pytest.mark.slow
    def test_keeps_its_worker_drained_until_it_is_resumed(self, tmp_path: Path) -> None:
        environment = clean_environment(tmp_path / "data") | {
            "ATRIUM_SITE__ENVIRONMENT": "production",
            "ATRIUM_SERVER__SECRET_KEY": "s" * 40,
        }
        with serving(environment, "up") as portal:
            portal.wait_until_healthy()
            app = create_app(load_config(ROOT / "config.toml", environment))
            with app.app_context(), contextlib.ExitStack() as stack:
                stack.callback(db.engine.dispose)
                stack.callback(db.session.remove)
                (worker,) = queries.list_live_workers()
                name, pid = worker.name, worker.pid
                services.drain_worker(name, viewer=ADMIN)
                wait_for(lambda: states() == [WorkerState.DRAINED], seconds=15)
                job_id = services.enqueue(CleanUp(), owner_id=None).id
                time.sleep(6.0)  # longer than a restart takes
                session.rollback()

                assert [row.name for row in queries.list_workers()] == [name]
                assert states() == [WorkerState.DRAINED]
                assert is_alive(pid)
                assert state_of(job_id) is JobState.QUEUED

                services.resume_worker(name, viewer=ADMIN)
                assert ended(job_id, seconds=15).state is JobState.DONE
