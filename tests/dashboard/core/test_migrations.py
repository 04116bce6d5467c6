"""Migrations lead to exactly the tables the code declares, on each database, and back."""

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import inspect, select, text

from dashboard.accounts.models import Role
from dashboard.core import migrations
from dashboard.core.database import db, session


@pytest.fixture
def empty(each_database: str, app: Flask) -> Flask:
    """A portal whose database has no table."""
    session.remove()
    db.drop_all()
    return app


class TestUpgrade:
    def test_makes_the_tables_of_the_models_and_the_roles(self, empty: Flask) -> None:
        migrations.upgrade()

        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, db.metadata) == []
        assert set(session.scalars(select(Role.name))) == {"admin", "analyst", "learner"}
        assert migrations.state().current
        _drop_version_table()

    def test_does_nothing_the_second_time(self, empty: Flask) -> None:
        migrations.upgrade()
        before = migrations.state()

        migrations.upgrade()

        assert migrations.state() == before
        _drop_version_table()

    def test_can_be_taken_back(self, empty: Flask) -> None:
        migrations.upgrade()

        flask_migrate.downgrade(revision="base")

        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        _drop_version_table()


def _drop_version_table() -> None:
    session.remove()
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
