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
    literal,
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
from dashboard.job_queue.models import (
    READY,
    RUNNING,
    EventKind,
    Job,
    JobEvent,
    JobState,
    QueueSample,
    ScheduleRow,
    WorkerRow,
)
from dashboard.job_queue.schedules import Schedule, fire, keep
from dashboard.job_queue.statements import complete_parameters, run, statements_for
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

EVENT_OF = {
    Verdict.FAILED: EventKind.FAILED,
    Verdict.RETRY: EventKind.WILL_RETRY,
    Verdict.CANCELLED: EventKind.CANCELLED,
    Verdict.RELEASED: EventKind.RELEASED,
}


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
            mine = self._finish(connection, ends) if ends else []
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
                mine = [_is_already(looking, job, outcome) for job, outcome in ends]
        return mine, claims.claimed(rows)

    def _finish(self, connection: Connection, ends: Sequence[End]) -> list[bool]:
        done = [end for end in ends if end[1].verdict is Verdict.DONE]
        mine = dict.fromkeys(range(len(ends)), True)
        if done and not _complete(connection, done):
            # Some were not: find out which, one by one.
            mine |= {
                place: _is_already(connection, job, outcome)
                for place, (job, outcome) in enumerate(ends)
                if outcome.verdict is Verdict.DONE
            }
        for place, (job, outcome) in enumerate(ends):
            if outcome.verdict is not Verdict.DONE:
                mine[place] = _end_otherwise(connection, job, outcome)
        return [mine[place] for place in range(len(ends))]

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
            for job_id, attempt in held:
                if job_id not in asked and _completed_itself(connection, job_id, attempt):
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
                .where(_mine(lease.job_id, lease.attempt))
                .with_for_update()
            ).one_or_none()
            if row is None or str(row.lease_until) != lease.until:
                return False  # another sweeper was first, or the worker came back in time
            deaths = row.deaths + 1
            spent = deaths >= max_deaths
            error = f"its worker died {deaths} times" if spent else ""
            outcome = Outcome(Verdict.FAILED if spent else Verdict.RELEASED, error=error)
            # A death is no failure of the task.
            values = {**_values_of(outcome), "deaths": deaths, "failures": job.c.failures}
            unchanged = and_(
                _mine(lease.job_id, lease.attempt), job.c.lease_until == row.lease_until
            )
            _add_started(connection, lease.job_id, attempt=lease.attempt)
            if not _update(connection, values, unchanged):
                connection.rollback()
                return False
            event = EventKind.FAILED if spent else EventKind.WORKER_LOST
            note = error or row.worker or ""
            _add_event(connection, lease.job_id, event, attempt=lease.attempt, note=note)
            if spent:
                stop_followers(connection, lease.job_id)
            else:
                _cancel_if_asked(connection, lease.job_id, attempt=lease.attempt)
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
                asked = select(worker_row.c.drain_requested).where(same)
                return bool(connection.scalar(asked)) and not status.draining
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


def _mine(job_id: int, attempt: int) -> ColumnElement[bool]:
    return and_(job.c.id == job_id, job.c.attempt == attempt, job.c.state == JobState.RUNNING)


def _update(
    connection: Connection, values: dict[str, Any], *conditions: ColumnElement[bool]
) -> bool:
    return connection.execute(update(job).where(*conditions).values(values)).rowcount == 1


def _completed_itself(connection: Connection, job_id: int, attempt: int) -> bool:
    """Whether the task has marked this run done in a transaction of its own."""
    same = (job.c.id == job_id, job.c.attempt == attempt, job.c.state == JobState.DONE)
    return connection.execute(select(job.c.id).where(*same)).first() is not None


def _beat(cancel_requested: bool | None) -> Beat:
    if cancel_requested is None:
        return Beat.LOST
    return Beat.CANCEL if cancel_requested else Beat.KEEP


def _is_plain(end: End) -> bool:
    """Whether the end is written by the statement for most of them."""
    claimed, outcome = end
    return outcome.verdict is Verdict.DONE and not claimed.followed


def _complete(connection: Connection, done: Sequence[End]) -> bool:
    """Mark runs done; whether all of them were still the worker's."""
    dialect = connection.dialect.name
    statement = statements_for(dialect).complete
    n_done = run(connection, statement, complete_parameters(dialect, done)).rowcount
    followed = [job.id for job, _outcome in done if job.followed]
    if followed:
        release_followers(connection, followed)
    return bool(n_done == len(done))


def release_followers(connection: Connection, ids: Sequence[int]) -> None:
    """Let the steps that wait for these completed jobs begin."""
    completed = select(job.c.id).where(job.c.id.in_(ids), job.c.state == JobState.DONE)
    ids = list(connection.scalars(completed))
    following = update(job).where(job.c.after_id.in_(ids), job.c.state == JobState.QUEUED)
    connection.execute(following.values(ready=job.c.run_at.is_(None), after_id=None))


def stop_followers(connection: Connection, job_id: int) -> None:
    """Cancel the steps after a job that did not complete."""
    query = select(job.c.id).where(job.c.after_id == job_id, job.c.state == JobState.QUEUED)
    for next_id in list(connection.scalars(query)):
        values = _values_of(Outcome(Verdict.CANCELLED))
        if _update(connection, values, job.c.id == next_id, job.c.state == JobState.QUEUED):
            note = f"#{job_id}"
            _add_event(connection, next_id, EventKind.STEP_FAILED, attempt=0, note=note)
            stop_followers(connection, next_id)


def _end_otherwise(connection: Connection, claimed: ClaimedJob, outcome: Outcome) -> bool:
    job_id, attempt = claimed.id, claimed.attempt
    # On SQLite this first write takes the write lock; without the run it writes nothing.
    _add_started(connection, job_id, attempt=attempt)
    if not _update(connection, _values_of(outcome), _mine(job_id, attempt)):
        return _is_already(connection, claimed, outcome)
    event = EVENT_OF[outcome.verdict]
    _add_event(connection, job_id, event, attempt=attempt, note=outcome.error)
    if outcome.verdict in (Verdict.RETRY, Verdict.RELEASED):
        _cancel_if_asked(connection, job_id, attempt=attempt)
    elif claimed.followed:
        stop_followers(connection, job_id)
    return True


def _values_of(outcome: Outcome) -> dict[str, Any]:
    """What the end of a run changes in the row."""
    values: dict[str, Any] = {"lease_until": None, "updated_at": now(), "ready": False}
    verdict = outcome.verdict
    if verdict in (Verdict.RETRY, Verdict.RELEASED):
        values |= {"state": JobState.QUEUED, "started_at": None, "worker": None}
        values |= {"ready": not outcome.delay_s}
        values["run_at"] = later(outcome.delay_s) if outcome.delay_s else None
    else:
        values |= {"state": JobState(verdict), "finished_at": now(), "unique_key": None}
    if outcome.error:
        values |= {"error": outcome.error[:500], "traceback": outcome.traceback}
        values["failures"] = job.c.failures + 1
    return values


def _cancel_if_asked(connection: Connection, job_id: int, *, attempt: int) -> None:
    """A job that came back after somebody asked to cancel it must not run again."""
    asked = and_(
        job.c.id == job_id, job.c.state == JobState.QUEUED, job.c.cancel_requested.is_(True)
    )
    if _update(connection, _values_of(Outcome(Verdict.CANCELLED)), asked):
        _add_event(connection, job_id, EventKind.CANCELLED, attempt=attempt)


def _is_already(connection: Connection, claimed: ClaimedJob, outcome: Outcome) -> bool:
    """Whether this end is written: just now, by the task in its own transaction, or by a commit whose
    answer was lost."""
    row = connection.execute(
        select(job.c.state, job.c.attempt).where(job.c.id == claimed.id)
    ).one_or_none()
    return row is not None and row.attempt == claimed.attempt and row.state == outcome.verdict.value


def _add_started(connection: Connection, job_id: int, *, attempt: int) -> None:
    """Move the start of a run that did not complete from the row into the timeline."""
    started = select(
        job.c.id,
        job.c.started_at,
        literal(EventKind.STARTED.value),
        job.c.attempt,
        func.coalesce(job.c.worker, ""),
    ).where(_mine(job_id, attempt))
    columns = ["job_id", "at", "kind", "attempt", "note"]
    connection.execute(insert(job_event).from_select(columns, started, include_defaults=False))


def _add_event(
    connection: Connection, job_id: int, kind: EventKind, *, attempt: int, note: str = ""
) -> None:
    connection.execute(
        insert(job_event).values(
            job_id=job_id, kind=kind, attempt=attempt, note=note[:500], at=now()
        )
    )
