"""New rows of the job table, inserted the same way by services and schedules."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dashboard.core.database import utcnow
from dashboard.core.errors import TooLarge
from dashboard.core.i18n import _
from dashboard.job_queue.direct import Direct
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
        "ready": run_at is None and after_id is None,
        "priority": priority,
        "share": owner_id or 0,
        "owner_id": owner_id,
        "args": args,
        "unique_key": unique_key,
        "original_key": unique_key,
        "after_id": after_id,
        "followed": followed,
        "run_at": run_at,
        "created_at": at,
        "updated_at": at,
    }


def insert_job(connection: Connection, row: dict[str, Any]) -> int:
    """Insert the row; the job's id. The row is given its turn, where the database tells it."""
    dialect = connection.dialect.name
    cursor = run(connection, statements_for(dialect).insert, _values(row, dialect))
    if dialect in ("mysql", "mariadb"):
        return int(cursor.lastrowid)
    job_id, row["fair"] = cursor.one()
    return int(job_id)


def insert_directly(connection: Direct, dialect: str, row: dict[str, Any]) -> int:
    """The same in a transaction of its own."""
    found = connection.query(statements_for(dialect).insert, _values(row, dialect))
    job_id, row["fair"] = found[0]
    return int(job_id)


def _values(row: dict[str, Any], dialect: str) -> dict[str, Any]:
    if dialect != "sqlite":
        return row
    # As SQLAlchemy keeps moments there.
    created, run_at = _stamp(row["created_at"]), _stamp(row["run_at"])
    return {**row, "created_at": created, "updated_at": created, "run_at": run_at}


def _stamp(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    # Like strftime("%Y-%m-%d %H:%M:%S.%f"), which takes several times as long.
    return moment.isoformat(" ", "microseconds")
