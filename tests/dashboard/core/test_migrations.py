"""Migrations lead to exactly the tables the code declares, on each database, and back."""

from collections.abc import Iterator

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import inspect, select

from dashboard.accounts.models import Role
from dashboard.app import create_app
from dashboard.core import migrations
from dashboard.core.config import load_config
from dashboard.core.database import db, session
from tests.conftest import CONFIG
from tests.factories.databases import database_uri


@pytest.fixture
def empty(each_database: str, environ: dict[str, str]) -> Iterator[Flask]:
    """A portal whose database has no table."""
    uri = database_uri(each_database, purpose="migrations")
    if uri:
        environ["SQLALCHEMY_DATABASE_URI"] = uri
    app = create_app(load_config(CONFIG, environ))
    with app.app_context():
        yield app
        session.remove()
        db.engine.dispose()


# One story, because making all tables takes a server seconds.
def test_make_the_tables_of_the_models_once_and_can_be_taken_back(empty: Flask) -> None:
    migrations.upgrade()

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []
    assert set(session.scalars(select(Role.name))) == {"admin", "analyst", "learner"}
    before = migrations.state()
    assert before.current

    migrations.upgrade()

    assert migrations.state() == before
    session.remove()

    flask_migrate.downgrade(revision="base")

    assert inspect(db.engine).get_table_names() == ["alembic_version"]
