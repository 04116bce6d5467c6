"""Notices: her jobs that ended by themselves are told to their owner, wherever she is in the portal.

A notice is no row: it follows from the job, so that every kind has them, whatever ended it, and none can
be lost or come twice. Kept is only which of them she has read.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select

from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict
from dashboard.job_queue.models import ACTIVE, STATE_LABELS, Job, JobState, NoticeRead

SHOWN = 8
RECENT = 100
"""Only the newest jobs of an owner are looked at, so that thousands of them make no page slow."""
KEEP_DAYS = 30
TOLD = (JobState.DONE, JobState.FAILED)
"""A cancelled job is no news to her who cancelled it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One job that has ended."""

    job_id: int
    kind: str
    state: JobState
    attempt: int
    ended_at: datetime
    unread: bool

    @property
    def key(self) -> str:
        """Differs for every end of a job: one that is tried again ends anew."""
        return f"{self.job_id}-{self.attempt}"

    @property
    def state_label(self) -> str:
        """The state in the reader's language."""
        return str(STATE_LABELS[self.state])


@dataclass(frozen=True, slots=True)
class Notices:
    """What is told to an owner."""

    shown: list[Notice]
    """The newest `SHOWN`, the one that ended last first."""
    n_unread: int
    any_active: bool
    """Whether one of her jobs waits or runs, so that news may come soon."""


def list_notices(owner_id: int) -> Notices:
    """The notices of an owner."""
    columns = (Job.id, Job.kind, Job.state, Job.attempt, Job.finished_at, NoticeRead.read_at)
    found = session.execute(
        select(*columns)
        .outerjoin(NoticeRead, NoticeRead.job_id == Job.id)
        .where(Job.owner_id == owner_id)
        .order_by(Job.id.desc())
        .limit(RECENT)
    ).all()
    since = utcnow() - timedelta(days=KEEP_DAYS)
    ended = [
        Notice(row.id, row.kind, row.state, row.attempt, row.finished_at, _is_unread(row))
        for row in found
        if row.state in TOLD and row.finished_at > since
    ]
    ended.sort(key=lambda notice: (notice.ended_at, notice.job_id), reverse=True)
    return Notices(
        shown=ended[:SHOWN],
        n_unread=sum(notice.unread for notice in ended),
        any_active=any(row.state in ACTIVE for row in found),
    )


def mark_read(job_id: int, *, owner_id: int) -> None:
    """Note that she has seen how her job ended; nothing when it has not, or is not hers."""
    _mark([job_id], owner_id)


def mark_all_read(owner_id: int) -> None:
    """Note that she has seen how all of them ended."""
    newest = select(Job.id).where(Job.owner_id == owner_id).order_by(Job.id.desc()).limit(RECENT)
    _mark(list(session.scalars(newest)), owner_id)


def _mark(job_ids: list[int], owner_id: int) -> None:
    unread = (
        select(Job.id, Job.finished_at)
        .outerjoin(NoticeRead, NoticeRead.job_id == Job.id)
        .where(Job.id.in_(job_ids), Job.owner_id == owner_id, Job.state.in_(TOLD))
        .where(or_(NoticeRead.read_at.is_(None), NoticeRead.read_at < Job.finished_at))
    )
    found = session.execute(unread).all()
    if not found:
        return
    # Another tab of hers may do so at this moment.
    with suppress(Conflict), transaction():
        for job_id, finished_at in found:
            # The end was written by the clock of the database, which may be ahead of this one.
            session.merge(NoticeRead(job_id=job_id, read_at=max(utcnow(), finished_at or utcnow())))


def _is_unread(row: Any) -> bool:
    return row.read_at is None or bool(row.read_at < row.finished_at)
