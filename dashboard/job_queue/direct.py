"""Statements straight on the driver, each a transaction of its own.

To enqueue, claim and complete a job takes one statement each, and what a session does around one
costs several times as much. On PostgreSQL BEGIN and COMMIT would be two more trips to the server. On
MariaDB the switch of the mode is such a trip itself, so it is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

_MODES: dict[str, tuple[str, Any]] = {
    "sqlite": ("isolation_level", None),
    "postgresql": ("autocommit", True),
}
"""How a driver is told to begin no transaction by itself."""


def is_served(engine: Engine) -> bool:
    """Whether `Direct` can be used with this database."""
    return engine.dialect.name in _MODES


class Direct:
    """A connection of the pool that commits every statement. As a context manager it is given back at
    the end. Errors are SQLAlchemy's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mode, value = _MODES[engine.dialect.name]
        self._connection = engine.raw_connection()
        self._driver = cast(Any, self._connection.driver_connection)
        self._usual = getattr(self._driver, self._mode)
        setattr(self._driver, self._mode, value)
        self._cursor = self._driver.cursor()

    def query(self, statement: str, parameters: Any = ()) -> Sequence[Any]:
        """The rows that a statement answers."""
        try:
            self._cursor.execute(statement, parameters)
            # All of them: SQLite commits when there are no more.
            return self._cursor.fetchall()  # type: ignore[no-any-return]
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._translated(error, statement) from error

    def run_many(self, statement: str, parameters: Sequence[Any]) -> int:
        """Execute a statement once for each; how many rows it changed in all."""
        try:
            self._cursor.executemany(statement, parameters)
            return int(self._cursor.rowcount)
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._translated(error, statement) from error

    def _translated(self, error: Any, statement: str) -> BaseException:
        dialect = self._engine.dialect
        gone = dialect.is_disconnect(error, self._driver, None)
        return DBAPIError.instance(
            statement,
            None,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=gone,
            dialect=dialect,
        )

    def close(self) -> None:
        """Give the connection back."""
        setattr(self._driver, self._mode, self._usual)
        self._connection.close()

    def discard(self) -> None:
        """Close the connection for good: whatever state it is in, nobody shall meet it again."""
        self._connection.invalidate()
        self._connection.close()

    def __enter__(self) -> Direct:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close() if kind is None else self.discard()
