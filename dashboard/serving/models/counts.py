"""What deployments did: sums by hour, the last errors, where the values of inputs fell."""

from datetime import datetime

from sqlalchemy import (
    JSON,
    Float,
    ForeignKey,
    Integer,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.core.database import UTCDateTime, db, utcnow


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
