"""The turn of a worker on the driver itself: what ended is marked done, what waits is claimed."""

from collections.abc import Sequence
from typing import Any

from dashboard.job_queue.direct import Direct
from dashboard.job_queue.statements import (
    Statements,
    claim_parameters,
    complete_parameters,
    statements_for,
)
from jobs.store import End, Wanted

Taken = tuple[int, Sequence[Any]]
"""How many runs were marked done, and the rows of CLAIMED."""


def turn(connection: Direct, dialect: str, done: Sequence[End], wanted: Wanted | None) -> Taken:
    """Mark runs done and claim within the unlimited `wanted`, in one transaction."""
    statements = statements_for(dialect)
    claim = claim_parameters(dialect, wanted) if wanted else None
    if not done:
        return 0, connection.query(statements.claim, claim) if claim else ()
    complete = complete_parameters(dialect, done)
    if statements.turn:
        return _at_once(connection, statements, complete, claim)
    return _in_steps(connection, statements, complete, claim)


def _at_once(connection: Direct, statements: Statements, complete: Any, claim: Any) -> Taken:
    if claim is None:
        return len(connection.query(statements.complete, complete)), ()
    rows = connection.query(statements.turn, complete | claim)
    return rows[0][0], [row[1:] for row in rows if row[1] is not None]


def _in_steps(connection: Direct, statements: Statements, complete: Any, claim: Any) -> Taken:
    connection.query("BEGIN IMMEDIATE")
    n_done = connection.run_many(statements.complete, complete)
    rows = connection.query(statements.claim, claim) if claim else ()
    connection.query("COMMIT")
    return n_done, rows
