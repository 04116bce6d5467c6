"""Reads of what deployments did."""

import time
from collections.abc import Sequence

from sqlalchemy import case, func, select

from dashboard.core.database import session
from dashboard.serving.models import (
    DriftCount,
    PredictionFault,
    PredictionHour,
)


def list_hours(deployment_id: int, *, hours: int) -> list[PredictionHour]:
    """What a deployment did in the last hours, oldest first."""
    since = int(time.time() // 3600) - hours
    query = select(PredictionHour).where(
        PredictionHour.deployment_id == deployment_id, PredictionHour.hour > since
    )
    return list(session.scalars(query.order_by(PredictionHour.hour, PredictionHour.face)))


def list_all_hours() -> list[PredictionHour]:
    """Everything that was ever counted, for the metrics."""
    return list(session.scalars(select(PredictionHour)))


def totals(ids: list[int], *, timed: Sequence[str]) -> dict[int, tuple[int, int, float | None]]:
    """Of each deployment: requests, errors, and the mean milliseconds of those that came by the `timed` faces."""
    hour = PredictionHour
    is_timed = hour.face.in_(timed)
    query = (
        select(
            *(hour.deployment_id, func.sum(hour.n_requests), func.sum(hour.n_errors)),
            func.sum(case((is_timed, hour.n_requests), else_=0)),
            func.sum(case((is_timed, hour.total_ms), else_=0.0)),
        )
        .where(hour.deployment_id.in_(ids))
        .group_by(hour.deployment_id)
    )
    return {
        row[0]: (int(row[1]), int(row[2]), float(row[4]) / int(row[3]) if row[3] else None)
        for row in session.execute(query)
    }


def list_faults(deployment_id: int) -> list[PredictionFault]:
    """The last errors of a deployment, newest first."""
    query = select(PredictionFault).where(PredictionFault.deployment_id == deployment_id)
    return list(session.scalars(query.order_by(PredictionFault.id.desc())))


def drift_bins(deployment_id: int, *, days: int) -> dict[str, list[int]]:
    """How many values of each input fell into each bin of its baseline in the last days."""
    since = int(time.time() // 86400) - days
    query = select(DriftCount).where(
        DriftCount.deployment_id == deployment_id, DriftCount.day > since
    )
    found: dict[str, list[int]] = {}
    for row in session.scalars(query):
        before = found.get(row.field) or [0] * len(row.bins)
        found[row.field] = [a + b for a, b in zip(before, row.bins, strict=False)]
    return found
