"""Uploads with their files, runs with what they made, links that share a result, reveals of masked fields."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dashboard.core.database import UTCDateTime, db, utcnow
from dashboard.core.encryption import SEALED
from dashboard.core.i18n import lazy

SEALED_LENGTH = 2_000
"""Characters that a sealed text of 1,000 bytes takes."""


class AnalysisState(StrEnum):
    """Where an analysis stands. Told from the run and its job, never kept beside them."""

    UPLOADED = "uploaded"  # no run has been asked for
    PREPARING = "preparing"  # a run is asked for, and no job runner has said that it is there
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


STATE_LABELS = {
    AnalysisState.UPLOADED: lazy("Not started"),
    AnalysisState.PREPARING: lazy("Preparing"),
    AnalysisState.QUEUED: lazy("Queued"),
    AnalysisState.RUNNING: lazy("Running"),
    AnalysisState.DONE: lazy("Completed"),
    AnalysisState.FAILED: lazy("Failed"),
    AnalysisState.CANCELLED: lazy("Cancelled"),
}
ACTIVE = (AnalysisState.PREPARING, AnalysisState.QUEUED, AnalysisState.RUNNING)


class Upload(db.Model):  # type: ignore[name-defined,misc]
    """Mutation tables of one patient, and what their owner said of them."""

    __tablename__ = "analysis_upload"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    # When it was last worked on: the order of the history.
    touched_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    # Beside each sealed text what everybody sees.
    patient_name: Mapped[str] = mapped_column(String(SEALED_LENGTH), default="", info=SEALED)
    patient_age: Mapped[str] = mapped_column(String(200), default="", info=SEALED)
    note: Mapped[str] = mapped_column(Text, default="", info=SEALED)
    name_mask: Mapped[str] = mapped_column(String(200), default="")
    age_band: Mapped[str] = mapped_column(String(20), default="")
    # What the form held last; a run keeps its own copy.
    parameters: Mapped[dict[str, Any]] = mapped_column(db.JSON, default=dict)
    # [{"label": "S1", "tumour_content": 0.7 or null}], in the order of the engine.
    samples: Mapped[list[dict[str, Any]]] = mapped_column(db.JSON, default=list)
    # The labels with spaces between them, to search in.
    label_text: Mapped[str] = mapped_column(String(2_500), default="")
    # What the check found (services/checking.py); NULL before it.
    preflight: Mapped[dict[str, Any] | None] = mapped_column(db.JSON(none_as_null=True))
    is_sample_data: Mapped[bool] = mapped_column(Boolean, default=False)

    files: Mapped[list["UploadFile"]] = relationship(
        back_populates="upload", order_by="UploadFile.id", lazy="selectin", viewonly=True
    )

    @property
    def is_good(self) -> bool:
        """Whether the check found nothing that stands against a run."""
        return bool(self.preflight and self.preflight["good"])

    @property
    def labels(self) -> list[str]:
        return [sample["label"] for sample in self.samples]

    def __str__(self) -> str:
        return f"#{self.id}"


class UploadFile(db.Model):  # type: ignore[name-defined,misc]
    """One table of an upload, or what has arrived of it."""

    __tablename__ = "analysis_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[int] = mapped_column(
        ForeignKey("analysis_upload.id", ondelete="CASCADE"), index=True
    )
    # In uploads/<owner>/<upload>/; a name of our own: the sender's may name a patient.
    stored_name: Mapped[str] = mapped_column(String(60))
    original_name: Mapped[str] = mapped_column(String(SEALED_LENGTH), default="", info=SEALED)
    name_mask: Mapped[str] = mapped_column(String(80), default="")
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    # Set while it arrives in pieces.
    token: Mapped[str | None] = mapped_column(String(43), unique=True)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)

    upload: Mapped[Upload] = relationship(back_populates="files", viewonly=True)

    @property
    def has_arrived(self) -> bool:
        return self.token is None


class Run(db.Model):  # type: ignore[name-defined,misc]
    """One analysis of an upload: with which parameters, in which job, and what came out."""

    __tablename__ = "analysis_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[int] = mapped_column(
        ForeignKey("analysis_upload.id", ondelete="CASCADE"), index=True
    )
    # True or NULL, never False: so the database itself allows one latest run of an upload.
    is_latest: Mapped[bool | None] = mapped_column(Boolean)
    job_id: Mapped[int | None] = mapped_column(
        ForeignKey("job.id", ondelete="SET NULL"), index=True
    )
    engine: Mapped[str] = mapped_column(String(20), default="builtin")
    parameters: Mapped[dict[str, Any]] = mapped_column(db.JSON, default=dict)
    samples: Mapped[list[dict[str, Any]]] = mapped_column(db.JSON, default=list)
    # How it ended, for when its job is long removed: done, failed or cancelled; NULL: ask the job.
    outcome: Mapped[str | None] = mapped_column(String(12))
    error: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    seconds: Mapped[float | None] = mapped_column(Float)
    # mutations, samples, clusters, elbo, sizes: what lists and comparisons show.
    summary: Mapped[dict[str, Any]] = mapped_column(db.JSON, default=dict)
    recipe: Mapped[dict[str, Any]] = mapped_column(db.JSON, default=dict)
    # Which run this one repeats, and whether it came to the same tables.
    repeats_id: Mapped[int | None] = mapped_column(
        ForeignKey("analysis_run.id", ondelete="SET NULL"), index=True
    )
    comparison: Mapped[dict[str, Any]] = mapped_column(db.JSON, default=dict)
    # When the owner first looked at the result.
    seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    upload: Mapped[Upload] = relationship(viewonly=True)

    __table_args__ = (UniqueConstraint("upload_id", "is_latest", name="uq_analysis_run_latest"),)

    def __str__(self) -> str:
        return f"#{self.id}"


class Artefact(db.Model):  # type: ignore[name-defined,misc]
    """A file that a run made, in analysis_result/<owner>/<upload>/<run>/."""

    __tablename__ = "analysis_artefact"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("analysis_run.id", ondelete="CASCADE"))
    # With its folder: tables/cluster.tsv.
    name: Mapped[str] = mapped_column(String(120))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)

    __table_args__ = (UniqueConstraint("run_id", "name", name="uq_analysis_artefact_name"),)

    def __str__(self) -> str:
        return self.name


class ShareLink(db.Model):  # type: ignore[name-defined,misc]
    """Leave for whoever has the link to see one result, masked, until it ends or is taken back."""

    __tablename__ = "analysis_share"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(
        ForeignKey("analysis_run.id", ondelete="CASCADE"), index=True
    )
    # Of the secret in the link: who reads the database cannot make the link from it.
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def is_open(self) -> bool:
        return self.revoked_at is None and self.expires_at > utcnow()


class Reveal(db.Model):  # type: ignore[name-defined,misc]
    """Somebody looked at a masked field, and why."""

    __tablename__ = "analysis_reveal"

    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[int] = mapped_column(
        ForeignKey("analysis_upload.id", ondelete="CASCADE"), index=True
    )
    actor_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    reason: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
