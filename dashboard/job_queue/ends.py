"""How runs end in the tables: the row, its timeline, and the steps that wait for it.

Every change names the attempt, so that a worker which was given up writes nothing.
"""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Connection, Table, and_, func, insert, literal, select, update
from sqlalchemy.sql.elements import ColumnElement

from dashboard.job_queue.clock import later, now
from dashboard.job_queue.models import EventKind, Job, JobEvent, JobState
from dashboard.job_queue.statements import complete_parameters, run, statements_for
from jobs.store import ClaimedJob, End, Outcome, Verdict

job = cast(Table, Job.__table__)
job_event = cast(Table, JobEvent.__table__)

EVENT_OF = {
    Verdict.FAILED: EventKind.FAILED,
    Verdict.RETRY: EventKind.WILL_RETRY,
    Verdict.CANCELLED: EventKind.CANCELLED,
    Verdict.RELEASED: EventKind.RELEASED,
}


def finish(connection: Connection, ends: Sequence[End]) -> list[bool]:
    """Write the ends of runs; of each whether the run was still the caller's."""
    done = [end for end in ends if end[1].verdict is Verdict.DONE]
    mine = dict.fromkeys(range(len(ends)), True)
    if done and not _complete(connection, done):
        # Some were not: find out which, one by one.
        mine |= {
            place: is_already(connection, job, outcome)
            for place, (job, outcome) in enumerate(ends)
            if outcome.verdict is Verdict.DONE
        }
    for place, (job, outcome) in enumerate(ends):
        if outcome.verdict is not Verdict.DONE:
            mine[place] = _end_otherwise(connection, job, outcome)
    return [mine[place] for place in range(len(ends))]


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
        values = values_of(Outcome(Verdict.CANCELLED))
        if change(connection, values, job.c.id == next_id, job.c.state == JobState.QUEUED):
            note = f"#{job_id}"
            add_event(connection, next_id, EventKind.STEP_FAILED, attempt=0, note=note)
            stop_followers(connection, next_id)


def _end_otherwise(connection: Connection, claimed: ClaimedJob, outcome: Outcome) -> bool:
    job_id, attempt = claimed.id, claimed.attempt
    # On SQLite this first write takes the write lock; without the run it writes nothing.
    add_started(connection, job_id, attempt=attempt)
    if not change(connection, values_of(outcome), is_mine(job_id, attempt)):
        return is_already(connection, claimed, outcome)
    event = EVENT_OF[outcome.verdict]
    add_event(connection, job_id, event, attempt=attempt, note=outcome.error)
    if outcome.verdict in (Verdict.RETRY, Verdict.RELEASED):
        cancel_if_asked(connection, job_id, attempt=attempt)
    elif claimed.followed:
        stop_followers(connection, job_id)
    return True


def values_of(outcome: Outcome) -> dict[str, Any]:
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


def cancel_if_asked(connection: Connection, job_id: int, *, attempt: int) -> None:
    """A job that came back after somebody asked to cancel it must not run again."""
    asked = and_(
        job.c.id == job_id, job.c.state == JobState.QUEUED, job.c.cancel_requested.is_(True)
    )
    if change(connection, values_of(Outcome(Verdict.CANCELLED)), asked):
        add_event(connection, job_id, EventKind.CANCELLED, attempt=attempt)


def is_already(connection: Connection, claimed: ClaimedJob, outcome: Outcome) -> bool:
    """Whether this end is written: just now, by the task in its own transaction, or by a commit whose
    answer was lost."""
    row = connection.execute(
        select(job.c.state, job.c.attempt).where(job.c.id == claimed.id)
    ).one_or_none()
    return row is not None and row.attempt == claimed.attempt and row.state == outcome.verdict.value


def add_started(connection: Connection, job_id: int, *, attempt: int) -> None:
    """Move the start of a run that did not complete from the row into the timeline."""
    started = select(
        job.c.id,
        job.c.started_at,
        literal(EventKind.STARTED.value),
        job.c.attempt,
        func.coalesce(job.c.worker, ""),
    ).where(is_mine(job_id, attempt))
    columns = ["job_id", "at", "kind", "attempt", "note"]
    connection.execute(insert(job_event).from_select(columns, started, include_defaults=False))


def add_event(
    connection: Connection, job_id: int, kind: EventKind, *, attempt: int, note: str = ""
) -> None:
    """Add a line to the timeline of a job."""
    connection.execute(
        insert(job_event).values(
            job_id=job_id, kind=kind, attempt=attempt, note=note[:500], at=now()
        )
    )


def is_mine(job_id: int, attempt: int) -> ColumnElement[bool]:
    """The run, while it is its worker's."""
    return and_(job.c.id == job_id, job.c.attempt == attempt, job.c.state == JobState.RUNNING)


def change(
    connection: Connection, values: dict[str, Any], *conditions: ColumnElement[bool]
) -> bool:
    """Change one job; whether the conditions held."""
    return connection.execute(update(job).where(*conditions).values(values)).rowcount == 1


def completed_itself(connection: Connection, job_id: int, attempt: int) -> bool:
    """Whether the task has marked this run done in a transaction of its own."""
    same = (job.c.id == job_id, job.c.attempt == attempt, job.c.state == JobState.DONE)
    return connection.execute(select(job.c.id).where(*same)).first() is not None
