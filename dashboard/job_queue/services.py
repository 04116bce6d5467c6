"""Enqueue, cancel, retry, clean up: the use cases of jobs."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import class_mapper
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.orm.util import identity_key

from dashboard.audit import services as audit
from dashboard.core.database import database_errors, db, session, transaction, utcnow
from dashboard.core.errors import Conflict, NotFound
from dashboard.core.i18n import _
from dashboard.job_queue import queries
from dashboard.job_queue.direct import Direct, is_served
from dashboard.job_queue.ends import release_followers, stop_followers
from dashboard.job_queue.keys import find_holder, refusal
from dashboard.job_queue.messages import CleanUp
from dashboard.job_queue.models import EventKind, Job, JobEvent, JobState, WorkerRow
from dashboard.job_queue.publishing import get_broker, ring_after_commit
from dashboard.job_queue.queries import Viewer
from dashboard.job_queue.rows import insert_directly, insert_job, new_row
from jobs.messages import Message

NORMAL = 0
LOW = 10


def enqueue(
    message: Message,
    *,
    owner_id: int | None,
    unique_key: str | None = None,
    run_at: datetime | None = None,
    priority: int = NORMAL,
    then: Sequence[Message] = (),
) -> Job:
    """The job that will do what `message` says, once the caller's transaction has committed.

    With a `unique_key`: the active job that holds the key already, when there is one.
    `run_at` is naive UTC, None is now; a lower `priority` is sooner. The messages in `then` are
    further steps: each begins when the one before has completed, and is cancelled when it has not.
    Outside of any transaction it is one of its own.
    """
    row = new_row(
        message,
        owner_id=owner_id,
        unique_key=unique_key,
        run_at=run_at,
        priority=priority,
        followed=bool(then),
    )
    if unique_key is None and not then and _is_alone():
        return _insert_alone(row)
    with transaction():
        if unique_key is None:
            job = _insert(row)
        else:
            found = find_holder(unique_key)
            if found is not None:
                return found
            job = _insert_unique(row)
        _insert_steps(job, then, owner_id=owner_id, priority=priority)
        return job


def cancel_job(job_id: int, *, viewer: Viewer) -> Job:
    """The job, cancelled when it was waiting, asked to stop when it is running (a few seconds)."""
    with transaction():
        job = queries.get_job(job_id, viewer)
        waiting = {
            "state": JobState.CANCELLED,
            "finished_at": utcnow(),
            "unique_key": None,
            "cancel_requested": True,
            "ready": False,
        }
        if _change(job, JobState.QUEUED, **waiting):
            _add_event(job, EventKind.CANCELLED)
            _stop_steps(job)
        elif _change(job, JobState.RUNNING, cancel_requested=True):
            _add_event(job, EventKind.CANCEL_REQUESTED)
        else:
            raise Conflict(_("Only a job that waits or runs can be cancelled."))
        _audit(job, viewer, "job.cancel")
        return job


def retry_job(job_id: int, *, viewer: Viewer) -> Job:
    """The failed or cancelled job, queued again as if it were new; Conflict also while another job
    holds its unique key."""
    with transaction():
        job = queries.get_job(job_id, viewer)
        if job.state not in _RETRYABLE or not _queue_again(job, viewer):
            raise Conflict(_("Only a job that failed or was cancelled can be tried again."))
        _add_event(job, EventKind.RETRIED)
        ring_after_commit(session, job_id=job.id, queue=job.queue)
        _audit(job, viewer, "job.retry")
        return job


def complete(*, job_id: int, attempt: int, result: dict[str, Any] | None = None) -> None:
    """Mark a run done inside the transaction of the task that ran it, so that its effects and the
    end of the job are committed together; Conflict when the run is no longer the caller's."""
    with transaction():
        job = session.get(Job, job_id)
        ended = {"result": result, "finished_at": utcnow(), "unique_key": None, "progress": 1.0}
        if job is None or not _change(
            job, JobState.RUNNING, Job.attempt == attempt, state=JobState.DONE, error="", **ended
        ):
            raise Conflict(_("This run of the job was given up."))
        if job.followed:
            release_followers(session.connection(), [job_id])
            ring_after_commit(session, job_id=job.id, queue=job.queue)


def request_clean_up(*, actor_id: int | None) -> Job:
    """The job that removes old jobs; the waiting one when there is one."""
    return enqueue(
        CleanUp(),
        owner_id=actor_id,
        unique_key="job_queue.clean_up",
        priority=LOW,
    )


def retry_alike(*, kind: str, error: str, viewer: Viewer) -> tuple[int, int]:
    """Queue again the failed jobs of one kind with one reason; how many, and how many were left because
    their work waits or runs already."""
    alike = select(Job.id).where(Job.state == JobState.FAILED, Job.kind == kind, Job.error == error)
    ids, n_queued = list(session.scalars(alike)), 0
    for job_id in ids:
        # One by one: somebody may be trying one of them again at this moment.
        with suppress(Conflict):
            retry_job(job_id, viewer=viewer)
            n_queued += 1
    return n_queued, len(ids) - n_queued


def drain_worker(name: str, *, viewer: Viewer) -> None:
    """Have a worker take no more jobs until it is resumed; it hears of it within seconds."""
    _set_drained(name, True, viewer=viewer)


def resume_worker(name: str, *, viewer: Viewer) -> None:
    """Have a drained worker take jobs again."""
    _set_drained(name, False, viewer=viewer)


def _set_drained(name: str, drained: bool, *, viewer: Viewer) -> None:
    with transaction():
        worker = session.get(WorkerRow, name)
        if worker is None:
            raise NotFound()
        if worker.drain_requested == drained:
            return
        worker.drain_requested = drained
        # As it will say itself when it has heard of it.
        worker.draining = worker.draining and drained
        action = "worker.drain" if drained else "worker.resume"
        audit.record(actor_id=viewer.user_id, action=action, subject="worker", summary=name)


_PLAIN = {"synchronize_session": False}
_RETRYABLE = (JobState.FAILED, JobState.CANCELLED)
_NEW: dict[str, Any] = {
    **dict.fromkeys(column.key for column in class_mapper(Job).columns),
    "state": JobState.QUEUED,
    **{"attempt": 0, "failures": 0, "deaths": 0, "progress": 0.0, "cancel_requested": False},
    **{"progress_message": "", "error": "", "traceback": ""},
}
"""A new job as the database keeps it (statements.NEW)."""
_manager = class_mapper(Job).class_manager


def _is_alone() -> bool:
    """Whether nothing else belongs to the transaction, so that the job may have one for itself."""
    own = db.session()
    busy = own.in_transaction() or own.info.get("in_transaction")
    return not busy and is_served(db.engine)


def _insert_alone(row: dict[str, Any]) -> Job:
    with database_errors(), Direct(db.engine) as connection:
        job_id = insert_directly(connection, db.engine.dialect.name, row)
    if row["ready"]:
        get_broker().publish(job_id, queue=row["queue"])
    return _loaded(job_id, row)


def _insert(row: dict[str, Any]) -> Job:
    # Not through the unit of work, which would cost several times the statement itself.
    own = db.session()
    own.flush()
    job_id = insert_job(own.connection(), row)
    if row["ready"]:
        ring_after_commit(own, job_id=job_id, queue=row["queue"])
    return _loaded(job_id, row)


def _loaded(job_id: int, row: dict[str, Any]) -> Job:
    """The job as it was written, without asking for it; the session does not follow it."""
    if "fair" not in row:
        return session.get_one(Job, job_id)
    job: Job = _manager.new_instance()
    job.__dict__.update({**_NEW, **row, "id": job_id, "args": json.loads(row["args"])})
    instance_state(job).key = identity_key(Job, job_id)
    return job


def _insert_unique(row: dict[str, Any]) -> Job:
    try:
        # Another transaction may have inserted the key since we looked (not on SQLite).
        with session.begin_nested():
            return _insert(row)
    except IntegrityError:
        found = queries.find_active(row["unique_key"])
        if found is None:
            raise
        return found


def _insert_steps(
    job: Job, messages: Sequence[Message], *, owner_id: int | None, priority: int
) -> None:
    after_id = job.id
    for place, message in enumerate(messages, 1):
        row = new_row(
            message,
            owner_id=owner_id,
            priority=priority,
            after_id=after_id,
            followed=place < len(messages),
        )
        after_id = insert_job(session.connection(), row)


def _stop_steps(job: Job) -> None:
    if job.followed:
        stop_followers(session.connection(), job.id)


def _queue_again(job: Job, viewer: Viewer) -> bool:
    """Whether the job could be queued again, with its key; Conflict while another job holds that."""
    key, values = job.original_key, _fresh()
    if key is None:
        return _change(job, job.state, **values)
    holder = find_holder(key)
    if holder is not None and holder.id != job.id:
        raise refusal(holder, viewer)
    try:
        # Another transaction may have given the key away since we looked (not on SQLite).
        with session.begin_nested():
            return _change(job, job.state, unique_key=key, **values)
    except IntegrityError as error:
        raise refusal(queries.find_active(key), viewer) from error


def _fresh() -> dict[str, Any]:
    return {
        "state": JobState.QUEUED,
        "failures": 0,
        "deaths": 0,
        "error": "",
        "traceback": "",
        "progress": 0.0,
        "progress_message": "",
        "result": None,
        "run_at": None,
        "finished_at": None,
        "started_at": None,
        "cancel_requested": False,
        "ready": True,
        "after_id": None,
    }


def _change(job: Job, present: JobState, *conditions: Any, **values: Any) -> bool:
    """Change the row if it still is in that state: a worker may be changing it at this moment."""
    statement = update(Job).where(Job.id == job.id, Job.state == present, *conditions)
    values["updated_at"] = utcnow()
    result = session.execute(statement.values(**values), execution_options=_PLAIN)
    session.refresh(job)
    return cast(CursorResult[Any], result).rowcount == 1


def _add_event(job: Job, kind: EventKind) -> None:
    session.add(JobEvent(job_id=job.id, kind=kind, attempt=job.attempt))


def _audit(job: Job, viewer: Viewer, action: str) -> None:
    """Note who changed a job of somebody else."""
    if job.owner_id != viewer.user_id:
        audit.record(
            actor_id=viewer.user_id, action=action, subject=f"job:{job.id}", summary=job.kind
        )
