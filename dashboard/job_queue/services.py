"""Enqueue, cancel, retry, clean up: the use cases of jobs."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from flask import current_app
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.exc import IntegrityError

from dashboard.audit import services as audit
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict
from dashboard.core.i18n import _
from dashboard.job_queue import queries
from dashboard.job_queue.messages import CleanUp
from dashboard.job_queue.models import FINISHED, EventKind, Job, JobEvent, JobState
from dashboard.job_queue.publishing import ring_after_commit
from dashboard.job_queue.queries import Viewer
from jobs.messages import Message, dump, kind_of

NORMAL = 0
LOW = 10
CLEAN_UP_BATCH = 200


def enqueue(
    message: Message,
    *,
    owner_id: int | None,
    unique_key: str | None = None,
    run_at: datetime | None = None,
    priority: int = NORMAL,
) -> Job:
    """The job that will do what `message` says, once the caller's transaction has committed.

    With a `unique_key`: the active job that holds the key already, when there is one.
    `run_at` is naive UTC, None is now; a lower `priority` is sooner.
    """
    with transaction():
        if unique_key is None:
            return _insert(_new_job(message, owner_id, None, run_at, priority))
        # A write comes first: on SQLite it takes the write lock before the look, elsewhere it keeps
        # the job that holds the key from ending until the caller has committed.
        held = update(Job).where(Job.unique_key == unique_key)
        session.execute(held.values(unique_key=unique_key), execution_options=_PLAIN)
        found = queries.find_active(unique_key)
        return found or _insert_unique(_new_job(message, owner_id, unique_key, run_at, priority))


def cancel_job(job_id: int, *, viewer: Viewer) -> Job:
    """The job, cancelled when it was waiting, asked to stop when it is running (a few seconds)."""
    with transaction():
        job = queries.get_job(job_id, viewer)
        waiting = {
            "state": JobState.CANCELLED,
            "finished_at": utcnow(),
            "unique_key": None,
            "cancel_requested": True,
        }
        if _change(job, JobState.QUEUED, **waiting):
            _add_event(job, EventKind.CANCELLED)
        elif _change(job, JobState.RUNNING, cancel_requested=True):
            _add_event(job, EventKind.CANCEL_REQUESTED)
        else:
            raise Conflict(_("Only a job that waits or runs can be cancelled."))
        _audit(job, viewer, "job.cancel")
        return job


def retry_job(job_id: int, *, viewer: Viewer) -> Job:
    """The failed or cancelled job, queued again as if it were new."""
    with transaction():
        job = queries.get_job(job_id, viewer)
        if not any(_change(job, state, **_fresh()) for state in _RETRYABLE):
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
        _add_event(job, EventKind.DONE)


def request_clean_up(*, actor_id: int | None) -> Job:
    """The job that removes old jobs; the waiting one when there is one."""
    keep_days = current_app.config["ATRIUM"].jobs.keep_days
    return enqueue(
        CleanUp(keep_days=keep_days),
        owner_id=actor_id,
        unique_key="job_queue.clean_up",
        priority=LOW,
    )


def clean_up(*, keep_days: int, on_batch: Callable[[int], None] = lambda n_removed: None) -> int:
    """Remove jobs that finished more than `keep_days` ago, with their files; how many they were."""
    before = utcnow() - timedelta(days=keep_days)
    n_removed = 0
    while ids := _finished_before(before):
        with transaction():
            session.execute(delete(JobEvent).where(JobEvent.job_id.in_(ids)))
            session.execute(delete(Job).where(Job.id.in_(ids)))
        for job_id in ids:
            # After the commit: a file without a row is found again by nobody, but harms nobody.
            shutil.rmtree(queries.runs_dir() / str(job_id), ignore_errors=True)
        n_removed += len(ids)
        on_batch(n_removed)
    return n_removed


_PLAIN = {"synchronize_session": False}
_RETRYABLE = (JobState.FAILED, JobState.CANCELLED)


def _new_job(
    message: Message,
    owner_id: int | None,
    unique_key: str | None,
    run_at: datetime | None,
    priority: int,
) -> Job:
    kind = kind_of(type(message))
    return Job(
        kind=kind.name,
        queue=kind.queue,
        args=dump(message),
        owner_id=owner_id,
        unique_key=unique_key,
        run_at=run_at,
        priority=priority,
        fair=queries.fair_turn(owner_id=owner_id, priority=priority),
        published_at=utcnow() if run_at is None else None,
        attempt=0,
    )


def _insert(job: Job) -> Job:
    session.add(job)
    session.flush()
    _add_event(job, EventKind.QUEUED)
    if job.run_at is None:
        ring_after_commit(session, job_id=job.id, queue=job.queue)
    return job


def _insert_unique(job: Job) -> Job:
    key = cast(str, job.unique_key)
    try:
        # Another transaction may have inserted the key since we looked (not on SQLite).
        with session.begin_nested():
            session.add(job)
            session.flush()
    except IntegrityError:
        found = queries.find_active(key)
        if found is None:
            raise
        return found
    return _insert(job)


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
        "published_at": utcnow(),
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


def _finished_before(before: datetime) -> list[int]:
    old = (Job.state.in_(FINISHED), Job.finished_at < before)
    return list(session.scalars(select(Job.id).where(*old).order_by(Job.id).limit(CLEAN_UP_BATCH)))
