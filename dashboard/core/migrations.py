"""The state of the database's schema, and bringing it up to date (Alembic)."""

from dataclasses import dataclass

import flask_migrate
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy.exc import DBAPIError

from dashboard.core.config import InvalidConfig
from dashboard.core.database import db


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Which revision the database has, and which one the code wants (None: no table yet)."""

    revision: str | None
    head: str | None

    @property
    def current(self) -> bool:
        return self.revision == self.head

    @property
    def text(self) -> str:
        if self.current:
            return f"ok (revision {self.revision})"
        have = f"at revision {self.revision}" if self.revision else "empty"
        return f"{have}, needs revision {self.head}: run `run.py check --create`"


def state() -> SchemaState:
    """How the connected database stands to the code; raises InvalidConfig when it cannot be reached."""
    head = ScriptDirectory(current_app.extensions["migrate"].directory).get_current_head()
    try:
        with db.engine.connect() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0]
        raise InvalidConfig(f"SQLALCHEMY_DATABASE_URI: no connection: {reason}") from error
    return SchemaState(revision=revision, head=head)


def upgrade() -> None:
    """Migrate the database to the newest revision; does nothing when it is there."""
    if state().current:
        return
    flask_migrate.upgrade()
