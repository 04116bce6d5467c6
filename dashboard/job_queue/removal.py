"""Remove jobs that are over, with their files."""

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete, select

from dashboard.audit import services as audit
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict
from dashboard.core.i18n import _
from dashboard.job_queue import queries
from dashboard.job_queue.models import FINISHED, Job, JobState
from dashboard.job_queue.queries import Viewer

CLEAN_UP_BATCH = 200
MOST_DAYS = 100 * 365
"""No job is older; calendars end somewhere."""


def clean_up(
    *, keep_days: int | None = None, on_batch: Callable[[int], None] = lambda n_removed: None
) -> int:
    """Remove jobs that finished more than `keep_days` ago, with their files; how many they were."""
    if keep_days is None:
        keep_days = current_app.config["ATRIUM"].jobs.keep_days
    return _remove_finished(FINISHED, keep_days=keep_days, on_batch=on_batch)


def remove_alike(*, kind: str, error: str, viewer: Viewer) -> int:
    """Remove the failed jobs of one kind with one reason, and their files; how many."""
    alike = (Job.state == JobState.FAILED, Job.kind == kind, Job.error == error)
    ids = list(session.scalars(select(Job.id).where(*alike)))
    starts = range(0, len(ids), CLEAN_UP_BATCH)
    n_removed = sum(_remove(ids[start : start + CLEAN_UP_BATCH]) for start in starts)
    if n_removed:
        with transaction():
            audit.record(
                actor_id=viewer.user_id,
                action="job.purge",
                subject=f"job:{ids[-1]}",
                summary=f"{kind}: {n_removed}",
            )
    return n_removed


def purge(*, state: JobState, keep_days: int = 0) -> int:
    """Remove the finished jobs of one state that are older; how many they were."""
    if state not in FINISHED:
        raise Conflict(_("Only finished jobs can be removed."))
    return _remove_finished((state,), keep_days=keep_days)


def _remove_finished(
    states: Sequence[JobState],
    *,
    keep_days: int,
    on_batch: Callable[[int], None] = lambda n_removed: None,
) -> int:
    before = utcnow() - timedelta(days=min(keep_days, MOST_DAYS))
    n_removed = 0
    while ids := _finished_before(before, states):
        n_removed += _remove(ids)
        on_batch(n_removed)
    return n_removed


def _remove(ids: list[int]) -> int:
    with transaction():
        # Its state once more: somebody may have queued one of them again since the look.
        over = Job.id.in_(ids) & Job.state.in_(FINISHED)
        session.execute(delete(Job).where(over), execution_options={"synchronize_session": False})
        kept = set(session.scalars(select(Job.id).where(Job.id.in_(ids))))
    gone = set(ids) - kept
    for job_id in gone:
        # After the commit: a file without a row is found again by nobody, but harms nobody.
        shutil.rmtree(queries.runs_dir() / str(job_id), ignore_errors=True)
    return len(gone)


def _finished_before(before: datetime, states: Sequence[JobState]) -> list[int]:
    old = (Job.state.in_(states), Job.finished_at < before)
    query = select(Job.id).where(*old).order_by(Job.finished_at).limit(CLEAN_UP_BATCH)
    return list(session.scalars(query))
