"""The statements that every job runs, as text for each kind of database.

SQLAlchemy would write the same, at several times their cost in processor time; everything that a job
does not need every time is written in SQLAlchemy Core (store.py, claims.py) or the ORM (services.py).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection

from jobs.store import End, Wanted

PER_CLAIM = 64
"""More are not claimed at once."""

INSERTED = (
    *("kind", "queue", "ready", "priority", "fair", "share", "owner_id", "args", "unique_key"),
    *("original_key", "after_id", "followed", "run_at", "created_at", "updated_at"),
)
NEW = {
    **{"state": "'queued'", "attempt": "0", "failures": "0", "deaths": "0", "progress": "0"},
    **{"cancel_requested": "false", "progress_message": "''", "error": "''", "traceback": "''"},
}
"""How every job begins; in the text, because each parameter costs its conversion."""
CLAIMED = (
    *("id", "kind", "args", "owner_id", "attempt", "failures", "max_failures", "timeout_s"),
    *("followed", "priority", "fair"),
)


@dataclass(frozen=True, slots=True)
class Statements:
    """For one kind of database; parameters are a dict."""

    insert: str
    """Insert a job and give it its turn; answers its id, and the turn where the database can."""
    claim: str
    """Claim the next jobs; answers CLAIMED. Empty where the database cannot do so in one statement."""
    complete: str
    """Mark runs done, each by its id and attempt: one, or where the parameters are lists, many;
    answers the ids then."""
    many: bool = False
    """Whether `complete` takes lists."""
    turn: str = ""
    """Both of them in one statement, where the database can: answers CLAIMED after the number of runs
    marked done, and once only that number when nothing waits."""


@cache
def statements_for(dialect: str) -> Statements:
    """The statements of `dialect`: sqlite, postgresql or mysql."""
    built = {"sqlite": _sqlite, "postgresql": _postgresql}.get(dialect, _mysql)
    return built()


def claim_parameters(dialect: str, wanted: Wanted) -> dict[str, Any]:
    """What `Statements.claim` needs."""
    common = {"worker": wanted.worker, "n_jobs": min(wanted.limit, PER_CLAIM)}
    if dialect == "sqlite":
        queues, lease = json.dumps(wanted.queues), f"{wanted.lease_s:+.3f} seconds"
        return {**common, "queues": queues, "lease": lease}
    return {**common, "queues": list(wanted.queues), "lease": float(wanted.lease_s)}


def complete_parameters(dialect: str, done: Sequence[End]) -> Any:
    """What `Statements.complete` needs."""
    columns: dict[str, list[Any]] = {
        "id": [job.id for job, _outcome in done],
        "attempt": [job.attempt for job, _outcome in done],
        "result": [_json(outcome.result) for _job, outcome in done],
    }
    if statements_for(dialect).many:
        return columns
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _json(result: dict[str, Any] | None) -> str | None:
    return None if result is None else json.dumps(result)


def run(connection: Connection, statement: str, parameters: Any) -> Any:
    """Execute text with the driver's own parameters."""
    return connection.exec_driver_sql(statement, parameters)


# Start-time fair queueing. The turn of a new job is one after the last waiting job of the same owner,
# but not before the present turn of the queue: ordered by turn, owners alternate, and a thousand jobs
# of one do not hold up the first of another.
_PRESENT = (
    "(SELECT fair FROM job WHERE ready = true AND priority = {priority} ORDER BY fair LIMIT 1)"
)
_OWN = (
    "(SELECT fair FROM job WHERE ready = true AND share = {share} AND priority = {priority} "
    "ORDER BY fair DESC LIMIT 1)"
)
_TURN = "{greatest}(COALESCE({present}, 0) - 1, COALESCE({own}, 0)) + 1"

_INSERT = "INSERT INTO job ({columns}) VALUES ({values}) RETURNING id, fair"
_INSERT_MYSQL = "INSERT INTO job ({columns}) SELECT {values}"
_CLAIM = """
UPDATE job SET state = 'running', ready = false, attempt = attempt + 1, worker = {worker},
  lease_until = {lease}, started_at = {now}, updated_at = {now}, progress = 0, progress_message = ''
WHERE id IN ({picked}) RETURNING {columns}"""
_PICKED = """
SELECT id FROM job WHERE ready = true AND queue {queues}
ORDER BY priority, fair, id LIMIT {n_jobs}"""
_PICKED_ONCE = "WITH picked AS MATERIALIZED ({picked} FOR UPDATE SKIP LOCKED) SELECT id FROM picked"
_COMPLETE = """
UPDATE job SET state = 'done', progress = 1, result = {result}, error = '', traceback = '',
  finished_at = {now}, updated_at = {now}, lease_until = NULL, unique_key = NULL
WHERE id = {id} AND attempt = {attempt} AND state = 'running'"""

_COMPLETE_MANY = """
UPDATE job SET state = 'done', progress = 1, result = CAST(ended.result AS JSON), error = '',
  traceback = '', finished_at = {now}, updated_at = {now}, lease_until = NULL, unique_key = NULL
FROM unnest(CAST(%(id)s AS integer[]), CAST(%(attempt)s AS integer[]), CAST(%(result)s AS text[]))
  AS ended(id, attempt, result)
WHERE job.id = ended.id AND job.attempt = ended.attempt AND job.state = 'running' RETURNING job.id"""
_TURN_OF_WORKER = """
WITH completed AS ({complete}), claimed AS ({claim})
SELECT (SELECT count(*) FROM completed), claimed.* FROM (SELECT 1) AS once LEFT JOIN claimed ON true"""


def _sqlite() -> Statements:
    # Six digits of a second as SQLAlchemy keeps them; SQLite gives three.
    now = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
    later = "strftime('%Y-%m-%d %H:%M:%f000', 'now', :lease)"
    values = {name: f":{name}" for name in INSERTED} | NEW
    values["fair"] = _turn(_named, greatest="max")
    picked = _PICKED.format(queues="IN (SELECT value FROM json_each(:queues))", n_jobs=":n_jobs")
    return Statements(
        insert=_INSERT.format(columns=", ".join(values), values=", ".join(values.values())),
        claim=_CLAIM.format(
            worker=":worker", lease=later, now=now, picked=picked, columns=", ".join(CLAIMED)
        ),
        complete=_COMPLETE.format(result=":result", id=":id", attempt=":attempt", now=now),
    )


def _postgresql() -> Statements:
    now = "(clock_timestamp() AT TIME ZONE 'UTC')"
    later = f"({now} + make_interval(secs => %(lease)s))"
    values = {name: f"%({name})s" for name in INSERTED} | NEW
    values["fair"] = _turn(_percent, greatest="greatest")
    picked = _PICKED.format(queues="= ANY(%(queues)s)", n_jobs="%(n_jobs)s")
    claim = _CLAIM.format(
        worker="%(worker)s",
        lease=later,
        now=now,
        # Materialised, or the planner may pick again for each row it updates.
        picked=_PICKED_ONCE.format(picked=picked),
        columns=", ".join(CLAIMED),
    )
    complete = _COMPLETE_MANY.format(now=now)
    return Statements(
        insert=_INSERT.format(columns=", ".join(values), values=", ".join(values.values())),
        claim=claim,
        complete=complete,
        many=True,
        turn=_TURN_OF_WORKER.format(complete=complete, claim=claim),
    )


def _mysql() -> Statements:
    values = {name: f"%({name})s" for name in INSERTED} | NEW
    values["fair"] = _turn(_percent, greatest="greatest")
    return Statements(
        # SELECT instead of VALUES: MariaDB refuses a look into the table there.
        insert=_INSERT_MYSQL.format(columns=", ".join(values), values=", ".join(values.values())),
        claim="",
        complete=_COMPLETE.format(
            result="%(result)s", id="%(id)s", attempt="%(attempt)s", now="utc_timestamp(6)"
        ),
    )


def _turn(parameter: Any, *, greatest: str) -> str:
    names = {"priority": parameter("priority"), "share": parameter("share")}
    return _TURN.format(
        greatest=greatest, present=_PRESENT.format(**names), own=_OWN.format(**names)
    )


def _named(name: str) -> str:
    return f":{name}"


def _percent(name: str) -> str:
    return f"%({name})s"
