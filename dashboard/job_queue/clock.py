"""The database's own clock in SQL, because leases must not depend on the clocks of several hosts.

`now()` is the present, `later(seconds)` a moment after it (before it, when negative): naive UTC with
fractions of a second, on all three databases.
"""

from typing import Any

from sqlalchemy import DateTime, Float, Integer, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement


class now(FunctionElement[Any]):  # noqa: N801 - reads as the SQL function it is
    """The present moment."""

    type = DateTime()
    inherit_cache = True


class minutes(FunctionElement[Any]):  # noqa: N801 - as above
    """Whole minutes since 1970."""

    type = Integer()
    inherit_cache = True


class _Later(FunctionElement[Any]):
    type = DateTime()
    inherit_cache = True


def later(seconds: float) -> ColumnElement[Any]:
    """The moment `seconds` from now."""
    return _Later(bindparam(None, float(seconds), type_=Float(), unique=True))


@compiles(now, "postgresql")
def _now_postgresql(_element: Any, _compiler: Any, **_kw: Any) -> str:
    return "(clock_timestamp() AT TIME ZONE 'UTC')"


@compiles(now, "mysql")
@compiles(now, "mariadb")
def _now_mysql(_element: Any, _compiler: Any, **_kw: Any) -> str:
    return "utc_timestamp(6)"


# SQLAlchemy keeps six digits of a second in SQLite's text and SQLite gives three: "000" fills up, so
# that both sort alike.
@compiles(now, "sqlite")
def _now_sqlite(_element: Any, _compiler: Any, **_kw: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


@compiles(_Later, "postgresql")
def _later_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    seconds = compiler.process(element.clauses, **kw)
    return f"((clock_timestamp() AT TIME ZONE 'UTC') + make_interval(secs => {seconds}))"


@compiles(_Later, "mysql")
@compiles(_Later, "mariadb")
def _later_mysql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"(utc_timestamp(6) + INTERVAL {compiler.process(element.clauses, **kw)} SECOND)"


@compiles(_Later, "sqlite")
def _later_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    seconds = compiler.process(element.clauses, **kw)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', printf('%+.3f seconds', {seconds}))"


@compiles(minutes, "sqlite")
def _minutes_sqlite(_element: Any, _compiler: Any, **_kw: Any) -> str:
    return "CAST(strftime('%s', 'now') AS INTEGER) / 60"


@compiles(minutes, "postgresql")
def _minutes_postgresql(_element: Any, _compiler: Any, **_kw: Any) -> str:
    return "CAST(floor(extract(epoch FROM clock_timestamp()) / 60) AS INTEGER)"


@compiles(minutes, "mysql")
@compiles(minutes, "mariadb")
def _minutes_mysql(_element: Any, _compiler: Any, **_kw: Any) -> str:
    return "floor(unix_timestamp() / 60)"
