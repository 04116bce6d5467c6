"""Reads of jobs, their timeline and log; owners see their own, administrators all."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from dashboard.accounts.models import User
from dashboard.core.database import Page, page_of, session, utcnow
from dashboard.core.errors import NotFound
from dashboard.job_queue.clock import later, minutes, now
from dashboard.job_queue.models import (
    READY,
    RUNNING,
    EventKind,
    Job,
    JobEvent,
    JobState,
    QueueSample,
    RateRow,
    WorkerRow,
)

# Workers report every 5 s; three missed reports mean that something is wrong.
WORKER_SEEN_S = 15.0
# Workers prolong their leases about every second (jobs/upkeep.py).
SILENT_AFTER_S = 4.0
MAX_LOG_PART = 64 * 2**10
MAX_FAILURES = 100
# Enough for a chart of a day; a portal that ends more jobs sees the newest.
MAX_ENDS = 20_000


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: her own jobs, or all."""

    user_id: int | None
    """None is the portal itself: the command line, a task."""
    sees_all: bool = False


@dataclass(frozen=True, slots=True)
class LogPart:
    """A piece of a log; ask again from `next_offset` for what follows."""

    text: str
    next_offset: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Failed jobs of one kind with one reason."""

    kind: str
    error: str
    n_jobs: int
    last_job_id: int


def page_of_jobs(
    viewer: Viewer,
    *,
    state: JobState | None = None,
    kind: str | None = None,
    page: int = 1,
    per_page: int = 20,
) -> Page[Job]:
    """The jobs the viewer may see, newest first."""
    query = _visible(viewer).order_by(Job.id.desc())
    if state is not None:
        query = query.where(Job.state == state)
    if kind:
        query = query.where(Job.kind == kind)
    return page_of(query, page=page, per_page=per_page)


def get_job(job_id: int, viewer: Viewer) -> Job:
    """The job, or NotFound when there is none or it is not the viewer's."""
    job = session.scalar(_visible(viewer).where(Job.id == job_id))
    if job is None:
        raise NotFound()
    return job


def list_jobs(ids: list[int], viewer: Viewer) -> list[Job]:
    """Those of the jobs that the viewer may see, by id."""
    query = _visible(viewer).where(Job.id.in_(ids)).order_by(Job.id)
    return list(session.scalars(query))


def names_of_owners(jobs: list[Job]) -> dict[int, str]:
    """What to call the owners of the jobs, by user id."""
    ids = {job.owner_id for job in jobs if job.owner_id is not None}
    owners = session.scalars(select(User).where(User.id.in_(ids))) if ids else ()
    return {owner.id: owner.display_name for owner in owners}


def list_kinds(viewer: Viewer) -> list[str]:
    """The kinds of the jobs the viewer may see, sorted."""
    query = _visible(viewer).with_only_columns(Job.kind).distinct().order_by(Job.kind)
    return list(session.scalars(query))


def list_events(job: Job) -> list[JobEvent]:
    """The timeline of a job, oldest first: what its row tells, and the events beside it."""
    query = select(JobEvent).where(JobEvent.job_id == job.id).order_by(JobEvent.id)
    stored = list(session.scalars(query))
    told = [_event(job, EventKind.QUEUED, job.created_at, attempt=0)]
    if job.started_at is not None and not _has_start(stored, job.attempt):
        started = _event(job, EventKind.STARTED, job.started_at, note=job.worker or "")
        places = [place for place, event in enumerate(stored) if event.attempt == job.attempt]
        stored.insert(min(places, default=len(stored)), started)
    if job.state is JobState.DONE and job.finished_at is not None:
        stored.append(_event(job, EventKind.DONE, job.finished_at))
    return [*told, *stored]


def find_active(unique_key: str) -> Job | None:
    """The job that holds the key now, as committed by whoever did."""
    # A locking read sees the latest row, also where a transaction reads from its first snapshot.
    query = select(Job).where(Job.unique_key == unique_key).with_for_update(read=True)
    return session.scalar(query.execution_options(populate_existing=True))


def queue_position(job: Job) -> int | None:
    """The place in its own queue, in the order of the claims and from 1; None unless it could start now."""
    if job.state is not JobState.QUEUED or not job.ready:
        return None
    return count_before(job, queues=[job.queue]) + 1


def count_before(job: Job, *, queues: Sequence[str]) -> int:
    """The jobs of these queues that are claimed before this one, as far as no limit holds them back."""
    query = select(func.count()).select_from(Job).where(READY, comes_before(job))
    return session.scalar(query.where(Job.queue.in_(queues))) or 0


def comes_before(job: Job) -> ColumnElement[bool]:
    """What holds for jobs that are claimed before this one: by priority and turn."""
    return or_(
        Job.priority < job.priority,
        and_(Job.priority == job.priority, Job.fair < job.fair),
        and_(Job.priority == job.priority, Job.fair == job.fair, Job.id < job.id),
    )


def silent_s(job: Job) -> float | None:
    """For how long the worker of a running job has not prolonged its lease; None when it just has."""
    if job.state is not JobState.RUNNING or job.lease_until is None:
        return None
    lease_s = current_app.config["ATRIUM"].jobs.lease_s
    # By the clock that wrote the lease.
    left_s = (job.lease_until - _database_now()).total_seconds()
    silent = lease_s - left_s
    return silent if silent > min(SILENT_AFTER_S, lease_s) else None


def runner_alive() -> bool:
    """Whether a job runner has been heard of lately."""
    query = select(WorkerRow.name).where(WorkerRow.seen_at > later(-WORKER_SEEN_S)).limit(1)
    return session.scalar(query) is not None


def list_workers() -> list[WorkerRow]:
    """The workers heard of in the last day, by name."""
    return list(session.scalars(select(WorkerRow).order_by(WorkerRow.name)))


def list_live_workers() -> list[WorkerRow]:
    """The workers that were heard of lately, by name."""
    live = select(WorkerRow).where(WorkerRow.seen_at > later(-WORKER_SEEN_S))
    return list(session.scalars(live.order_by(WorkerRow.name)))


def count_running(*, owner_id: int | None = None, kind: str | None = None) -> int:
    """The jobs that run now: all, those of an owner, or those of a kind."""
    query = select(func.count()).select_from(Job).where(RUNNING)
    if owner_id is not None:
        query = query.where(Job.owner_id == owner_id)
    if kind is not None:
        query = query.where(Job.kind == kind)
    return session.scalar(query) or 0


def count_started(kind: str) -> int:
    """The jobs of a kind with a limit that were started in the present minute."""
    present = RateRow.minute == minutes()
    return session.scalar(select(RateRow.n_started).where(RateRow.kind == kind, present)) or 0


def list_failures() -> list[Failure]:
    """The failed jobs put together by kind and reason, the most frequent first."""
    n_jobs, last = func.count(), func.max(Job.id)
    query = (
        select(Job.kind, Job.error, n_jobs, last)
        .where(Job.state == JobState.FAILED)
        .group_by(Job.kind, Job.error)
        .order_by(n_jobs.desc(), last.desc())
        .limit(MAX_FAILURES)
    )
    return [Failure(*row) for row in session.execute(query)]


def list_samples(*, minutes: int) -> list[QueueSample]:
    """How the queue stood in each of the last minutes, oldest first."""
    since = int(time.time() // 60) - minutes
    query = select(QueueSample).where(QueueSample.minute >= since)
    return list(session.scalars(query.order_by(QueueSample.minute)))


def list_ends(*, minutes: int) -> list[tuple[datetime, str, JobState]]:
    """When jobs ended in the last minutes, of which kind and how; the newest when there are too many."""
    since = utcnow() - timedelta(minutes=minutes)
    query = (
        select(Job.finished_at, Job.kind, Job.state)
        .where(Job.finished_at >= since)
        .order_by(Job.finished_at.desc())
        .limit(MAX_ENDS)
    )
    return [(at, kind, state) for at, kind, state in session.execute(query) if at]


def runs_dir() -> Path:
    """Where runs keep their logs and files: <runs_dir>/<job>/<attempt>/."""
    data_dir: Path = current_app.config["ATRIUM"].site.data_dir
    return data_dir / "runs"


def read_log(job: Job, *, offset: int = 0, attempt: int | None = None) -> LogPart:
    """What an attempt (the last one unless named) has logged from `offset` on, in whole lines."""
    attempt = job.attempt if attempt is None else attempt
    path = runs_dir() / str(job.id) / str(attempt) / "log.txt"
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(min(offset, size))
            piece = file.read(MAX_LOG_PART)
    except FileNotFoundError:
        return LogPart(text="", next_offset=0, attempt=attempt)
    whole = piece[: piece.rfind(b"\n") + 1]
    text = whole.decode("utf-8", "replace")
    return LogPart(text=text, next_offset=min(offset, size) + len(whole), attempt=attempt)


def _has_start(events: list[JobEvent], attempt: int) -> bool:
    return any(event.kind is EventKind.STARTED and event.attempt == attempt for event in events)


def _event(
    job: Job, kind: EventKind, at: datetime, *, attempt: int | None = None, note: str = ""
) -> JobEvent:
    attempt = job.attempt if attempt is None else attempt
    return JobEvent(job_id=job.id, kind=kind, at=at, attempt=attempt, note=note)


def _database_now() -> datetime:
    present = session.scalar(select(now()))
    found: datetime = datetime.fromisoformat(present) if isinstance(present, str) else present
    return found


def _visible(viewer: Viewer) -> Select[Any]:
    query = select(Job)
    return query if viewer.sees_all else query.where(Job.owner_id == viewer.user_id)
