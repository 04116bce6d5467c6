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
from dashboard.recommendations.models import Experiment, Impression, TrainingRun
from tests.conftest import CONFIG
from tests.factories.behaviour import make_item
from tests.factories.databases import database_uri
from tests.factories.people import make_user


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


def test_impressions_of_experiments_have_their_own_key(empty: Flask) -> None:
    migrations.upgrade()
    user = make_user(1, ())
    runs = [TrainingRun(), TrainingRun()]
    session.add_all(runs)
    session.flush()
    experiment = Experiment(run_a_id=runs[0].id, run_b_id=runs[1].id)
    session.add(experiment)
    session.flush()
    both, late = make_item("Both"), make_item("Late")
    shown = {"user_id": user.id, "source": "list", "ground": "popular", "place": 1, "day": 1}
    number = {"experiment_id": experiment.id, "series": experiment.id}
    session.add_all(
        [
            Impression(item_id=both.id, **shown),
            Impression(item_id=both.id, **shown, **number),
            Impression(item_id=late.id, **shown, **number),
        ]
    )
    session.commit()
    expected = [(both.id, 0), (late.id, experiment.id)]
    session.remove()

    flask_migrate.downgrade(revision="0007_job_notices")
    migrations.upgrade()

    query = select(Impression.item_id, Impression.series).order_by(Impression.item_id)
    assert [tuple(row) for row in session.execute(query)] == expected
    session.remove()
    flask_migrate.downgrade(revision="base")
