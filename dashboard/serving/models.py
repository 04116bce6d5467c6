"""Models with their versions, who may use them, what is deployed, and what was predicted.

A machine-learning model is a `Model`; each file of it is a `ModelVersion`, run by a runtime of jobs/engines/scoring.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy import Text as PlainText
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dashboard.core.database import UTCDateTime, db, utcnow
from dashboard.core.i18n import lazy

# MySQL's TEXT ends at 64 kB.
LongText = PlainText().with_variant(MEDIUMTEXT(), "mysql", "mariadb")
# Where JSON may be absent: SQL's NULL, not JSON's.
NullableJSON = JSON(none_as_null=True)


class Right(StrEnum):
    """What somebody may do with a model of another person; each includes the ones before."""

    VIEW = "view"  # its page and its description
    USE = "use"  # test it and call its deployments
    MANAGE = "manage"  # everything but sharing and deleting it


RIGHT_LABELS = {
    Right.VIEW: lazy("May look"),
    Right.USE: lazy("May use"),
    Right.MANAGE: lazy("May manage"),
}


class BaselineOrigin(StrEnum):
    """Where it is known from how a version's inputs were spread when it learnt."""

    TRAINING = "training"  # the model was trained here
    FILE = "file"  # the model's file says so
    TABLE = "table"  # somebody gave a table of reference


class DeploymentState(StrEnum):
    """What its owner wants of a deployment."""

    RUNNING = "running"
    PAUSED = "paused"


class Health(StrEnum):
    """How a deployment stands, as the process that serves it reports."""

    STARTING = "starting"  # no replica has answered yet
    READY = "ready"
    DEGRADED = "degraded"  # some replicas are missing
    FAILED = "failed"  # replicas end as soon as they start
    STOPPED = "stopped"  # paused


HEALTH_LABELS = {
    Health.STARTING: lazy("Starting"),
    Health.READY: lazy("In service"),
    Health.DEGRADED: lazy("In service with fewer replicas"),
    Health.FAILED: lazy("Failed"),
    Health.STOPPED: lazy("Paused"),
}


class TaskKind(StrEnum):
    """The two kinds of prediction whose result is fetched later."""

    SINGLE = "single"  # records in a request
    BATCH = "batch"  # a file


TASK_KIND_LABELS = {TaskKind.SINGLE: lazy("Asynchronous"), TaskKind.BATCH: lazy("Batch")}


class TaskState(StrEnum):
    """Where a prediction task stands."""

    WAITING = "waiting"  # its deployment is paused; it is queued when that is resumed
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # input and result have been removed


TASK_LABELS = {
    TaskState.WAITING: lazy("Waits for the deployment"),
    TaskState.QUEUED: lazy("Queued"),
    TaskState.RUNNING: lazy("Running"),
    TaskState.DONE: lazy("Completed"),
    TaskState.FAILED: lazy("Failed"),
    TaskState.CANCELLED: lazy("Cancelled"),
    TaskState.EXPIRED: lazy("Expired"),
}
OPEN_TASKS = (TaskState.WAITING, TaskState.QUEUED, TaskState.RUNNING)


class TrainingState(StrEnum):
    """How the training of a model stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


TRAINING_LABELS = {
    TrainingState.QUEUED: lazy("Queued"),
    TrainingState.RUNNING: lazy("Running"),
    TrainingState.DONE: lazy("Completed"),
    TrainingState.FAILED: lazy("Failed"),
}


class Model(db.Model):  # type: ignore[name-defined,misc]
    """Something that predicts, under one name, through all of its versions."""

    __tablename__ = "model"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(String(2000), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)
    versions: Mapped[list["ModelVersion"]] = relationship(
        back_populates="model", order_by="ModelVersion.number.desc()", passive_deletes="all"
    )
    rights: Mapped[list["ModelRight"]] = relationship(passive_deletes="all")
    owner: Mapped[Any] = relationship("User", viewonly=True)

    @property
    def newest(self) -> "ModelVersion":
        """The version that was added last."""
        return self.versions[0]

    def __str__(self) -> str:
        return self.name


class ModelVersion(db.Model):  # type: ignore[name-defined,misc]
    """One file of a model, as its runtime understood it when it came in."""

    __tablename__ = "model_version"
    __table_args__ = (UniqueConstraint("model_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id", ondelete="CASCADE"), index=True)
    number: Mapped[int] = mapped_column(Integer)
    # File name below data_dir/models; names that nobody can guess and that never collide (R033).
    file_name: Mapped[str] = mapped_column(String(80), unique=True)
    original_name: Mapped[str] = mapped_column(String(255), default="")
    format: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size_bytes: Mapped[int] = mapped_column(Integer)
    function: Mapped[str] = mapped_column(String(80), default="")
    algorithm: Mapped[str] = mapped_column(String(120), default="")
    engine: Mapped[str] = mapped_column(String(80), default="")
    # The runtime's description: inputs and outputs with name, type, values, interval, dimension, optype.
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    sample_record: Mapped[dict[str, Any]] = mapped_column(JSON)
    sample_outputs: Mapped[dict[str, Any]] = mapped_column(JSON)
    # How the inputs were spread when the model learnt, field by field (drift is measured against it).
    baseline: Mapped[dict[str, Any] | None] = mapped_column(NullableJSON)
    # Where that comes from: {"from": a BaselineOrigin, and of a table "name", "rows", "at"}.
    baseline_about: Mapped[dict[str, Any] | None] = mapped_column(NullableJSON)
    # While a table of reference is used: {"baseline": ..., "about": ...} of before.
    own_baseline: Mapped[dict[str, Any] | None] = mapped_column(NullableJSON)
    note: Mapped[str] = mapped_column(String(500), default="")
    created_by: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    model: Mapped[Model] = relationship(back_populates="versions")

    def __str__(self) -> str:
        return f"{self.model.name} v{self.number}"


class ModelRight(db.Model):  # type: ignore[name-defined,misc]
    """What somebody else may do with a model."""

    __tablename__ = "model_right"

    model_id: Mapped[int] = mapped_column(
        ForeignKey("model.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    right: Mapped[str] = mapped_column(String(20))
    user: Mapped[Any] = relationship("User", viewonly=True)


class IncomingFile(db.Model):  # type: ignore[name-defined,misc]
    """A file sent in pieces (core/tus.py): it grows, then waits for the form or the call that uses it."""

    __tablename__ = "model_upload"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Its name below data_dir/models/incoming, and its address: nobody can guess one.
    token: Mapped[str] = mapped_column(String(40), unique=True)
    # Who sends it: a person, or a program with the token of a deployment.
    owner_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), index=True
    )
    deployment_id: Mapped[int | None] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), index=True
    )
    original_name: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class Deployment(db.Model):  # type: ignore[name-defined,misc]
    """A version of a model that answers: what is wanted, and how it stands."""

    __tablename__ = "deployment"

    id: Mapped[int] = mapped_column(primary_key=True)
    # One name for the whole portal: it is the model's name in the Open Inference Protocol.
    name: Mapped[str] = mapped_column(String(80), unique=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id", ondelete="CASCADE"), index=True)
    version_id: Mapped[int] = mapped_column(
        ForeignKey("model_version.id", ondelete="CASCADE"), index=True
    )
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(20), default=DeploymentState.RUNNING.value)
    replicas: Mapped[int] = mapped_column(Integer, default=1)
    # Reserved for each replica.
    cpus: Mapped[float] = mapped_column(Float, default=0.5)
    memory_mb: Mapped[int] = mapped_column(Integer, default=512)
    timeout_s: Mapped[float] = mapped_column(Float, default=10.0)
    warm_up: Mapped[bool] = mapped_column(Boolean, default=True)
    # The preprocessing script, and what it made of the sample record when it came in.
    script: Mapped[str] = mapped_column(LongText, default="")
    script_result: Mapped[dict[str, Any] | None] = mapped_column(NullableJSON)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token_made_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    # Grows with every change that its replicas must follow.
    revision: Mapped[int] = mapped_column(Integer, default=1)
    # As reported by the process that serves it.
    health: Mapped[str] = mapped_column(String(20), default=Health.STARTING.value)
    health_text: Mapped[str] = mapped_column(String(500), default="")
    n_ready: Mapped[int] = mapped_column(Integer, default=0)
    n_restarts: Mapped[int] = mapped_column(Integer, default=0)
    served_version: Mapped[int | None] = mapped_column(Integer)
    reported_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)
    model: Mapped[Model] = relationship()
    version: Mapped[ModelVersion] = relationship()
    owner: Mapped[Any] = relationship("User", viewonly=True)

    @property
    def paused(self) -> bool:
        return self.state == DeploymentState.PAUSED

    def __str__(self) -> str:
        return self.name


class PredictionTask(db.Model):  # type: ignore[name-defined,misc]
    """A prediction whose result is fetched later: some records, or a file of up to a million rows."""

    __tablename__ = "prediction_task"
    __table_args__ = (
        UniqueConstraint("deployment_id", "idempotency_key"),
        Index("ix_prediction_task_deployment", "deployment_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # What callers know it by: nobody can guess one.
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"))
    # NULL when it was sent with the deployment's own token.
    owner_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20), default=TaskState.QUEUED.value, index=True)
    job_id: Mapped[int | None] = mapped_column(
        ForeignKey("job.id", ondelete="SET NULL"), index=True
    )
    idempotency_key: Mapped[str | None] = mapped_column(String(120))
    # Of what was sent with the key: another content under one key is refused.
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    # Names of the outputs wanted; empty means all.
    outputs: Mapped[list[str]] = mapped_column(JSON, default=list)
    input_format: Mapped[str] = mapped_column(String(10), default="json")
    result_format: Mapped[str] = mapped_column(String(10), default="json")
    original_name: Mapped[str] = mapped_column(String(255), default="")
    n_rows: Mapped[int] = mapped_column(Integer, default=0)
    n_done: Mapped[int] = mapped_column(Integer, default=0)
    n_bad: Mapped[int] = mapped_column(Integer, default=0)
    # The first bad rows: [row number, what is wrong].
    bad_rows: Mapped[list[list[Any]]] = mapped_column(JSON, default=list)
    error: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    deployment: Mapped[Deployment] = relationship()

    @property
    def open(self) -> bool:
        """Whether something may still happen to it by itself."""
        return self.state in OPEN_TASKS

    @property
    def state_label(self) -> str:
        return str(TASK_LABELS[TaskState(self.state)])

    def __str__(self) -> str:
        return self.public_id


class PredictionHour(db.Model):  # type: ignore[name-defined,misc]
    """What a deployment did in one hour, one way of calling it: exact sums and histograms."""

    __tablename__ = "prediction_hour"

    deployment_id: Mapped[int] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    # Hours since 1970, UTC.
    hour: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    # sync, task, batch or v2.
    face: Mapped[str] = mapped_column(String(10), primary_key=True)
    n_requests: Mapped[int] = mapped_column(Integer, default=0)
    n_errors: Mapped[int] = mapped_column(Integer, default=0)
    n_records: Mapped[int] = mapped_column(Integer, default=0)
    total_ms: Mapped[float] = mapped_column(Float, default=0.0)
    min_ms: Mapped[float | None] = mapped_column(Float)
    max_ms: Mapped[float | None] = mapped_column(Float)
    # step -> {bucket -> count}; the buckets are those of counting.py.
    steps: Mapped[dict[str, dict[str, int]]] = mapped_column(JSON, default=dict)
    # code -> count
    errors: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)


class CountedJournal(db.Model):  # type: ignore[name-defined,misc]
    """A journal whose lines are in the sums: it must not be added twice."""

    __tablename__ = "counted_journal"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    counted_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)


class PredictionFault(db.Model):  # type: ignore[name-defined,misc]
    """One of the last errors of a deployment; values that callers sent are masked."""

    __tablename__ = "prediction_fault"

    id: Mapped[int] = mapped_column(primary_key=True)
    deployment_id: Mapped[int] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    code: Mapped[str] = mapped_column(String(60))
    message: Mapped[str] = mapped_column(String(500), default="")
    request_id: Mapped[str] = mapped_column(String(40), default="")


class DriftCount(db.Model):  # type: ignore[name-defined,misc]
    """How many values of an input fell into each bin of the baseline on one day."""

    __tablename__ = "drift_count"

    deployment_id: Mapped[int] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    # Days since 1970, UTC.
    day: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    field: Mapped[str] = mapped_column(String(200), primary_key=True)
    bins: Mapped[list[int]] = mapped_column(JSON)


class ModelTraining(db.Model):  # type: ignore[name-defined,misc]
    """A model learnt from a table in the portal: what went in (recipe) and how good it is (metrics)."""

    __tablename__ = "model_training"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(20), default=TrainingState.QUEUED.value)
    job_id: Mapped[int | None] = mapped_column(
        ForeignKey("job.id", ondelete="SET NULL"), index=True
    )
    version_id: Mapped[int | None] = mapped_column(
        ForeignKey("model_version.id", ondelete="SET NULL"), index=True
    )
    # The table below data_dir/models/tables.
    file_name: Mapped[str] = mapped_column(String(80))
    original_name: Mapped[str] = mapped_column(String(255), default="")
    # target, algorithm, parameters, folds, seed, sha256 of the table, versions
    recipe: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    message: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[ModelVersion | None] = relationship()

    def __str__(self) -> str:
        return self.name
