"""What the queue can do beside running a job: limits, schedules, steps, draining, estimates."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.core.database import db, session, transaction, utcnow
from dashboard.core.errors import TooLarge
from dashboard.job_queue import expectations, kinds, queries, services
from dashboard.job_queue.messages import CleanUp
from dashboard.job_queue.models import EventKind, Job, JobState, ScheduleRow
from dashboard.job_queue.queries import Viewer
from dashboard.job_queue.schedules import Schedule
from dashboard.job_queue.services import enqueue
from dashboard.job_queue.store import SqlJobStore
from jobs.store import ClaimedJob, Outcome, StoreUnavailable, Verdict, Wanted, WorkerStatus
from jobs.upkeep import Sweeper, SweepSettings, beat_every_s
from tests.dashboard.job_queue.conftest import ended, fresh, is_alive, state_of, wait_for
from tests.dashboard.job_queue.probe import Append, InChild, Raise, append, start_worker
from tests.dashboard.job_queue.test_pages import post
from tests.factories.processes import Portal, children_of, clean_environment

ADMIN = Viewer(user_id=None, sees_all=True)
MESSAGE = Append(path=os.devnull)
WANTED = Wanted(queues=["probe", "job_queue"], worker="w", lease_s=30, limit=5)
DONE = Outcome(Verdict.DONE)
Put = Callable[..., int]


def ids_of(jobs: list[ClaimedJob]) -> list[int]:
    return [job.id for job in jobs]


class TestLimits:
    def test_of_a_kind_count_what_runs(
        self, each_database: str, app: Flask, put: Put, store: SqlJobStore
    ) -> None:
        first, _second = put(MESSAGE), put(MESSAGE)
        other = put(Raise(path=os.devnull))
        wanted = replace(WANTED, per_kind={"probe.append": 1})

        _, claimed = store.turn([], wanted)
        assert ids_of(claimed) == [first, other]
        assert store.turn([], wanted)[1] == []

        _, claimed = store.turn([(claimed[0], DONE)], wanted)
        assert ids_of(claimed) == [_second]

    def test_of_an_owner_leave_places_for_others(
        self,
        each_database: str,
        app: Flask,
        put: Put,
        store: SqlJobStore,
        make_user: Callable[..., User],
    ) -> None:
        greedy, modest = make_user().id, make_user().id
        for _ in range(4):
            put(MESSAGE, owner_id=greedy)
        put(MESSAGE, owner_id=modest)
        put(MESSAGE, owner_id=None)

        _, claimed = store.turn([], replace(WANTED, per_owner=2))
        _, later = store.turn([], replace(WANTED, per_owner=2))

        owners = [job.owner_id for job in [*claimed, *later]]
        assert sorted(owners, key=str) == sorted([greedy, greedy, modest, None], key=str)

    def test_of_a_minute_count_what_started(
        self, each_database: str, app: Flask, put: Put, store: SqlJobStore
    ) -> None:
        ids = [put(MESSAGE) for _ in range(4)]
        wanted = replace(WANTED, per_minute={"probe.append": 3}, limit=2)

        _, first = store.turn([], wanted)
        _, second = store.turn([(job, DONE) for job in first], wanted)

        started = ids_of([*first, *second])
        assert started == ids[:3] or time.gmtime().tm_sec < 5  # a new minute has begun

    def test_hold_when_two_workers_claim_at_once(
        self, each_database: str, app: Flask, put: Put
    ) -> None:
        for _ in range(20):
            put(MESSAGE)
        wanted = replace(WANTED, per_kind={"probe.append": 3}, limit=2)
        claimed: list[ClaimedJob] = []

        def claim() -> None:
            store = SqlJobStore(db.engine)
            for _ in range(4):
                try:
                    claimed.extend(store.turn([], wanted)[1])
                except StoreUnavailable:
                    continue  # a deadlock that the database has resolved
            store.close()

        with app.app_context():
            engine = db.engine
            assert engine is not None
        threads = [threading.Thread(target=_in_context, args=(app, claim)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(claimed) == 3


def _in_context(app: Flask, function: Callable[[], None]) -> None:
    with app.app_context():
        function()


class TestSchedules:
    def test_fire_once_whoever_looks(self, each_database: str, app: Flask) -> None:
        entry = Schedule("clean", cron="* * * * *", message=CleanUp())
        stores = [SqlJobStore(db.engine, schedules=[entry]) for _ in range(4)]
        status = replace_status()
        stores[0].report_worker(status)
        with transaction():
            session.get_one(ScheduleRow, "clean").next_run_at = utcnow() - timedelta(minutes=5)

        threads = [threading.Thread(target=store.start_due) for store in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        session.rollback()
        row = session.get_one(ScheduleRow, "clean", populate_existing=True)
        assert row.next_run_at > utcnow()
        assert [job.kind for job in session.query(Job)] == ["job_queue.clean_up"]
        assert not stores[0].look(lease_s=30).due

    def test_add_nothing_while_the_last_job_still_waits(
        self, each_database: str, app: Flask, store: SqlJobStore
    ) -> None:
        entry = Schedule("clean", cron="* * * * *", message=CleanUp())
        with contextlib.closing(SqlJobStore(db.engine, schedules=[entry])) as own:
            own.report_worker(replace_status())

            def tick() -> int:
                with transaction():
                    row = session.get_one(ScheduleRow, "clean", populate_existing=True)
                    row.next_run_at = utcnow() - timedelta(minutes=5)
                return own.start_due()

            assert [tick(), tick()] == [1, 0]
            assert not own.look(lease_s=30).due

            own.turn([], WANTED)
            assert tick() == 1

    def test_clean_up_runs(self, app: Flask, working: Callable) -> None:
        with transaction():
            job_id = enqueue(CleanUp(), owner_id=None).id

        with working():
            assert ended(job_id).result == {"removed": 0}


def replace_status(*, draining: bool = False) -> WorkerStatus:
    return WorkerStatus("w", "host", 1, ["probe"], slots=1, running=[], draining=draining)


class TestSteps:
    def test_begin_when_the_one_before_completed(
        self, each_database: str, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        steps = [Append(path=str(out), line=str(number), wait_s=0.05) for number in range(3)]

        put(steps[0], then=steps[1:])
        assert queries.list_jobs([2], ADMIN)[0].after_id == 1
        with working(slots=3):
            wait_for(lambda: all(not fresh(number).active for number in (1, 2, 3)))

        assert out.read_text().split() == ["0", "1", "2"]

    def test_are_cancelled_when_it_failed(
        self, each_database: str, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        message = Raise(path=str(tmp_path / "tries"), n_failures=9, invalid=True)
        first = put(message, then=[MESSAGE, MESSAGE])

        with working():
            ended(first)
            last = ended(first + 2)

        assert (state_of(first), last.state) == (JobState.FAILED, JobState.CANCELLED)
        assert queries.list_events(last)[-1].kind is EventKind.STEP_FAILED

    def test_are_cancelled_with_it(self, app: Flask, put: Put) -> None:
        first = put(MESSAGE, then=[MESSAGE])

        services.cancel_job(first, viewer=ADMIN)

        assert state_of(first + 1) is JobState.CANCELLED


class TestEnqueue:
    def test_refuses_an_oversize_message(self, app: Flask) -> None:
        with pytest.raises(TooLarge):
            enqueue(Append(path="x" * 100_000), owner_id=None)


class TestClockJump:
    def test_leaves_the_jobs_of_living_workers(
        self, each_database: str, app: Flask, put: Put, store: SqlJobStore
    ) -> None:
        job_id = put(MESSAGE)
        store.turn([], WANTED)
        sweeper = Sweeper(store, settings=SweepSettings(), lease_s=1.0, ring=lambda: None)
        for jump in (timedelta(hours=-1), timedelta(hours=1)):
            with transaction():
                session.get_one(Job, job_id).lease_until = utcnow() + jump
            assert store.look(lease_s=1.0).doubtful
            sweeper.sweep()
            store.heartbeat([(job_id, 1)], lease_s=30)  # alive
            time.sleep(1.3 * beat_every_s(1.0))
            sweeper.sweep()
            assert state_of(job_id) is JobState.RUNNING

        with transaction():
            session.get_one(Job, job_id).lease_until = utcnow() + timedelta(hours=1)
        sweeper.sweep()
        time.sleep(1.3 * beat_every_s(1.0))
        sweeper.sweep()

        assert state_of(job_id) is JobState.QUEUED


class TestSilentWorker:
    def test_is_looked_at_again_before_the_next_sweep(
        self, app: Flask, put: Put, store: SqlJobStore
    ) -> None:
        job_id = put(MESSAGE)
        store.turn([], replace(WANTED, lease_s=-1.0))
        settings = SweepSettings(every_s=2.0)
        sweeper = Sweeper(store, settings=settings, lease_s=1.0, ring=lambda: None)

        started = time.monotonic()
        sweeper.start()
        try:
            wait_for(lambda: state_of(job_id) is JobState.QUEUED)
        finally:
            sweeper.stop()

        assert time.monotonic() - started < 2 * settings.every_s


class TestExpect:
    def test_tells_why_and_when(self, app: Flask, put: Put, working: Callable) -> None:
        job_id = put(MESSAGE)
        assert expectations.reason_for_waiting(fresh(job_id)) == "No job runner is running."
        later = put(MESSAGE, run_at=utcnow() + timedelta(hours=1))
        assert "later time" in expectations.reason_for_waiting(fresh(later))
        SqlJobStore(db.engine).report_worker(replace_status())

        found = expectations.expect(fresh(put(MESSAGE)))

        assert found is not None
        assert found.reason == "Jobs before it in its queue: 1"
        assert found.start is not None
        assert found.end is not None
        assert utcnow() < found.start.latest < found.end.latest

    @pytest.mark.parametrize(
        ("per_owner", "limits", "reason"),
        [
            (0, {}, "in a moment"),
            (2, {"max_running": 2, "per_minute": 2}, "in a moment"),
            (1, {}, "Jobs of one owner that may run at once: 1"),
            (0, {"max_running": 1}, "Jobs of this kind that may run at once: 1"),
            (0, {"per_minute": 1}, "Jobs of this kind that may start in a minute: 1"),
        ],
    )
    def test_blames_a_limit_only_where_there_is_one(
        self,
        *,
        app: Flask,
        put: Put,
        make_user: Callable[..., User],
        per_owner: int,
        limits: dict[str, int],
        reason: str,
    ) -> None:
        config = app.config["ATRIUM"]
        app.config["ATRIUM"] = replace(config, jobs=replace(config.jobs, per_owner=per_owner))
        kinds.init_app(app, [replace(append, **limits)])
        owner_id = make_user().id
        put(MESSAGE, owner_id=owner_id)
        minute = {"probe.append": 9} if "per_minute" in limits else {}
        with contextlib.closing(SqlJobStore(db.engine)) as store:
            store.turn([], replace(WANTED, per_minute=minute))
            store.report_worker(replace_status())

        waiting = fresh(put(MESSAGE, owner_id=owner_id))

        found = expectations.reason_for_waiting(waiting)
        assert reason in found or time.gmtime().tm_sec < 5  # a new minute has begun

    def test_tells_of_other_queues_that_its_workers_serve(self, app: Flask, put: Put) -> None:
        put(InChild(what="say"))
        job_id = put(MESSAGE)
        with contextlib.closing(SqlJobStore(db.engine)) as store:
            store.report_worker(replace_status())
            assert "in a moment" in expectations.reason_for_waiting(fresh(job_id))
            store.report_worker(replace(replace_status(), queues=["probe", "probe-child"]))

        assert queries.queue_position(fresh(job_id)) == 1
        assert "jobs of other queues before it: 1" in expectations.reason_for_waiting(fresh(job_id))

    def test_says_that_workers_are_drained(self, app: Flask, put: Put) -> None:
        with contextlib.closing(SqlJobStore(db.engine)) as store:
            store.report_worker(replace_status())
            services.drain_worker("w", viewer=ADMIN)
            found = expectations.expect(fresh(put(MESSAGE)))

        assert found is not None
        assert "drained" in found.reason
        assert found.start is None

    def test_takes_past_runs(self) -> None:
        assert expectations.percentiles([3.0, 1.0, 2.0]) == (2.0, 3.0)
        assert expectations.percentiles(range(1, 101)) == (50, 90)


class TestOperations:
    def test_pages_show_what_there_is(
        self, app: Flask, put: Put, as_admin: FlaskClient, working: Callable, tmp_path: Path
    ) -> None:
        failing = Raise(path=str(tmp_path / "tries"), n_failures=99, invalid=True)
        with working() as worker:
            failed = [ended(put(failing)).id for _ in range(2)]
            wait_for(queries.runner_alive)
            assert worker.status().name in as_admin.get("/jobs/workers").text
            post(as_admin, "/jobs/workers/drain", name=worker.status().name)
            wait_for(lambda: worker.status().draining, seconds=10)

        assert as_admin.get("/jobs/queue").status_code == 200
        page = as_admin.get("/jobs/dead-letters").text
        assert "the input is bad" in page
        alike = {"kind": "probe.raise", "error": "the input is bad"}
        post(as_admin, "/jobs/dead-letters/retry", **alike)
        assert {state_of(job_id) for job_id in failed} == {JobState.QUEUED}
        with working():
            assert ended(failed[1]).state is ended(failed[0]).state is JobState.FAILED
        post(as_admin, "/jobs/dead-letters/remove", **alike)
        session.rollback()
        assert session.query(Job).count() == 0

    def test_metrics_are_read_by_prometheus(
        self, app: Flask, put: Put, as_admin: FlaskClient, working: Callable, tmp_path: Path
    ) -> None:
        put(MESSAGE)
        with working():
            ended(put(Append(path=str(tmp_path / "out"))))
            wait_for(queries.runner_alive)
            text = as_admin.get("/metrics").text

        assert 'atrium_jobs_ended_last_hour{kind="probe.append",state="done"}' in text
        assert "atrium_job_workers 1" in text


class TestOrphan:
    @pytest.mark.slow
    def test_leaves_when_the_portal_was_killed(self, tmp_path: Path) -> None:
        portal = Portal(clean_environment(tmp_path / "data"), "up")
        portal.wait_until_healthy()
        runners = children_of(portal.process.pid)
        assert runners

        portal.process.kill()
        portal.process.wait()

        wait_for(lambda: not any(is_alive(pid) for pid in runners), seconds=30)


def test_help_of_jobs() -> None:
    done = subprocess.run(
        [sys.executable, "run.py", "jobs", "--help"], capture_output=True, text=True, check=True
    )
    assert all(word in done.stdout for word in ("list", "show", "cancel", "retry", "purge"))


def test_worker_process_starts(app: Flask, environ: dict[str, str]) -> None:
    worker = start_worker(environ)
    wait_for(queries.runner_alive)
    worker.terminate()
    assert worker.wait(timeout=15) == 0
