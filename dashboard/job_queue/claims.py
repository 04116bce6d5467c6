"""Claims that need more than one statement: on MariaDB, and where kinds or owners are limited."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

from sqlalchemy import Connection, Table, Text, insert, select, type_coerce, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from dashboard.job_queue.clock import later, minutes, now
from dashboard.job_queue.models import (
    READY,
    RUNNING,
    Job,
    JobState,
    RateRow,
)
from dashboard.job_queue.statements import (
    CLAIMED,
    PER_CLAIM,
    claim_parameters,
    run,
    statements_for,
)
from jobs.store import ClaimedJob, Wanted

job = cast(Table, Job.__table__)
rate = cast(Table, RateRow.__table__)
LOCK = "*"
"""The row that claimers of limited kinds take turns by, so that two do not both see the last free place."""


def claim(connection: Connection, wanted: Wanted) -> list[ClaimedJob]:
    """The next jobs by priority and turn, now this worker's, within the limits."""
    dialect = connection.dialect.name
    if not wanted.limited and (statement := statements_for(dialect).claim):
        return claimed(run(connection, statement, claim_parameters(dialect, wanted)).all())
    return _claim_in_steps(connection, wanted)


def claimed(rows: Sequence[Any]) -> list[ClaimedJob]:
    """The jobs in rows of CLAIMED, in their order."""
    # UPDATE answers in no order.
    return [_job_of(row) for row in sorted(rows, key=lambda row: (row[9], row[10], row[0]))]


def _job_of(row: Any) -> ClaimedJob:
    job_id, kind, args, owner_id, attempt, failures, max_failures, timeout_s, followed = row[:9]
    return ClaimedJob(
        id=job_id,
        kind=kind,
        args=_read(args),
        owner_id=owner_id,
        attempt=attempt,
        failures=failures,
        max_failures=max_failures,
        timeout_s=timeout_s,
        followed=bool(followed),
    )


def _column(name: str) -> ColumnElement[Any]:
    # The arguments as they are kept: see _read.
    return type_coerce(job.c[name], Text) if name == "args" else job.c[name]


def _read(args: Any) -> dict[str, Any] | None:
    # A row that nobody can read must fail by itself, not hold up the rows claimed beside it.
    try:
        found = json.loads(args) if isinstance(args, str | bytes) else args
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _claim_in_steps(connection: Connection, wanted: Wanted) -> list[ClaimedJob]:
    room = _Room(connection, wanted) if wanted.limited else None
    found = (
        select(job.c.id, job.c.kind, job.c.owner_id)
        .where(READY, job.c.queue.in_(wanted.queues), *(room.conditions() if room else ()))
        .order_by(job.c.priority, job.c.fair, job.c.id)
        .limit(min(wanted.limit, PER_CLAIM))
        # MariaDB: the order above is that of an index, or SKIP LOCKED locks every row it looks at.
        .with_for_update(skip_locked=True)
    )
    ids = [row.id for row in connection.execute(found) if room is None or room.take(row)]
    if not ids:
        return []
    connection.execute(
        update(job)
        .where(job.c.id.in_(ids), READY)
        .values(
            state=JobState.RUNNING,
            ready=False,
            attempt=job.c.attempt + 1,
            worker=wanted.worker,
            lease_until=later(wanted.lease_s),
            started_at=now(),
            updated_at=now(),
            progress=0.0,
            progress_message="",
        )
    )
    if room is not None:
        room.note_starts(connection)
    return claimed(
        connection.execute(
            select(*(_column(name) for name in CLAIMED)).where(
                job.c.id.in_(ids), job.c.worker == wanted.worker, job.c.state == JobState.RUNNING
            )
        ).all()
    )


class _Room:
    """How many more may start, of each limited kind and for each owner."""

    def __init__(self, connection: Connection, wanted: Wanted) -> None:
        self._wanted = wanted
        _lock(connection)
        running = connection.execute(select(job.c.kind, job.c.owner_id).where(RUNNING)).all()
        self._kinds = Counter(row.kind for row in running)
        self._owners = Counter(row.owner_id for row in running if row.owner_id is not None)
        self._minute = int(connection.scalar(select(minutes())) or 0)
        self._started: Counter[str] = Counter(
            {
                row.kind: row.n_started
                for row in connection.execute(select(rate).where(rate.c.minute == self._minute))
            }
        )
        self._new: Counter[str] = Counter()

    def conditions(self) -> list[ColumnElement[bool]]:
        """What leaves out the jobs that may not start now, however many of them wait."""
        full = {kind for kind, most in self._wanted.per_kind.items() if self._kinds[kind] >= most}
        full |= {
            kind for kind, most in self._wanted.per_minute.items() if self._started[kind] >= most
        }
        most = self._wanted.per_owner
        owners = [owner for owner, n in self._owners.items() if most is not None and n >= most]
        found: list[ColumnElement[bool]] = [job.c.kind.not_in(full)] if full else []
        if owners:
            found.append(job.c.owner_id.is_(None) | job.c.owner_id.not_in(owners))
        return found

    def take(self, row: Any) -> bool:
        """Whether this job may start too; counts it then."""
        kinds, rates, per_owner = (
            self._wanted.per_kind,
            self._wanted.per_minute,
            self._wanted.per_owner,
        )
        if row.kind in kinds and self._kinds[row.kind] >= kinds[row.kind]:
            return False
        if row.kind in rates and self._started[row.kind] >= rates[row.kind]:
            return False
        if per_owner and row.owner_id is not None and self._owners[row.owner_id] >= per_owner:
            return False
        self._kinds[row.kind] += 1
        self._owners[row.owner_id] += 1
        if row.kind in rates:
            self._started[row.kind] += 1
            self._new[row.kind] += 1
        return True

    def note_starts(self, connection: Connection) -> None:
        """Remember how many of each rated kind have started in this minute."""
        for kind in self._new:
            values = {"minute": self._minute, "n_started": self._started[kind]}
            same = rate.c.kind == kind
            if not connection.execute(update(rate).where(same).values(values)).rowcount:
                connection.execute(insert(rate).values(kind=kind, **values))


def _lock(connection: Connection) -> None:
    # A row is locked by changing it, which every database does.
    change = update(rate).where(rate.c.kind == LOCK).values(n_started=rate.c.n_started + 1)
    while not connection.execute(change).rowcount:
        # Of two that insert it at once one fails, and then finds it.
        with suppress(IntegrityError), connection.begin_nested():
            connection.execute(insert(rate).values(kind=LOCK, minute=0, n_started=0))
