"""New rows of the job table, inserted the same way by services and schedules."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dashboard.core.database import utcnow
from dashboard.core.errors import TooLarge
from dashboard.core.i18n import _
from dashboard.job_queue.models import JobState
from dashboard.job_queue.statements import run, statements_for
from jobs.messages import Message, dump, kind_of

MAX_ARGS_BYTES = 64 * 2**10
"""A message says what to work on; the material itself belongs in files or tables."""


def new_row(
    message: Message,
    *,
    owner_id: int | None,
    unique_key: str | None = None,
    run_at: datetime | None = None,
    priority: int = 0,
    after_id: int | None = None,
    followed: bool = False,
) -> dict[str, Any]:
    """The values of a new job; TooLarge when the message is."""
    kind = kind_of(type(message))
    args = json.dumps(dump(message))
    if len(args) > MAX_ARGS_BYTES:
        raise TooLarge(_("The job's input is too large; put it into a file."))
    at = utcnow()
    return {
        "kind": kind.name,
        "queue": kind.queue,
        "state": JobState.QUEUED.value,
        "ready": run_at is None and after_id is None,
        "priority": priority,
        "share": owner_id or 0,
        "owner_id": owner_id,
        "args": args,
        "unique_key": unique_key,
        "after_id": after_id,
        "followed": followed,
        "run_at": run_at,
        "attempt": 0,
        "failures": 0,
        "deaths": 0,
        "cancel_requested": False,
        "progress": 0.0,
        "progress_message": "",
        "error": "",
        "traceback": "",
        "created_at": at,
        "updated_at": at,
    }


def insert_job(connection: Connection, row: dict[str, Any]) -> int:
    """Insert the row; the job's id."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        # As SQLAlchemy keeps moments there.
        stamps = ("created_at", "updated_at", "run_at")
        row = {**row, **{name: _stamp(row[name]) for name in stamps}}
    cursor = run(connection, statements_for(dialect).insert, row)
    if dialect in ("mysql", "mariadb"):
        return int(cursor.lastrowid)
    return int(cursor.scalar_one())


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S.%f")
