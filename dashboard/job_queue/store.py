"""The job store of the runner (jobs/store.py) on the tables of this domain.

SQLAlchemy Core, outside of any request: each call is one short transaction. Every change of a job
is one conditional UPDATE, so of two callers one wins; the statements need no RETURNING and no row
locks, and mean the same on SQLite, PostgreSQL and MariaDB.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from typing import Any, cast

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    Table,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, TimeoutError
from sqlalchemy.sql.elements import ColumnElement

from dashboard.core.database import is_unavailable
from dashboard.job_queue.clock import later, now
from dashboard.job_queue.models import EventKind, Job, JobEvent, JobState, WorkerRow
from jobs.store import Beat, ClaimedJob, Outcome, StoreUnavailable, Verdict, WorkerStatus

job = cast(Table, Job.__table__)
job_event = cast(Table, JobEvent.__table__)
worker_row = cast(Table, WorkerRow.__table__)

REAP_LIMIT = 200
FORGET_WORKERS_AFTER_S = 24 * 3600.0

CLAIMED = select(
    job.c.id,
    job.c.kind,
    job.c.args,
    job.c.owner_id,
    job.c.attempt,
    job.c.failures,
    job.c.max_failures,
    job.c.timeout_s,
)
EVENT_OF = {
    Verdict.DONE: EventKind.DONE,
    Verdict.FAILED: EventKind.FAILED,
    Verdict.RETRY: EventKind.WILL_RETRY,
    Verdict.CANCELLED: EventKind.CANCELLED,
    Verdict.RELEASED: EventKind.RELEASED,
}


class SqlJobStore:
    """Implements jobs.store.JobStore; thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # The threads of one process queue here for SQLite's single writer, not in its sleeping
        # busy handler.
        sqlite = engine.dialect.name == "sqlite"
        self._turn: AbstractContextManager[Any] = threading.Lock() if sqlite else nullcontext()

    # Claiming

    def claim(self, job_id: int, *, worker: str, lease_s: float) -> ClaimedJob | None:
        with self._writing() as connection:
            claimed = _claim(connection, [job_id], worker=worker, lease_s=lease_s)
        return claimed[0] if claimed else None

    def claim_next(
        self, *, queues: Sequence[str], worker: str, lease_s: float, limit: int
    ) -> list[ClaimedJob]:
        waiting = (
            select(job.c.id)
            .where(_due(), job.c.queue.in_(queues))
            .order_by(job.c.priority, job.c.fair, job.c.id)
            .limit(limit)
        )
        # Look before taking SQLite's write lock: most looks find nothing.
        ids = self._read(waiting)
        if not ids:
            return []
        with self._writing() as connection:
            return _claim(connection, [row.id for row in ids], worker=worker, lease_s=lease_s)

    # Running

    def progress(self, job_id: int, *, attempt: int, fraction: float, text: str) -> bool:
        values = {"progress": fraction, "progress_message": text, "updated_at": now()}
        with self._writing() as connection:
            return _update(connection, values, _mine(job_id, attempt))

    def heartbeat(self, held: Sequence[tuple[int, int]], *, lease_s: float) -> dict[int, Beat]:
        if not held:
            return {}
        mine = or_(*(_mine(job_id, attempt) for job_id, attempt in held))
        with self._writing() as connection:
            connection.execute(update(job).where(mine).values(lease_until=later(lease_s)))
            rows = connection.execute(select(job.c.id, job.c.cancel_requested).where(mine)).all()
        asked = {row.id: row.cancel_requested for row in rows}
        return {job_id: _beat(asked.get(job_id)) for job_id, _attempt in held}

    def finish(self, job_id: int, *, attempt: int, outcome: Outcome) -> bool:
        with self._writing() as connection:
            if not _update(connection, _end_of(outcome), _mine(job_id, attempt)):
                return _is_already(connection, job_id, attempt=attempt, outcome=outcome)
            event = EVENT_OF[outcome.verdict]
            _add_event(connection, job_id, event, attempt=attempt, note=outcome.error)
            if outcome.verdict in (Verdict.RETRY, Verdict.RELEASED):
                _cancel_if_asked(connection, job_id, attempt=attempt)
        return True

    # Mending

    def reap(self, *, max_deaths: int) -> list[int]:
        expired = and_(job.c.state == JobState.RUNNING, job.c.lease_until < now())
        columns = (job.c.id, job.c.attempt, job.c.deaths, job.c.worker)
        rows = self._read(select(*columns).where(expired).limit(REAP_LIMIT))
        return [row.id for row in rows if self._give_back(row, expired, max_deaths=max_deaths)]

    def _give_back(self, row: Any, expired: ColumnElement[bool], *, max_deaths: int) -> bool:
        deaths = row.deaths + 1
        spent = deaths >= max_deaths
        error = f"its worker died {deaths} times" if spent else ""
        values = _end_of(Outcome(Verdict.FAILED if spent else Verdict.RELEASED, error=error))
        # A death is no failure of the task.
        values = {**values, "deaths": deaths, "failures": job.c.failures}
        with self._writing() as connection:
            if not _update(connection, values, expired, _mine(row.id, row.attempt)):
                return False  # another sweeper was first, or the worker came back in time
            event = EventKind.FAILED if spent else EventKind.WORKER_LOST
            note = error or row.worker or ""
            _add_event(connection, row.id, event, attempt=row.attempt, note=note)
            if not spent:
                _cancel_if_asked(connection, row.id, attempt=row.attempt)
        return True

    def take_unpublished(self, *, limit: int) -> list[tuple[int, str]]:
        found = select(job.c.id, job.c.queue).where(_due(), job.c.published_at.is_(None))
        rows = self._read(found.order_by(job.c.priority, job.c.fair, job.c.id).limit(limit))
        self._mark_published([row.id for row in rows])
        return [(row.id, row.queue) for row in rows]

    def count_overdue(self, *, older_than_s: float) -> dict[str, int]:
        overdue = (
            select(job.c.queue, func.count().label("n_waiting"))
            .where(_due(), job.c.published_at.is_not(None))
            .group_by(job.c.queue)
            .having(func.min(job.c.published_at) < later(-older_than_s))
        )
        return {row.queue: row.n_waiting for row in self._read(overdue)}

    def take_overdue(self, queue: str, *, older_than_s: float, limit: int) -> list[int]:
        waiting = (
            select(job.c.id)
            .where(_due(), job.c.queue == queue, job.c.published_at < later(-older_than_s))
            .order_by(job.c.published_at)
            .limit(limit)
        )
        ids = [row.id for row in self._read(waiting)]
        self._mark_published(ids)
        return ids

    def _mark_published(self, ids: list[int]) -> None:
        if ids:
            with self._writing() as connection:
                connection.execute(update(job).where(job.c.id.in_(ids)).values(published_at=now()))

    # Workers

    def report_worker(self, status: WorkerStatus) -> None:
        values = {**asdict(status), "seen_at": now()}
        with self._writing() as connection:
            same = worker_row.c.name == status.name
            if connection.execute(update(worker_row).where(same).values(values)).rowcount:
                return
            gone = worker_row.c.seen_at < later(-FORGET_WORKERS_AFTER_S)
            connection.execute(delete(worker_row).where(gone))
            connection.execute(insert(worker_row).values(**values, started_at=now()))

    def forget_worker(self, name: str) -> None:
        with self._writing() as connection:
            connection.execute(delete(worker_row).where(worker_row.c.name == name))

    # Connections

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _translated(), self._turn, self._engine.begin() as connection:
            yield connection

    def _read(self, query: Select[Any]) -> Sequence[Any]:
        with _translated(), self._engine.connect() as connection:
            return connection.execute(query).all()


@contextmanager
def _translated() -> Iterator[None]:
    """A database that cannot be reached now is StoreUnavailable, which callers try again."""
    try:
        yield
    except TimeoutError as error:
        raise StoreUnavailable("no free connection") from error
    except DBAPIError as error:
        if is_unavailable(error):
            raise StoreUnavailable(str(error.orig)) from error
        raise


def _due() -> ColumnElement[bool]:
    return and_(job.c.state == JobState.QUEUED, or_(job.c.run_at.is_(None), job.c.run_at <= now()))


def _mine(job_id: int, attempt: int) -> ColumnElement[bool]:
    return and_(job.c.id == job_id, job.c.attempt == attempt, job.c.state == JobState.RUNNING)


def _update(
    connection: Connection, values: dict[str, Any], *conditions: ColumnElement[bool]
) -> bool:
    return connection.execute(update(job).where(*conditions).values(values)).rowcount == 1


def _claim(
    connection: Connection, ids: list[int], *, worker: str, lease_s: float
) -> list[ClaimedJob]:
    values = {
        "state": JobState.RUNNING,
        "attempt": job.c.attempt + 1,
        "worker": worker,
        "lease_until": later(lease_s),
        "started_at": now(),
        "updated_at": now(),
        "progress": 0.0,
        "progress_message": "",
    }
    won = [job_id for job_id in ids if _update(connection, values, job.c.id == job_id, _due())]
    if not won:
        return []
    rows = connection.execute(CLAIMED.where(job.c.id.in_(won))).all()
    by_id = {row.id: ClaimedJob(*row) for row in rows}
    claimed = [by_id[job_id] for job_id in won]
    for one in claimed:
        _add_event(connection, one.id, EventKind.STARTED, attempt=one.attempt, note=worker)
    return claimed


def _beat(cancel_requested: bool | None) -> Beat:
    if cancel_requested is None:
        return Beat.LOST
    return Beat.CANCEL if cancel_requested else Beat.KEEP


def _end_of(outcome: Outcome) -> dict[str, Any]:
    """What the end of a run changes in the row."""
    values: dict[str, Any] = {"worker": None, "lease_until": None, "updated_at": now()}
    verdict = outcome.verdict
    if verdict in (Verdict.RETRY, Verdict.RELEASED):
        values |= {"state": JobState.QUEUED, "published_at": None, "started_at": None}
        values["run_at"] = later(outcome.delay_s) if outcome.delay_s else None
    else:
        values |= {"state": JobState(verdict), "finished_at": now(), "unique_key": None}
    if verdict is Verdict.DONE:
        values |= {"progress": 1.0, "result": outcome.result, "error": "", "traceback": ""}
    elif outcome.error:
        values |= {"error": outcome.error[:500], "traceback": outcome.traceback}
        values["failures"] = job.c.failures + 1
    return values


def _cancel_if_asked(connection: Connection, job_id: int, *, attempt: int) -> None:
    """A job that came back after somebody asked to cancel it must not run again."""
    asked = and_(
        job.c.id == job_id, job.c.state == JobState.QUEUED, job.c.cancel_requested.is_(True)
    )
    if _update(connection, _end_of(Outcome(Verdict.CANCELLED)), asked):
        _add_event(connection, job_id, EventKind.CANCELLED, attempt=attempt)


def _is_already(connection: Connection, job_id: int, *, attempt: int, outcome: Outcome) -> bool:
    """Whether this end is written: by the task in its own transaction, or by a commit whose answer was lost."""
    row = connection.execute(
        select(job.c.state, job.c.attempt).where(job.c.id == job_id)
    ).one_or_none()
    return row is not None and row.attempt == attempt and row.state == outcome.verdict.value


def _add_event(
    connection: Connection, job_id: int, kind: EventKind, *, attempt: int, note: str = ""
) -> None:
    connection.execute(
        insert(job_event).values(
            job_id=job_id, kind=kind, attempt=attempt, note=note[:500], at=now()
        )
    )
