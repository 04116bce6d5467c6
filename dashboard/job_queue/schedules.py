"""Recurring work: one job for every tick, whatever the number of processes that look."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from dashboard.core.database import utcnow
from dashboard.job_queue.clock import now
from dashboard.job_queue.models import Job, JobState, ScheduleRow
from dashboard.job_queue.rows import insert_job, new_row
from jobs.cron import parse
from jobs.messages import Message

job = cast(Table, Job.__table__)
schedule = cast(Table, ScheduleRow.__table__)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Enqueue `message` whenever `cron` says, in UTC, unless the job of the last tick still waits. A tick
    that was missed is made up for once."""

    name: str
    cron: str
    message: Message
    priority: int = 10
    """Behind what people wait for."""


def keep(connection: Connection, entry: Schedule) -> None:
    """Have a row for the schedule, which says when it is next due."""
    row = connection.execute(select(schedule).where(schedule.c.name == entry.name)).one_or_none()
    values = {"cron": entry.cron, "next_run_at": _next(connection, entry)}
    if row is None:
        # Of two workers that start at once one inserts.
        with suppress(IntegrityError), connection.begin_nested():
            connection.execute(insert(schedule).values(name=entry.name, **values))
    elif row.cron != entry.cron:
        connection.execute(update(schedule).where(schedule.c.name == entry.name).values(**values))


def fire(connection: Connection, row: Any, entry: Schedule | None) -> int:
    """Enqueue one job for a schedule that is due, unless another process has; how many."""
    if entry is None:
        # This process does not know it: one that is newer may, or it was removed from the code.
        return 0
    # The tick is won by whoever moves the row on, in the transaction of the job.
    moved = (
        update(schedule)
        .where(schedule.c.name == row.name, schedule.c.next_run_at == row.next_run_at)
        .values(next_run_at=_next(connection, entry))
    )
    if not connection.execute(moved).rowcount or _still_waits(connection, row.last_job_id):
        return 0
    job_id = insert_job(connection, new_row(entry.message, owner_id=None, priority=entry.priority))
    connection.execute(
        update(schedule).where(schedule.c.name == row.name).values(last_job_id=job_id)
    )
    return 1


def _still_waits(connection: Connection, job_id: int | None) -> bool:
    # Where no worker takes jobs for a while they would pile up.
    waits = select(job.c.id).where(job.c.id == job_id, job.c.state == JobState.QUEUED)
    return job_id is not None and connection.execute(waits).first() is not None


def _next(connection: Connection, entry: Schedule) -> datetime:
    present = connection.scalar(select(now()))
    if isinstance(present, str):
        present = datetime.fromisoformat(present)
    return parse(entry.cron).next_after(present or utcnow())
