"""Tasks and rows that misbehave: the job says why, and the queue flows on."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from dashboard.core.database import session, transaction
from dashboard.job_queue import queries, services
from dashboard.job_queue.models import Job, JobState
from dashboard.job_queue.queries import Viewer
from tests.dashboard.job_queue.conftest import ended, fresh, is_alive, wait_for
from tests.dashboard.job_queue.probe import Append, InChild, Stubborn, start_worker

Put = Callable[..., int]


def set_timeout(job_id: int, seconds: float) -> None:
    with transaction():
        session.get_one(Job, job_id).timeout_s = seconds


def escaped(path: Path) -> list[int]:
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


class TestEndless:
    @pytest.mark.parametrize(
        "message", [Stubborn(seconds=60), InChild("hang")], ids=["in a thread", "in a child"]
    )
    def test_task_times_out_and_its_place_is_free(
        self, app: Flask, put: Put, working: Callable, for_children: None, message: object
    ) -> None:
        job_id, after = put(message), put(Append(path=os.devnull))
        set_timeout(job_id, 0.5)

        with working(slots=1):
            assert ended(after).state is JobState.DONE
            job = ended(job_id)

        assert (job.state, job.error) == (JobState.FAILED, "timed out after 0.5 s")


class TestFlood:
    def test_of_progress_log_and_output_is_cut(
        self,
        app: Flask,
        put: Put,
        working: Callable,
        for_children: None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("jobs.runs.MAX_LOG_BYTES", 100_000)
        job_id = put(InChild("flood"))

        with working(slots=1):
            job = ended(job_id, seconds=60)

        assert (job.state, job.error) == (JobState.DONE, "")
        log = queries.runs_dir() / str(job_id) / "1" / "log.txt"
        assert log.stat().st_size <= 100_100
        assert log.read_text().endswith("... the log is cut here\n")
        assert len(job.progress_message) <= 200


class TestFork:
    def test_leaves_no_process_behind(
        self, app: Flask, put: Put, working: Callable, for_children: None, tmp_path: Path
    ) -> None:
        path = tmp_path / "pids"
        job_id = put(InChild("fork", path=str(path)))

        with working(slots=1):
            assert ended(job_id).state is JobState.DONE

        pids = [int(pid) for pid in path.read_text().split()]
        wait_for(lambda: not any(map(is_alive, pids)), seconds=5)

    @pytest.mark.usefixtures("app", "for_children")
    @pytest.mark.parametrize(
        ("then", "state"), [("end", JobState.DONE), ("raise", JobState.FAILED)]
    )
    def test_leaves_none_that_went_to_a_session_of_its_own(
        self, put: Put, working: Callable, tmp_path: Path, then: str, state: JobState
    ) -> None:
        path = tmp_path / "pids"
        job_id = put(InChild("escape", path=f"{path}|{then}"))

        with working(slots=1):
            assert ended(job_id).state is state

        assert not any(map(is_alive, escaped(path)))

    def test_leaves_none_of_those_when_cancelled(
        self, app: Flask, put: Put, working: Callable, for_children: None, tmp_path: Path
    ) -> None:
        path = tmp_path / "pids"
        job_id = put(InChild("escape", path=f"{path}|hang"))

        with working(slots=1):
            wait_for(lambda: len(escaped(path)) == 2)
            services.cancel_job(job_id, viewer=Viewer(user_id=None, sees_all=True))
            assert ended(job_id, seconds=5).state is JobState.CANCELLED

        assert not any(map(is_alive, escaped(path)))

    def test_leaves_none_of_those_when_the_worker_is_killed(
        self, app: Flask, environ: dict[str, str], put: Put, tmp_path: Path
    ) -> None:
        path = tmp_path / "pids"
        put(InChild("escape", path=f"{path}|hang"))
        worker = start_worker(environ)
        try:
            wait_for(lambda: len(escaped(path)) == 2)
        finally:
            worker.kill()
            worker.wait()

        wait_for(lambda: not any(map(is_alive, escaped(path))), seconds=2)


class TestUnreadableRow:
    def test_fails_alone(self, each_database: str, app: Flask, put: Put, working: Callable) -> None:
        bad, good = put(Append(path=os.devnull)), put(Append(path=os.devnull))
        # The others let no row hold what is no JSON.
        broken = "{no json" if each_database == "sqlite" else "[1]"
        with transaction():
            change = text("UPDATE job SET args = :args WHERE id = :id")
            session.execute(change, {"args": broken, "id": bad})

        with working(slots=2):
            assert ended(good).state is JobState.DONE
            wait_for(lambda: _state(bad) == "failed")

        error = session.scalar(text("SELECT error FROM job WHERE id = :id"), {"id": bad})
        assert error == "probe.append: its arguments cannot be read"


class TestTurns:
    def test_are_kept_while_jobs_run(
        self, app: Flask, put: Put, working: Callable, make_user: Callable, tmp_path: Path
    ) -> None:
        path = tmp_path / "order"
        many, few = make_user().id, make_user().id
        jobs = [put(Append(path=str(path), line="many"), owner_id=many) for _ in range(20)]
        jobs += [put(Append(path=str(path), line="few"), owner_id=few) for _ in range(3)]

        with working(slots=1):
            wait_for(lambda: all(not fresh(job_id).active for job_id in jobs))

        order = path.read_text().split()
        assert [place for place, line in enumerate(order) if line == "few"][-1] <= 7


def _state(job_id: int) -> str:
    session.rollback()
    query = text("SELECT state FROM job WHERE id = :id")
    return str(session.scalar(query, {"id": job_id}))
