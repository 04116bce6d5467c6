"""Transactions on each database: whole or not at all, and clear errors."""

import sqlite3
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from dashboard.accounts.models import Role
from dashboard.core import database
from dashboard.core.config import Config
from dashboard.core.database import contains, page_of, session, transaction
from dashboard.core.errors import Conflict, Unavailable


def names() -> set[str]:
    return set(session.scalars(select(Role.name)))


@pytest.mark.usefixtures("each_database")
class TestTransaction:
    def test_commits_at_the_end(self, app: Flask) -> None:
        with transaction():
            session.add(Role(name="guest"))

        session.rollback()
        assert "guest" in names()

    def test_keeps_nothing_after_an_error(self, app: Flask) -> None:
        with pytest.raises(RuntimeError), transaction():
            session.add(Role(name="guest"))
            session.flush()
            raise RuntimeError("half way")

        assert "guest" not in names()

    def test_joins_the_one_around_it(self, app: Flask) -> None:
        with pytest.raises(RuntimeError), transaction():
            with transaction():
                session.add(Role(name="guest"))
            raise RuntimeError("after the inner one")

        assert "guest" not in names()

    def test_turns_a_broken_constraint_into_a_conflict(self, app: Flask) -> None:
        with pytest.raises(Conflict), transaction():
            session.add(Role(name="admin"))

        assert "admin" in names()


@pytest.mark.usefixtures("each_database")
class TestErrors:
    def test_hold_no_values(self, app: Flask) -> None:
        secret = {"secret": "canary-4711"}

        with pytest.raises(DBAPIError) as caught:
            session.execute(text("SELECT :secret FROM nowhere"), secret)

        assert "canary-4711" not in str(caught.value)


class TestLockedDatabase:
    def test_says_to_try_again(
        self, app: Flask, config: Config, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "SQLITE_BUSY_MS", 50)
        database.db.engine.dispose()
        session.remove()
        other = sqlite3.connect(config.site.data_dir / "atrium.sqlite3")
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(Unavailable, match="try again"), transaction():
            session.add(Role(name="guest"))

        other.rollback()
        other.close()
        assert "guest" not in names()

    def test_waits_for_another_writer_even_after_reading(
        self, app: Flask, config: Config, tmp_path: Path
    ) -> None:
        names()
        other = sqlite3.connect(config.site.data_dir / "atrium.sqlite3")
        other.execute("UPDATE role SET description = 'changed meanwhile'")
        other.commit()
        other.close()

        with transaction():
            session.add(Role(name="guest"))

        assert "guest" in names()


class TestPageOf:
    def test_counts_all_and_gives_one_page(self, app: Flask) -> None:
        page = page_of(select(Role).order_by(Role.name), page=2, per_page=2)

        assert [role.name for role in page.items] == ["learner"]
        assert (page.total, page.n_pages) == (3, 2)


class TestContains:
    @pytest.mark.parametrize("text", ["%", "_", "\\", "100%_\\"])
    def test_makes_wildcards_literal(self, app: Flask, text: str) -> None:
        with transaction():
            session.add(Role(name=f"x{text}y"))

        found = session.scalars(
            select(Role.name).where(Role.name.like(contains(text), escape="\\"))
        )

        assert list(found) == [f"x{text}y"]
