"""Real databases for tests: SQLite always, PostgreSQL and MariaDB where a server listens."""

import os
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from dashboard.core.database import db

SERVERS = {
    "postgresql": os.environ.get(
        "ATRIUM_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
    ),
    "mariadb": os.environ.get(
        "ATRIUM_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306/mysql?charset=utf8mb4"
    ),
}
DATABASES = ["sqlite", *SERVERS]


def database_uri(kind: str, *, purpose: str = "unit") -> str:
    """The address of a database of this process's own, one for each purpose; "" for SQLite, which the data
    folder holds.

    Skips the test with the reason where no server answers, but fails it in CI.
    """
    if kind == "sqlite":
        return ""
    uri, reason = _own_database(kind, purpose)
    if reason:
        if os.environ.get("CI"):
            pytest.fail(f"CI needs {kind}: {reason}")
        pytest.skip(f"no {kind}: {reason}")
    return uri


_created: list[tuple[str, str]] = []


@cache
def _own_database(kind: str, purpose: str) -> tuple[str, str]:
    engine = create_engine(SERVERS[kind], isolation_level="AUTOCOMMIT")
    name = f"atrium_test_{os.getpid()}_{purpose}"
    try:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
            connection.execute(text(f"CREATE DATABASE {name}{_options(kind)}"))
    except DBAPIError as error:
        return "", str(error.orig).splitlines()[0]
    finally:
        engine.dispose()
    _created.append((kind, name))
    return engine.url.set(database=name).render_as_string(hide_password=False), ""


def _options(kind: str) -> str:
    return " CHARACTER SET utf8mb4" if kind == "mariadb" else ""


def make_empty() -> None:
    """Give the current application's database all tables and no row.

    Making tables takes a server seconds, so they are made once and emptied before each test. A file of SQLite
    is made once for a process and copied.
    """
    if db.engine.dialect.name == "sqlite":
        _copy_empty(Path(str(db.engine.url.database)))
        return
    if not inspect(db.engine).has_table("role"):
        db.create_all()
        return
    tables = db.metadata.sorted_tables[::-1]
    with db.engine.begin() as connection:
        if db.engine.dialect.name == "postgresql":
            names = ", ".join(f'"{table.name}"' for table in tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
            return
        connection.execute(text("SET FOREIGN_KEY_CHECKS = 0"))
        filled = [table for table in tables if connection.execute(table.delete()).rowcount]
        for table in filled:
            connection.execute(text(f"ALTER TABLE `{table.name}` AUTO_INCREMENT = 1"))
        connection.execute(text("SET FOREIGN_KEY_CHECKS = 1"))


_empty_file: list[bytes] = []


def _copy_empty(path: Path) -> None:
    if path.exists():
        db.create_all()
        return
    if not _empty_file:
        db.create_all()
        # The last connection that is closed leaves all of it in the one file.
        db.engine.dispose()
        _empty_file.append(path.read_bytes())
    path.write_bytes(_empty_file[0])


def drop_own_databases() -> None:
    """Remove what this process created."""
    for kind, name in _created:
        engine = create_engine(SERVERS[kind], isolation_level="AUTOCOMMIT")
        force = " WITH (FORCE)" if kind == "postgresql" else ""
        try:
            with engine.connect() as connection:
                connection.execute(text(f"DROP DATABASE IF EXISTS {name}{force}"))
        except DBAPIError:
            continue  # the server went away; nothing of ours is left to use
        finally:
            engine.dispose()
