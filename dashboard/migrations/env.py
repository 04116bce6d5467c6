"""Runs migrations on the database of the current application (`run.py check --create`, `run.py up`)."""

from alembic import context
from flask import current_app

database = current_app.extensions["migrate"].db


def run() -> None:
    options = current_app.extensions["migrate"].configure_args
    with database.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=database.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()


run()
