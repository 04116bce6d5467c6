"""Enqueue, cancel, retry, clean up."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from dashboard.accounts.models import User
from dashboard.core.database import db, session, transaction, utcnow
from dashboard.core.errors import Conflict, NotFound, Unavailable
from dashboard.job_queue import queries, removal, services
from dashboard.job_queue.models import EventKind, Job, JobEvent, JobState
from dashboard.job_queue.queries import Viewer
from dashboard.job_queue.services import enqueue
from dashboard.job_queue.status import status_of
from dashboard.job_queue.store import SqlJobStore
from jobs.store import ClaimedJob, Lease, Outcome, Verdict, Wanted
from tests.dashboard.job_queue.conftest import ended, fresh
from tests.dashboard.job_queue.probe import Append, InChild, Raise

ADMIN = Viewer(user_id=None, sees_all=True)
MESSAGE = Append(path=os.devnull)
Put = Callable[..., int]


def claim_next(
    store: SqlJobStore, *, queue: str = "probe", lease_s: float = 30, limit: int = 1
) -> list[ClaimedJob]:
    wanted = Wanted(queues=[queue], worker="w", lease_s=lease_s, limit=limit)
    return store.turn([], wanted)[1]


def finish(store: SqlJobStore, job: ClaimedJob, outcome: Outcome) -> bool:
    return store.turn([(job, outcome)], None)[0][0]


def reap(store: SqlJobStore, *, max_deaths: int = 3) -> list[int]:
    """Give back what a patient sweeper would."""
    leases: list[Lease] = store.list_doubtful(lease_s=30)
    return [lease.job_id for lease in leases if store.give_back(lease, max_deaths=max_deaths)]


def fail(error: str) -> None:
    """Have the next job of the queue fail."""
    with contextlib.closing(SqlJobStore(db.engine)) as store:
        (job,) = claim_next(store)
        assert finish(store, job, Outcome(Verdict.FAILED, error=error))


class TestEnqueue:
    def test_makes_no_job_when_the_transaction_fails(self, each_database: str, app: Flask) -> None:
        with pytest.raises(RuntimeError), transaction():
            enqueue(MESSAGE, owner_id=None)
            enqueue(MESSAGE, owner_id=None, unique_key="k")
            raise RuntimeError

        assert session.query(Job).count() == 0
        assert session.query(JobEvent).count() == 0

    def test_alone_is_a_transaction_of_its_own(
        self, each_database: str, app: Flask, make_user: Callable[..., User]
    ) -> None:
        owner_id = make_user().id
        session.rollback()

        job = enqueue(MESSAGE, owner_id=owner_id)
        session.rollback()

        kept = session.get_one(Job, job.id)
        assert (kept.owner_id, kept.args, kept.state) == (owner_id, job.args, JobState.QUEUED)

    def test_belongs_to_what_the_caller_has_begun(self, each_database: str, app: Flask) -> None:
        session.add(JobEvent(job_id=987654, kind=EventKind.DONE))

        with pytest.raises(Conflict):
            enqueue(MESSAGE, owner_id=None)

        assert session.query(Job).count() == 0

    def test_refuses_an_owner_who_does_not_exist(self, each_database: str, app: Flask) -> None:
        for _ in range(3):
            with pytest.raises(Conflict):
                enqueue(MESSAGE, owner_id=987654)

        assert session.query(Job).count() == 0
        session.rollback()
        assert enqueue(MESSAGE, owner_id=None).id

    def test_gives_the_active_job_of_a_unique_key(
        self, each_database: str, app: Flask, put: Put
    ) -> None:
        first = put(MESSAGE, unique_key="train")
        put(MESSAGE, unique_key="noise")

        assert put(MESSAGE, unique_key="train") == first

        services.cancel_job(first, viewer=ADMIN)
        assert put(MESSAGE, unique_key="train") != first

    def test_makes_one_job_of_ten_at_once(self, each_database: str, app: Flask) -> None:
        ids: list[int] = []

        def enqueue_one() -> None:
            with app.app_context(), transaction():
                ids.append(enqueue(MESSAGE, owner_id=None, unique_key="once").id)

        threads = [threading.Thread(target=enqueue_one) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(ids) == 10
        assert len(set(ids)) == 1

    def test_lets_owners_take_turns(
        self, each_database: str, app: Flask, put: Put, make_user: Callable[..., User]
    ) -> None:
        many, few = make_user().id, make_user().id
        for _ in range(4):
            put(MESSAGE, owner_id=many)
        for _ in range(2):
            put(MESSAGE, owner_id=few)

        order = session.scalars(queries.select(Job).order_by(Job.priority, Job.fair, Job.id))

        assert [job.owner_id for job in order] == [many, few, many, few, many, many]

    def test_tells_the_place_in_its_own_queue(self, app: Flask, put: Put) -> None:
        other = put(InChild(what="say"), priority=-9)
        ids = [put(MESSAGE), put(MESSAGE), put(MESSAGE, priority=-1)]
        later = put(MESSAGE, run_at=utcnow() + timedelta(hours=1))

        assert [queries.queue_position(fresh(one)) for one in ids] == [2, 3, 1]
        assert queries.queue_position(fresh(other)) == 1
        assert queries.queue_position(fresh(later)) is None
        assert status_of(fresh(later)).text == "Set for a later time"

    def test_tells_the_place_by_which_jobs_are_taken(
        self,
        each_database: str,
        app: Flask,
        put: Put,
        store: SqlJobStore,
        make_user: Callable[..., User],
    ) -> None:
        many, few = make_user().id, make_user().id
        ids = [put(MESSAGE, owner_id=many) for _ in range(4)]
        ids += [put(MESSAGE, owner_id=few) for _ in range(2)]
        ids += [put(MESSAGE, priority=1), put(MESSAGE, owner_id=few, priority=-1)]
        for _ in range(5):
            put(InChild(what="say"), priority=-2)

        told = sorted(ids, key=lambda one: queries.queue_position(fresh(one)) or 0)

        taken = [job.id for _ in ids for job in claim_next(store)]
        assert told == taken


class TestClaim:
    def test_is_won_by_one_of_many(
        self, each_database: str, app: Flask, put: Put, store: SqlJobStore
    ) -> None:
        ids = [put(MESSAGE) for _ in range(5)]
        won: list[int] = []

        def claim() -> None:
            for _ in ids:
                won.extend(job.id for job in claim_next(store))
            store.close()

        threads = [threading.Thread(target=claim) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(won) == ids

    def test_goes_by_priority_and_queue(
        self, each_database: str, app: Flask, put: Put, store: SqlJobStore
    ) -> None:
        put(MESSAGE, priority=5)
        soon = put(MESSAGE, priority=-5)

        none = claim_next(store, queue="other", limit=5)
        one = claim_next(store)

        assert (none, [job.id for job in one]) == ([], [soon])


class TestFence:
    def test_refuses_the_writes_of_a_worker_given_up(
        self, each_database: str, app: Flask, put: Put, store: SqlJobStore
    ) -> None:
        job_id = put(MESSAGE)
        (old,) = claim_next(store, lease_s=-1)
        assert reap(store) == [job_id]
        (new,) = claim_next(store)

        assert not finish(store, old, Outcome(Verdict.DONE, result={"by": "old"}))
        assert not store.progress(job_id, attempt=old.attempt, fraction=0.9, text="old")
        assert store.heartbeat([(job_id, old.attempt)], lease_s=30)[job_id] == "lost"
        assert finish(store, new, Outcome(Verdict.DONE))
        # Asked again because the answer of the commit was lost.
        assert finish(store, new, Outcome(Verdict.DONE))
        assert fresh(job_id).result is None


class TestReap:
    def test_fails_a_job_that_kills_its_workers(
        self, each_database: str, app: Flask, put: Put, store: SqlJobStore
    ) -> None:
        living, job_id = put(MESSAGE), put(MESSAGE)
        claim_next(store)

        for _ in range(3):
            claim_next(store, lease_s=-1)
            assert reap(store) == [job_id]

        job = fresh(job_id)
        assert (job.state, job.error) == (JobState.FAILED, "its worker died 3 times")
        assert fresh(living).state is JobState.RUNNING

    def test_cancels_what_was_asked_to_stop(self, app: Flask, put: Put, store: SqlJobStore) -> None:
        job_id = put(MESSAGE)
        claim_next(store, lease_s=-1)
        services.cancel_job(job_id, viewer=ADMIN)

        reap(store)

        assert fresh(job_id).state is JobState.CANCELLED

    def test_gives_back_once_whoever_sweeps(
        self, each_database: str, app: Flask, put: Put, store: SqlJobStore
    ) -> None:
        job_ids = [put(MESSAGE) for _ in range(10)]
        for _ in job_ids:
            claim_next(store, lease_s=-1)
        leases = store.list_doubtful(lease_s=30)
        together, engine = threading.Barrier(4), db.engine

        def sweep() -> int:
            with contextlib.closing(SqlJobStore(engine)) as own:
                together.wait()
                return sum(own.give_back(lease, max_deaths=3) for lease in leases)

        with ThreadPoolExecutor(4) as sweepers:
            given_back = [each.result() for each in [sweepers.submit(sweep) for _ in range(4)]]

        assert sum(given_back) == len(job_ids)
        assert {fresh(job_id).deaths for job_id in job_ids} == {1}
        lost = session.query(JobEvent).filter_by(kind=EventKind.WORKER_LOST).count()
        assert lost == len(job_ids)


class TestRetryJob:
    def test_queues_a_cancelled_job_again(
        self, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        job_id = put(Append(path=str(tmp_path / "out")))
        services.cancel_job(job_id, viewer=ADMIN)

        services.retry_job(job_id, viewer=ADMIN)

        with working():
            assert ended(job_id).state is JobState.DONE
        assert EventKind.RETRIED in [event.kind for event in queries.list_events(fresh(job_id))]

    def test_gives_the_unique_key_back(self, each_database: str, app: Flask, put: Put) -> None:
        job_id = put(MESSAGE, unique_key="train")
        services.cancel_job(job_id, viewer=ADMIN)
        assert fresh(job_id).unique_key is None

        services.retry_job(job_id, viewer=ADMIN)

        assert fresh(job_id).unique_key == "train"
        assert put(MESSAGE, unique_key="train") == job_id

    def test_by_itself_keeps_the_unique_key(
        self, each_database: str, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        tries = tmp_path / "tries"
        job_id = put(Raise(path=str(tries), n_failures=2), unique_key="train")
        held = set()

        with working():
            while fresh(job_id).active:
                # MariaDB may have this and the worker's turn wait for each other, and ends one of them.
                with contextlib.suppress(Unavailable):
                    held.add(put(MESSAGE, unique_key="train"))
                time.sleep(0.01)

        assert len(tries.read_text().splitlines()) == 2
        assert held - {job_id} <= {max(held)}  # one more may come as soon as the first has ended
        assert fresh(job_id).unique_key is None

    def test_is_refused_while_another_job_holds_the_key(
        self, each_database: str, app: Flask, put: Put, make_user: Callable[..., User]
    ) -> None:
        owner_id = make_user().id
        failed = put(MESSAGE, unique_key="train", owner_id=owner_id)
        services.cancel_job(failed, viewer=ADMIN)
        holder = put(MESSAGE, unique_key="train")

        with pytest.raises(Conflict, match=f"as job {holder}"):
            services.retry_job(failed, viewer=ADMIN)
        with pytest.raises(Conflict, match="as another job"):
            services.retry_job(failed, viewer=Viewer(user_id=owner_id))

        assert (fresh(failed).state, fresh(failed).unique_key) == (JobState.CANCELLED, None)
        assert fresh(holder).unique_key == "train"
        assert EventKind.RETRIED not in [each.kind for each in queries.list_events(fresh(failed))]

        services.cancel_job(holder, viewer=ADMIN)
        services.retry_job(failed, viewer=ADMIN)
        assert fresh(failed).state is JobState.QUEUED

    @pytest.mark.parametrize("n_new", [0, 4])
    def test_at_once_with_others_leaves_one_job_of_a_key(
        self, each_database: str, app: Flask, put: Put, n_new: int
    ) -> None:
        ended_ids = []
        for _ in range(4):
            ended_ids.append(put(MESSAGE, unique_key="once"))
            services.cancel_job(ended_ids[-1], viewer=ADMIN)
        together = threading.Barrier(len(ended_ids) + n_new)

        def retry(job_id: int) -> int | None:
            with app.app_context():
                together.wait()
                with contextlib.suppress(Conflict):
                    return services.retry_job(job_id, viewer=ADMIN).id
                return None

        def enqueue_one(_number: int) -> int:
            with app.app_context(), transaction():
                together.wait()
                return enqueue(MESSAGE, owner_id=None, unique_key="once").id

        with ThreadPoolExecutor(len(ended_ids) + n_new) as pool:
            retried = [pool.submit(retry, job_id) for job_id in ended_ids]
            new = [pool.submit(enqueue_one, number) for number in range(n_new)]
            won = {each.result() for each in [*retried, *new]} - {None}

        session.rollback()
        active = session.scalars(queries.select(Job).where(Job.state == JobState.QUEUED)).all()
        assert [(job.id, job.unique_key) for job in active] == [(won.pop(), "once")]
        assert not won

    def test_of_alike_jobs_queues_one_of_each_key(self, app: Flask, put: Put) -> None:
        for _ in range(3):
            put(MESSAGE, unique_key="same")
            fail("the disk is full")
        put(MESSAGE)
        fail("the disk is full")

        told = services.retry_alike(kind="probe.append", error="the disk is full", viewer=ADMIN)

        assert told == (2, 2)

    def test_refuses_a_waiting_job(self, app: Flask, put: Put) -> None:
        with pytest.raises(Conflict):
            services.retry_job(put(MESSAGE), viewer=ADMIN)

    def test_knows_nothing_of_the_jobs_of_others(
        self, app: Flask, put: Put, make_user: Callable[..., User]
    ) -> None:
        job_id = put(MESSAGE, owner_id=make_user().id)
        other = make_user()

        with pytest.raises(NotFound):
            services.retry_job(job_id, viewer=Viewer(user_id=other.id))


class TestCleanUp:
    def test_removes_old_finished_jobs_and_their_files(
        self, each_database: str, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        with working():
            old = ended(put(Append(path=str(tmp_path / "out")))).id
            recent = ended(put(Append(path=str(tmp_path / "out")))).id
            with transaction():
                session.get_one(Job, old).finished_at = utcnow() - timedelta(days=91)
            with transaction():
                job_id = services.request_clean_up(actor_id=None).id
            job = ended(job_id)

        assert (job.state, job.result) == (JobState.DONE, {"removed": 1})
        assert session.get(Job, old) is None
        assert session.get(Job, recent) is not None
        assert not (queries.runs_dir() / str(old)).exists()
        assert (queries.runs_dir() / str(recent)).exists()

    def test_keeps_a_job_that_was_queued_again_meanwhile(
        self, each_database: str, app: Flask, put: Put, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        again, old = put(MESSAGE), put(MESSAGE)
        for job_id in (again, old):
            services.cancel_job(job_id, viewer=ADMIN)
        look = removal._finished_before

        def look_and_be_overtaken(*args: Any) -> list[int]:
            found = look(*args)
            if found:
                services.retry_job(again, viewer=ADMIN)
            return found

        monkeypatch.setattr(removal, "_finished_before", look_and_be_overtaken)

        assert removal.purge(state=JobState.CANCELLED) == 1

        assert fresh(again).state is JobState.QUEUED
        assert EventKind.RETRIED in [event.kind for event in queries.list_events(fresh(again))]
        assert session.get(Job, old) is None
