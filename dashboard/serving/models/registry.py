"""Models, their versions, with whom they are shared, and the trainings that made some of them.

A machine-learning model is a `Model`; each file of it is a `ModelVersion`, run by a runtime of jobs/engines/scoring.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dashboard.core.database import UTCDateTime, db, utcnow
from dashboard.serving.models.choices import (
    TrainingState,
)

# Where JSON may be absent: SQL's NULL, not JSON's.
NullableJSON = JSON(none_as_null=True)


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
