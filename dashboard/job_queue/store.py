"""The job store of the runner (jobs/store.py) on the tables of this domain.

Outside of any request: each call is one short transaction. Every change of a job is one conditional
UPDATE, so of two callers one wins, on SQLite, PostgreSQL and MariaDB alike.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict
from typing import Any, cast

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError
from sqlalchemy.sql.elements import ColumnElement

from dashboard.core.database import is_unavailable, utcnow
from dashboard.job_queue import claims, turns
from dashboard.job_queue.clock import later, minutes, now
from dashboard.job_queue.direct import Direct, is_served
from dashboard.job_queue.ends import (
    add_event,
    add_started,
    cancel_if_asked,
    change,
    completed_itself,
    finish,
    is_already,
    is_mine,
    stop_followers,
    values_of,
)
from dashboard.job_queue.models import (
    READY,
    RUNNING,
    EventKind,
    Job,
    JobEvent,
    QueueSample,
    ScheduleRow,
    WorkerRow,
)
from dashboard.job_queue.schedules import Schedule, fire, keep
from jobs.store import (
    Beat,
    ClaimedJob,
    End,
    Lease,
    Look,
    Outcome,
    StoreUnavailable,
    Verdict,
    Wanted,
    WorkerStatus,
)

job = cast(Table, Job.__table__)
job_event = cast(Table, JobEvent.__table__)
worker_row = cast(Table, WorkerRow.__table__)
schedule = cast(Table, ScheduleRow.__table__)
sample = cast(Table, QueueSample.__table__)

MEND_LIMIT = 200
DUE_LIMIT = 500
FORGET_WORKERS_AFTER_S = 24 * 3600.0
KEEP_SAMPLES_MIN = 7 * 24 * 60
# A lease that ends later than this many leases from now was written by a clock that has jumped since.
FARTHEST_LEASES = 3


class SqlJobStore:
    """Implements jobs.store.JobStore; thread-safe."""

    def __init__(self, engine: Engine, *, schedules: Sequence[Schedule] = ()) -> None:
        self._engine = engine
        self._schedules = {entry.name: entry for entry in schedules}
        self._kept = threading.local()
        # The threads of one process queue here for SQLite's single writer, not in its sleeping
        # busy handler.
        sqlite = engine.dialect.name == "sqlite"
        self._turn: AbstractContextManager[Any] = threading.Lock() if sqlite else nullcontext()

    # The turn of a worker

    def turn(
        self, ends: Sequence[End], wanted: Wanted | None
    ) -> tuple[list[bool], list[ClaimedJob]]:
        limited = wanted is not None and wanted.limited
        if is_served(self._engine) and not limited and all(map(_is_plain, ends)):
            return self._turn_directly(ends, wanted)
        with self._writing() as connection:
            mine = finish(connection, ends) if ends else []
            claimed = claims.claim(connection, wanted) if wanted else []
        return mine, claimed

    def _turn_directly(
        self, ends: Sequence[End], wanted: Wanted | None
    ) -> tuple[list[bool], list[ClaimedJob]]:
        with _translated(), self._turn:
            connection = self._kept_connection()
            try:
                n_done, rows = turns.turn(connection, self._engine.dialect.name, ends, wanted)
            except BaseException:
                # Whatever state it is in, the next turn begins with another.
                self._kept.connection = None
                connection.discard()
                raise
        mine = [True] * len(ends)
        if n_done != len(ends):
            # Some were not. What was claimed must be answered whatever this look meets.
            mine = [False] * len(ends)
            with suppress(StoreUnavailable), self._writing() as looking:
                mine = [is_already(looking, job, outcome) for job, outcome in ends]
        return mine, claims.claimed(rows)

    # Running

    def progress(self, job_id: int, *, attempt: int, fraction: float, text: str) -> bool:
        values = {"progress": fraction, "progress_message": text, "updated_at": now()}
        with self._writing() as connection:
            return change(connection, values, is_mine(job_id, attempt))

    def heartbeat(self, held: Sequence[tuple[int, int]], *, lease_s: float) -> dict[int, Beat]:
        if not held:
            return {}
        mine = or_(*(is_mine(job_id, attempt) for job_id, attempt in held))
        with self._writing() as connection:
            connection.execute(update(job).where(mine).values(lease_until=later(lease_s)))
            rows = connection.execute(select(job.c.id, job.c.cancel_requested).where(mine)).all()
            asked = {row.id: row.cancel_requested for row in rows}
            for job_id, attempt in held:
                if job_id not in asked and completed_itself(connection, job_id, attempt):
                    asked[job_id] = False  # its last steps after that are its own affair
        return {job_id: _beat(asked.get(job_id)) for job_id, _attempt in held}

    # Mending

    def look(self, *, lease_s: float) -> Look:
        waiting = select(job.c.id).where(READY)
        row = self._read(
            select(
                exists(waiting).label("waiting"),
                exists(select(job.c.id).where(_doubtful(lease_s))).label("doubtful"),
                or_(
                    exists(select(job.c.id).where(_due_later())),
                    exists(select(schedule.c.name).where(schedule.c.next_run_at <= now())),
                ).label("due"),
            )
        )[0]
        return Look(waiting=bool(row.waiting), doubtful=bool(row.doubtful), due=bool(row.due))

    def list_doubtful(self, *, lease_s: float) -> list[Lease]:
        columns = (job.c.id, job.c.attempt, job.c.lease_until)
        rows = self._read(select(*columns).where(_doubtful(lease_s)).limit(MEND_LIMIT))
        return [Lease(row.id, row.attempt, str(row.lease_until)) for row in rows]

    def give_back(self, lease: Lease, *, max_deaths: int) -> bool:
        with self._writing() as connection:
            # Locked at once where rows can be: two sweepers that both came to share the row below would
            # wait for each other.
            row = connection.execute(
                select(job.c.deaths, job.c.worker, job.c.lease_until)
                .where(is_mine(lease.job_id, lease.attempt))
                .with_for_update()
            ).one_or_none()
            if row is None or str(row.lease_until) != lease.until:
                return False  # another sweeper was first, or the worker came back in time
            deaths = row.deaths + 1
            spent = deaths >= max_deaths
            error = f"its worker died {deaths} times" if spent else ""
            outcome = Outcome(Verdict.FAILED if spent else Verdict.RELEASED, error=error)
            # A death is no failure of the task.
            values = {**values_of(outcome), "deaths": deaths, "failures": job.c.failures}
            unchanged = and_(
                is_mine(lease.job_id, lease.attempt), job.c.lease_until == row.lease_until
            )
            add_started(connection, lease.job_id, attempt=lease.attempt)
            if not change(connection, values, unchanged):
                connection.rollback()
                return False
            event = EventKind.FAILED if spent else EventKind.WORKER_LOST
            note = error or row.worker or ""
            add_event(connection, lease.job_id, event, attempt=lease.attempt, note=note)
            if spent:
                stop_followers(connection, lease.job_id)
            else:
                cancel_if_asked(connection, lease.job_id, attempt=lease.attempt)
        return True

    def start_due(self) -> int:
        found = select(job.c.id).where(_due_later()).order_by(job.c.run_at).limit(DUE_LIMIT)
        ids = [row.id for row in self._read(found)]
        n_started = 0
        if ids:
            with self._writing() as connection:
                due = update(job).where(job.c.id.in_(ids), _due_later())
                n_started = connection.execute(due.values(ready=True)).rowcount
        return n_started + self._fire_schedules()

    def _fire_schedules(self) -> int:
        due = select(schedule).where(schedule.c.next_run_at <= now())
        n_fired = 0
        for row in self._read(due):
            entry = self._schedules.get(row.name)
            with self._writing() as connection:
                n_fired += fire(connection, row, entry)
        return n_fired

    def sample(self) -> None:
        with self._writing() as connection:
            minute = int(connection.scalar(select(minutes())) or 0)
            if connection.scalar(select(sample.c.minute).where(sample.c.minute == minute)):
                return
            waiting = select(func.count(), func.min(job.c.updated_at)).where(READY)
            n_waiting, oldest = connection.execute(waiting).one()
            running = select(func.count()).select_from(Job).where(RUNNING)
            wait_s = (utcnow() - oldest).total_seconds() if oldest else 0.0
            values = {
                "minute": minute,
                "n_waiting": n_waiting,
                "n_running": connection.scalar(running),
                "oldest_wait_s": max(0.0, wait_s),
            }
            connection.execute(delete(sample).where(sample.c.minute < minute - KEEP_SAMPLES_MIN))
            with suppress(IntegrityError), connection.begin_nested():
                connection.execute(insert(sample).values(values))

    # Workers

    def report_worker(self, status: WorkerStatus) -> bool:
        values = {**asdict(status), "seen_at": now()}
        with self._writing() as connection:
            same = worker_row.c.name == status.name
            if connection.execute(update(worker_row).where(same).values(values)).rowcount:
                return bool(connection.scalar(select(worker_row.c.drain_requested).where(same)))
            gone = worker_row.c.seen_at < later(-FORGET_WORKERS_AFTER_S)
            connection.execute(delete(worker_row).where(gone))
            connection.execute(
                insert(worker_row).values(**values, started_at=now(), drain_requested=False)
            )
            for entry in self._schedules.values():
                keep(connection, entry)
        return False

    def forget_worker(self, name: str) -> None:
        with self._writing() as connection:
            connection.execute(delete(worker_row).where(worker_row.c.name == name))

    # Connections

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _translated(), self._turn, self._engine.begin() as connection:
            yield connection

    def _kept_connection(self) -> Direct:
        """The connection of this thread: taking one anew costs as much as a job."""
        connection: Direct | None = getattr(self._kept, "connection", None)
        if connection is None:
            connection = self._kept.connection = Direct(self._engine)
        return connection

    def close(self) -> None:
        """Give back the connection of this thread."""
        connection = getattr(self._kept, "connection", None)
        if connection is not None:
            connection.close()
            self._kept.connection = None

    def _read(self, query: Any) -> Sequence[Any]:
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


def _due_later() -> ColumnElement[bool]:
    waits = and_(text("job.state = 'queued'"), text("job.ready = false"))
    return and_(waits, job.c.after_id.is_(None), job.c.run_at <= now())


def _doubtful(lease_s: float) -> ColumnElement[bool]:
    wrong = or_(
        job.c.lease_until < now(), job.c.lease_until > later(FARTHEST_LEASES * max(lease_s, 1.0))
    )
    return and_(RUNNING, wrong)


def _beat(cancel_requested: bool | None) -> Beat:
    if cancel_requested is None:
        return Beat.LOST
    return Beat.CANCEL if cancel_requested else Beat.KEEP


def _is_plain(end: End) -> bool:
    """Whether the end is written by the statement for most of them."""
    claimed, outcome = end
    return outcome.verdict is Verdict.DONE and not claimed.followed
