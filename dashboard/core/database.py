"""The database: one session, one meaning of a transaction, on SQLite, PostgreSQL and MariaDB/MySQL."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Engine, MetaData, Select, event, func, select
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session

from dashboard.core.errors import Conflict, Unavailable, is_unavailable

# How long a writer waits for SQLite's write lock before the request is told to try again.
SQLITE_BUSY_MS = 10_000
# Connections that have rested longer than this are tried before use.
PING_AFTER_S = 1.0
# Naive UTC; MySQL drops fractions of a second unless told to keep them.
UTCDateTime = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


class Base(DeclarativeBase):
    # Named constraints, so that migrations can change them on every database.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)
session = cast(Session, db.session)


def init_app(app: Flask) -> None:
    """Connect `app` to the database of its configuration."""
    uri = app.config["ATRIUM"].database_uri
    app.config["SQLALCHEMY_DATABASE_URI"] = uri
    threads = app.config["ATRIUM"].server.threads
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(uri, threads=threads)
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _set_sqlite_pragmas)
        else:
            _ping_idle_connections(db.engine)


def engine_options(uri: str, *, threads: int) -> dict[str, Any]:
    """The engine's options for the kind of database in `uri`; a server's connections suffice for `threads`."""
    # Errors go to the log, and to the page of a failed job: without phone numbers and hashes of passwords.
    options: dict[str, Any] = {"hide_parameters": True}
    if uri.startswith("sqlite"):
        # IMMEDIATE: a transaction takes the write lock at its first write and waits for it, instead of
        # failing at once when it read before another writer committed. Reads stay outside of it.
        connect_args = {"isolation_level": "IMMEDIATE", "check_same_thread": False}
        return {**options, "connect_args": connect_args, "pool_size": threads}
    options |= {"pool_recycle": 1800, "pool_size": threads}
    if uri.startswith("mysql"):
        options["isolation_level"] = "READ COMMITTED"
    return options


def utcnow() -> datetime:
    """Now, naive UTC, as the tables keep it."""
    return datetime.now(UTC).replace(tzinfo=None)


@contextmanager
def transaction() -> Iterator[Session]:
    """Run a use case as one transaction: commit at the end, roll back on any error.

    Inside another transaction it joins that one. Raises Conflict for a broken constraint and Unavailable
    when the database is locked or gone.
    """
    own = db.session()  # the scoped one looks itself up at every use
    outermost = not own.info.get("in_transaction", False)
    own.info["in_transaction"] = True
    try:
        with database_errors():
            yield own
            if outermost:
                own.commit()
            else:
                own.flush()
    except BaseException:
        own.rollback()
        raise
    finally:
        if outermost:
            own.info["in_transaction"] = False


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise Conflict for a broken constraint and Unavailable when the database is locked or gone."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict() from error
    except DBAPIError as error:
        if is_unavailable(error):
            raise Unavailable() from error
        raise


# PEP 695 generics need Python 3.12.
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a longer list; pages count from 1."""

    items: list[T]
    page: int
    per_page: int
    total: int

    @property
    def n_pages(self) -> int:
        return max(1, math.ceil(self.total / self.per_page))


def page_of(query: Select[Any], *, page: int, per_page: int) -> Page[Any]:
    """The rows of `query` on one page, and how many there are in all."""
    page = max(1, page)
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    rows = session.scalars(query.limit(per_page).offset((page - 1) * per_page)).unique().all()
    return Page(items=list(rows), page=page, per_page=per_page, total=total)


def contains(text: str) -> str:
    """A LIKE pattern for `text` anywhere, with its wildcards made literal (escape character: backslash)."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _set_sqlite_pragmas(connection: Any, _record: Any) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={SQLITE_BUSY_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _ping_idle_connections(engine: Engine) -> None:
    """Try a connection that has rested before it is used: the server may have restarted meanwhile.

    Not one that was used just now, as `pool_pre_ping` would: that costs short transactions a third of
    their time, and a server that restarts in that moment is answered by 503 anyway.
    """

    def rest(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    def wake(connection: Any, record: Any, _fairy: Any) -> None:
        if time.monotonic() - record.info.get("rests_since", 0.0) < PING_AFTER_S:
            return
        try:
            alive = engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            alive = False
        if not alive:
            raise DisconnectionError

    event.listen(engine, "checkin", rest)
    event.listen(engine, "checkout", wake)


def engine() -> Engine:
    """The engine of the current application."""
    return db.engine
