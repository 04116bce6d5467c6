"""What is deployed, what is predicted later, and files on their way in."""

from datetime import datetime
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
from dashboard.serving.models.choices import (
    OPEN_TASKS,
    TASK_LABELS,
    DeploymentState,
    Health,
    TaskState,
)
from dashboard.serving.models.registry import Model, ModelVersion, NullableJSON

# MySQL's TEXT ends at 64 kB.
LongText = PlainText().with_variant(MEDIUMTEXT(), "mysql", "mariadb")


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
