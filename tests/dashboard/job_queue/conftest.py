"""A worker beside the portal under test."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from flask import Flask

from dashboard.core.database import db, session, transaction
from dashboard.job_queue.models import Job, JobState
from dashboard.job_queue.services import enqueue
from dashboard.job_queue.store import SqlJobStore
from jobs.store import Wanted
from jobs.worker import Worker
from tests.dashboard.job_queue.probe import make_worker

WAIT_S = 60.0
# Only a test that fails waits so long: children start slowly on a busy machine.


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    """Short leases."""
    environ["ATRIUM_JOBS__LEASE_S"] = "1.5"
    environ["ATRIUM_JOBS__GRACE_S"] = "1"
    return environ


@pytest.fixture
def for_children(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let child processes of a worker in this process meet the same portal."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def put(app: Flask) -> Callable[..., int]:
    """Enqueue a message in a transaction of its own; the job's id."""

    def put(message: object, **options: object) -> int:
        with transaction():
            return enqueue(message, **{"owner_id": None, **options}).id  # type: ignore[arg-type]

    return put


@pytest.fixture
def store(app: Flask) -> Iterator[SqlJobStore]:
    """The store that a worker would use."""
    with contextlib.closing(SqlJobStore(db.engine)) as store:
        yield store


@pytest.fixture
def working(app: Flask) -> Callable[..., AbstractContextManager[Worker]]:
    """A worker in a thread, for the length of a `with` block."""

    @contextmanager
    def working(**options: object) -> Iterator[Worker]:
        worker = make_worker(app, **options)  # type: ignore[arg-type]
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            yield worker
        finally:
            worker.shutdown()
            thread.join(timeout=30)
            assert not thread.is_alive()

    return working


def wait_for(condition: Callable[[], object], *, seconds: float = WAIT_S) -> None:
    """Return when the condition holds; fail the test when it does not in time."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "this did not happen in time"
        time.sleep(0.02)


def fresh(job_id: int) -> Job:
    """The job as it is in the database now."""
    session.rollback()
    job = session.get(Job, job_id, populate_existing=True)
    assert job is not None
    return job


def ended(job_id: int, *, seconds: float = WAIT_S) -> Job:
    """The job, once it has finished."""
    wait_for(lambda: not fresh(job_id).active, seconds=seconds)
    return fresh(job_id)


def state_of(job_id: int) -> JobState:
    return fresh(job_id).state


def silent_claim(job_id: int, *, for_s: float = 2.0) -> None:
    """Give the job to a worker that has not been heard of since its lease ended."""
    wanted = Wanted(queues=["probe"], worker="host-1-abc", lease_s=-for_s, limit=1)
    with contextlib.closing(SqlJobStore(db.engine)) as store:
        _mine, claimed = store.turn([], wanted)
    assert [each.id for each in claimed] == [job_id]


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
