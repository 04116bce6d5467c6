"""The whole way: enqueue, a worker, the end; on every database."""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict, Invalid
from dashboard.job_queue import queries, services
from dashboard.job_queue.models import EventKind, Job, JobState
from dashboard.job_queue.queries import Viewer
from dashboard.job_queue.runner import build_worker
from tests.dashboard.job_queue.conftest import ended, fresh, is_alive, state_of, wait_for
from tests.dashboard.job_queue.probe import (
    TASKS,
    Append,
    InChild,
    Odd,
    Raise,
    Stubborn,
    start_worker,
)

ADMIN = Viewer(user_id=None, sees_all=True)
Put = Callable[..., int]


class TestWorker:
    def test_runs_what_was_enqueued(
        self, each_database: str, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        with working():
            job = ended(put(Append(path=str(tmp_path / "out"), line="hello")))

        assert (job.state, job.result, job.progress) == (JobState.DONE, {"line": "hello"}, 1.0)
        assert (tmp_path / "out").read_text() == "hello\n"
        assert [event.kind for event in queries.list_events(job)] == [
            EventKind.QUEUED,
            EventKind.STARTED,
            EventKind.DONE,
        ]
        assert "appended hello" in queries.read_log(job).text

    def test_fails_a_job_that_raises_with_its_reason(
        self, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        with working():
            job = ended(put(Raise(path=str(tmp_path / "tries"), n_failures=99)))

        assert (job.state, job.error, job.failures, job.attempt) == (
            JobState.FAILED,
            "boom in detail",
            3,
            3,
        )
        assert "RuntimeError: boom" in job.traceback

    def test_tries_again_and_succeeds(
        self, each_database: str, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        with working():
            job = ended(put(Raise(path=str(tmp_path / "tries"), n_failures=1)))

        assert (job.state, job.attempt, job.failures, job.error) == (JobState.DONE, 2, 1, "")

    def test_does_not_try_a_broken_rule_again(
        self, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        with working():
            job = ended(put(Raise(path=str(tmp_path / "tries"), n_failures=9, invalid=True)))

        assert (job.state, job.attempt, job.error) == (JobState.FAILED, 1, "the input is bad")

    def test_fails_a_job_of_an_unknown_kind_and_goes_on(
        self, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        unknown = put(Append(path=os.devnull))
        with transaction():
            session.get_one(Job, unknown).kind = "probe.gone"

        with working():
            after = ended(put(Append(path=str(tmp_path / "out"))))

            assert ended(unknown).error == "unknown kind of job: probe.gone"
        assert after.state is JobState.DONE

    def test_fails_a_job_whose_result_cannot_be_kept(
        self, each_database: str, app: Flask, put: Put, working: Callable
    ) -> None:
        with working():
            job = ended(put(Odd()))

        assert (job.state, job.progress_message) == (JobState.FAILED, "nul  and half ?")
        assert "set is not JSON serializable" in job.error

    def test_runs_a_later_job_when_it_is_due(
        self, each_database: str, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        job_id = put(Append(path=str(tmp_path / "out")), run_at=utcnow() + timedelta(seconds=1))

        with working():
            job = ended(job_id)

        assert job.started_at is not None and job.run_at is not None
        assert job.started_at >= job.run_at

    def test_hands_back_what_runs_longer_than_the_grace(
        self, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        job_id = put(Append(path=str(tmp_path / "out"), wait_s=60))

        with working():
            wait_for(lambda: state_of(job_id) is JobState.RUNNING)

        job = fresh(job_id)
        assert (job.state, job.attempt, job.failures, job.deaths) == (JobState.QUEUED, 1, 0, 0)
        assert queries.list_events(fresh(job_id))[-1].kind is EventKind.RELEASED

    def test_is_seen_while_it_lives(self, app: Flask, working: Callable) -> None:
        assert not queries.runner_alive()

        with working() as worker:
            wait_for(queries.runner_alive)
            assert [row.name for row in queries.list_workers()] == [worker.status().name]

        session.rollback()
        assert not queries.runner_alive()

    def test_refuses_some_kinds_of_a_shared_queue(self, app: Flask) -> None:
        with pytest.raises(Invalid, match=r"probe\.raise shares the queue 'probe'"):
            build_worker(app, TASKS, kinds=["probe.append", "probe.stubborn"])


class TestCancel:
    def test_keeps_a_waiting_job_from_running(
        self, each_database: str, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        job_id = put(Append(path=str(tmp_path / "out")))
        services.cancel_job(job_id, viewer=ADMIN)

        with working():
            ended(put(Append(path=str(tmp_path / "other"))))

        assert state_of(job_id) is JobState.CANCELLED
        assert not (tmp_path / "out").exists()

    def test_stops_a_running_job_within_five_seconds(
        self, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        job_id = put(Append(path=str(tmp_path / "out"), wait_s=60))

        with working():
            wait_for(lambda: state_of(job_id) is JobState.RUNNING)
            services.cancel_job(job_id, viewer=ADMIN)
            job = ended(job_id, seconds=5)

        assert job.state is JobState.CANCELLED
        assert not (tmp_path / "out").exists()

    def test_gives_up_a_task_that_never_looks(
        self, app: Flask, put: Put, working: Callable
    ) -> None:
        job_id = put(Stubborn(seconds=8))

        with working(slots=1):
            wait_for(lambda: state_of(job_id) is JobState.RUNNING)
            services.cancel_job(job_id, viewer=ADMIN)
            job = ended(job_id, seconds=7)

        assert job.state is JobState.CANCELLED

    def test_refuses_a_finished_job(
        self, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        with working():
            job = ended(put(Append(path=str(tmp_path / "out"))))

        with pytest.raises(Conflict):
            services.cancel_job(job.id, viewer=ADMIN)


class TestChildren:
    def test_reports_log_and_result(
        self, app: Flask, put: Put, working: Callable, for_children: None
    ) -> None:
        with working():
            job = ended(put(InChild(what="say")))

        assert job.state is JobState.DONE
        assert job.result is not None
        assert job.result["result"] == "said"
        log = queries.read_log(job).text
        assert "a line" in log
        assert "printed" in log
        assert (queries.runs_dir() / str(job.id) / "1" / "file.txt").read_text() == "kept"

    @pytest.mark.usefixtures("app", "for_children")
    @pytest.mark.parametrize(
        ("what", "reason"),
        [
            ("raise", "boom in the child"),
            ("exit", "its process ended without an answer (exit code 7): no room left"),
            ("kill", "its process was killed by the system, most likely because memory ran out"),
            ("segfault", "its process crashed (SIGSEGV)"),
            ("memory", "out of memory"),
            ("cpu", "it used more than 2 s of processor time"),
        ],
    )
    def test_names_the_reason_when_the_child_breaks_down(
        self, put: Put, working: Callable, what: str, reason: str
    ) -> None:
        with working():
            job = ended(put(InChild(what=what)))

        assert job.state is JobState.FAILED
        assert job.error.startswith(reason)

    def test_may_complete_the_job_in_its_own_transaction(
        self, app: Flask, put: Put, working: Callable, for_children: None
    ) -> None:
        with working():
            job = ended(put(InChild(what="complete")))

        assert (job.state, job.result) == (JobState.DONE, {"by": "the task"})

    def test_keeps_what_it_made_when_it_completed_before_it_could_be_cancelled(
        self, app: Flask, put: Put, working: Callable, for_children: None, tmp_path: Path
    ) -> None:
        begun = tmp_path / "begun"
        job_id = put(InChild(what="complete late", path=str(begun)))

        with working():
            wait_for(begun.exists)
            services.cancel_job(job_id, viewer=ADMIN)
            job = ended(job_id)

        assert job.state is JobState.DONE
        assert (queries.runs_dir() / str(job_id) / "1" / "made.txt").exists()

    def test_leaves_no_process_when_cancelled(
        self, app: Flask, put: Put, working: Callable, for_children: None, tmp_path: Path
    ) -> None:
        pids = tmp_path / "pids"
        job_id = put(InChild(what="tree", path=str(pids)))

        with working():
            wait_for(lambda: pids.exists() and len(pids.read_text().split()) == 3)
            services.cancel_job(job_id, viewer=ADMIN)
            job = ended(job_id, seconds=5)

        assert job.state is JobState.CANCELLED
        assert not any(is_alive(int(pid)) for pid in pids.read_text().split())
        assert not (queries.runs_dir() / str(job_id) / "1" / "half.txt").exists()


def is_draining() -> bool:
    session.rollback()
    return [row.draining for row in queries.list_workers()] == [True]


class TestSignals:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        """A grace longer than any test."""
        return environ | {"ATRIUM_JOBS__GRACE_S": "120"}

    def test_first_sigterm_lets_jobs_end_and_takes_no_more(
        self, app: Flask, environ: dict[str, str], put: Put, tmp_path: Path
    ) -> None:
        running = put(Append(path=str(tmp_path / "out"), wait_s=6.0))
        worker = start_worker(environ)
        try:
            wait_for(lambda: state_of(running) is JobState.RUNNING)
            worker.send_signal(signal.SIGTERM)
            wait_for(is_draining)
            waiting = put(Append(path=os.devnull))
            code = worker.wait(timeout=30)
        finally:
            worker.kill()
            worker.wait()

        assert (code, state_of(running), state_of(waiting)) == (0, JobState.DONE, JobState.QUEUED)

    def test_second_sigterm_hands_jobs_back_at_once(
        self, app: Flask, environ: dict[str, str], put: Put, tmp_path: Path
    ) -> None:
        pids = tmp_path / "pids"
        jobs = [put(Append(path=os.devnull, wait_s=100)), put(InChild("tree", path=str(pids)))]
        worker = start_worker(environ)
        try:
            wait_for(lambda: pids.exists() and len(pids.read_text().split()) == 3)
            worker.send_signal(signal.SIGTERM)
            wait_for(is_draining)
            assert [state_of(job_id) for job_id in jobs] == [JobState.RUNNING] * 2
            worker.send_signal(signal.SIGTERM)
            # The children ignore SIGTERM: 3 s until they are killed.
            code = worker.wait(timeout=10)
        finally:
            worker.kill()
            worker.wait()

        assert code == 0
        assert not any(is_alive(int(pid)) for pid in pids.read_text().split())
        for job in map(fresh, jobs):
            assert (job.state, job.attempt, job.failures) == (JobState.QUEUED, 1, 0)
            assert queries.list_events(job)[-1].kind is EventKind.RELEASED


class TestKilledWorker:
    def test_job_is_run_again_and_completes_once(
        self, each_database: str, app: Flask, environ: dict[str, str], put: Put, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        job_id = put(Append(path=str(out), wait_s=1.0))
        first = start_worker(environ)
        try:
            wait_for(lambda: state_of(job_id) is JobState.RUNNING)
        finally:
            os.killpg(first.pid, signal.SIGKILL)
            first.wait()

        second = start_worker(environ)
        try:
            job = ended(job_id)
        finally:
            second.send_signal(signal.SIGTERM)
            code = second.wait(timeout=15)

        assert (job.state, job.attempt, job.deaths, code) == (JobState.DONE, 2, 1, 0)
        assert out.read_text() == "x\n"
        assert EventKind.WORKER_LOST in [event.kind for event in queries.list_events(fresh(job_id))]

    def test_takes_its_children_along(
        self, app: Flask, environ: dict[str, str], put: Put, tmp_path: Path
    ) -> None:
        pids = tmp_path / "pids"
        put(InChild(what="tree", path=str(pids)))
        worker = start_worker(environ)
        try:
            wait_for(lambda: pids.exists() and len(pids.read_text().split()) == 3)
        finally:
            worker.kill()
            worker.wait()

        wait_for(lambda: not any(is_alive(int(pid)) for pid in pids.read_text().split()), seconds=2)
