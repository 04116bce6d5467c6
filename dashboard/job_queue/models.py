"""Jobs, what happened to them, and the workers that run them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.core.database import UTCDateTime, db, utcnow
from dashboard.core.i18n import lazy

# MySQL's TEXT ends at 64 kB.
LongText = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"  # waits for a worker, perhaps for a later time
    RUNNING = "running"  # a worker has it, and extends its lease
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = (JobState.QUEUED, JobState.RUNNING)
FINISHED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

STATE_LABELS = {
    JobState.QUEUED: lazy("Queued"),
    JobState.RUNNING: lazy("Running"),
    JobState.DONE: lazy("Completed"),
    JobState.FAILED: lazy("Failed"),
    JobState.CANCELLED: lazy("Cancelled"),
}


class EventKind(StrEnum):
    """What can happen to a job."""

    QUEUED = "queued"  # enqueued
    STARTED = "started"  # a worker claimed it
    DONE = "done"
    FAILED = "failed"  # for good
    WILL_RETRY = "will_retry"  # failed, and runs again by itself
    WORKER_LOST = "worker_lost"  # its worker was not heard of for a whole lease
    RELEASED = "released"  # its worker stopped and handed it back
    CANCEL_REQUESTED = "cancel_requested"  # while it was running
    CANCELLED = "cancelled"
    RETRIED = "retried"  # by hand
    STEP_FAILED = "step_failed"  # the step before it did not complete


EVENT_LABELS = {
    EventKind.QUEUED: lazy("Queued"),
    EventKind.STARTED: lazy("Started"),
    EventKind.DONE: lazy("Completed"),
    EventKind.FAILED: lazy("Failed"),
    EventKind.WILL_RETRY: lazy("Failed, will be tried again"),
    EventKind.WORKER_LOST: lazy("Worker lost, queued again"),
    EventKind.RELEASED: lazy("Worker stopped, queued again"),
    EventKind.CANCEL_REQUESTED: lazy("Asked to cancel"),
    EventKind.CANCELLED: lazy("Cancelled"),
    EventKind.RETRIED: lazy("Queued again by hand"),
    EventKind.STEP_FAILED: lazy("Cancelled, because the step before it did not complete"),
}


class WorkerState(StrEnum):
    """What a worker that lives does about jobs."""

    ALIVE = "alive"
    DRAINING = "draining"  # takes no more until somebody resumes it, and ends those that run
    DRAINED = "drained"
    STOPPING = "stopping"  # its process ends


WORKER_STATE_LABELS = {
    WorkerState.ALIVE: lazy("alive"),
    WorkerState.DRAINING: lazy("draining"),
    WorkerState.DRAINED: lazy("drained"),
    WorkerState.STOPPING: lazy("stopping"),
}


def _stored(kind: type[StrEnum], *, length: int) -> Enum:
    # Kept by value in a plain column, so that a new member needs no migration.
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda members: [member.value for member in members],
    )


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    rows = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=rows, postgresql_where=rows)


class Job(db.Model):  # type: ignore[name-defined,misc]
    """One run to be made of a task, through all its attempts. The row is the truth about the job."""

    __tablename__ = "job"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(80))
    queue: Mapped[str] = mapped_column(String(40))
    state: Mapped[JobState] = mapped_column(_stored(JobState, length=12), default=JobState.QUEUED)
    # Queued, due, and not behind another step: what a worker may claim. Kept as a column so that the
    # claim reads an index of just those rows and compares no clocks.
    ready: Mapped[bool] = mapped_column(Boolean, default=True)
    # Lower is sooner, in both; every index and database then sorts the same way.
    priority: Mapped[int] = mapped_column(Integer, default=0)
    # Start-time fair queueing: the jobs of different owners take turns (see statements.INSERT).
    fair: Mapped[int] = mapped_column(Integer, default=0)
    # Whose turn it takes: the owner's number, 0 for the portal's own jobs.
    share: Mapped[int] = mapped_column(Integer, default=0)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    args: Mapped[dict[str, Any]] = mapped_column(JSON)
    # Set while the job is active, so that an equal one is not enqueued beside it.
    unique_key: Mapped[str | None] = mapped_column(String(120))
    # The key it was enqueued with, for when it is queued again by hand.
    original_key: Mapped[str | None] = mapped_column(String(120))
    # The step that must complete before this one, and whether a step comes after this one.
    after_id: Mapped[int | None] = mapped_column(Integer)
    followed: Mapped[bool] = mapped_column(Boolean, default=False)
    # Not before; NULL is "now".
    run_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # The fence: a worker's writes name the attempt they belong to.
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    deaths: Mapped[int] = mapped_column(Integer, default=0)
    # NULL is what the task says.
    max_failures: Mapped[int | None] = mapped_column(Integer)
    timeout_s: Mapped[float | None] = mapped_column(Float)
    worker: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    progress_message: Mapped[str] = mapped_column(String(200), default="")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # One line for the owner; the traceback is for administrators.
    error: Mapped[str] = mapped_column(String(500), default="")
    traceback: Mapped[str] = mapped_column(LongText, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)

    # An index covers only the rows it is for where the database can (MariaDB cannot), so that a
    # million finished jobs make no claim slower.
    __table_args__ = (
        # In the order of the claim, so that it reads as many rows as it takes.
        _partial("ix_job_claim", "ready", "priority", "fair", "id", where="ready = true"),
        _partial("ix_job_turn", "ready", "share", "priority", "fair", where="ready = true"),
        _partial("ix_job_lease", "state", "lease_until", where="state = 'running'"),
        _partial("ix_job_later", "state", "run_at", where="state = 'queued' AND ready = false"),
        _partial("ix_job_after_id", "after_id", where="after_id IS NOT NULL"),
        _partial("ux_job_unique_key", "unique_key", where="unique_key IS NOT NULL", unique=True),
        _partial("ix_job_finished_at", "finished_at", where="finished_at IS NOT NULL"),
        _partial("ix_job_kind", "kind", "finished_at", where="finished_at IS NOT NULL"),
        _partial("ix_job_failed", "state", "id", where="state = 'failed'"),
        Index("ix_job_owner", "owner_id", "id"),
    )

    @property
    def active(self) -> bool:
        """Whether something may still happen to the job by itself."""
        return self.state in ACTIVE

    @property
    def state_label(self) -> str:
        """The state in the reader's language."""
        return str(STATE_LABELS[self.state])

    def __str__(self) -> str:
        return f"{self.kind} #{self.id}"


# In the words of the indexes: SQLite uses one only for rows asked for by the same words.
READY = text("job.ready = true")
RUNNING = text("job.state = 'running'")


class JobEvent(db.Model):  # type: ignore[name-defined,misc]
    """A line of a job's timeline that its row does not tell.

    Enqueued, started and completed stand in the row itself: a job that simply runs has no event.
    """

    __tablename__ = "job_event"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    kind: Mapped[EventKind] = mapped_column(_stored(EventKind, length=20))
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    note: Mapped[str] = mapped_column(String(500), default="")

    @property
    def label(self) -> str:
        """What happened, in the reader's language."""
        return str(EVENT_LABELS[self.kind])


class NoticeRead(db.Model):  # type: ignore[name-defined,misc]
    """When its owner last saw that a job has ended (notices.py)."""

    __tablename__ = "job_notice_read"

    job_id: Mapped[int] = mapped_column(
        ForeignKey("job.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    read_at: Mapped[datetime] = mapped_column(UTCDateTime)


class WorkerRow(db.Model):  # type: ignore[name-defined,misc]
    """A worker process, as it tells of itself every few seconds."""

    __tablename__ = "worker"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int] = mapped_column(Integer)
    queues: Mapped[list[str]] = mapped_column(JSON)
    slots: Mapped[int] = mapped_column(Integer)
    running: Mapped[list[int]] = mapped_column(JSON)
    draining: Mapped[bool] = mapped_column(Boolean, default=False)
    # Somebody asked it to take no more jobs until she says otherwise.
    drain_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @property
    def state(self) -> WorkerState:
        """What the worker does about jobs, as far as it has told."""
        if not self.drain_requested:
            return WorkerState.STOPPING if self.draining else WorkerState.ALIVE
        over = self.draining and not self.running
        return WorkerState.DRAINED if over else WorkerState.DRAINING

    @property
    def state_label(self) -> str:
        """The state in the reader's language."""
        return str(WORKER_STATE_LABELS[self.state])

    def __str__(self) -> str:
        return self.name


class ScheduleRow(db.Model):  # type: ignore[name-defined,misc]
    """Recurring work: when it is next due. What it is stands in the code (surfaces.SCHEDULES)."""

    __tablename__ = "job_schedule"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    cron: Mapped[str] = mapped_column(String(80))
    next_run_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_job_id: Mapped[int | None] = mapped_column(Integer)


class RateRow(db.Model):  # type: ignore[name-defined,misc]
    """How many jobs of a limited kind were started in the present minute."""

    __tablename__ = "job_rate"

    kind: Mapped[str] = mapped_column(String(80), primary_key=True)
    minute: Mapped[int] = mapped_column(Integer, default=0)
    n_started: Mapped[int] = mapped_column(Integer, default=0)


class QueueSample(db.Model):  # type: ignore[name-defined,misc]
    """How the queue stood in one minute, for the charts."""

    __tablename__ = "job_sample"

    # Minutes since 1970: of several samplers one writes.
    minute: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    n_waiting: Mapped[int] = mapped_column(Integer)
    n_running: Mapped[int] = mapped_column(Integer)
    oldest_wait_s: Mapped[float] = mapped_column(Float)
