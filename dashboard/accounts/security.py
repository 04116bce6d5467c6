"""Flask-Security, set up for accounts that have an e-mail, a phone number or a username."""

from flask import Flask, session, url_for
from flask_security import Security, SQLAlchemyUserDatastore

from dashboard.accounts.models import Role, User
from dashboard.core.database import db

datastore = SQLAlchemyUserDatastore(db, User, Role)
security = Security()


def init_app(app: Flask) -> None:
    """Sign-in, sign-out, sessions and API tokens for `app`."""
    app.config.update(
        SECURITY_PASSWORD_SALT=app.config["SECRET_KEY"],
        SECURITY_JOIN_USER_ROLES=False,
    )
    security.init_app(app, datastore)
    app.extensions["atrium_login_url"] = lambda target: url_for("security.login", next=target or None)


def refresh_session() -> None:
    """Keep the session alive after it was written to."""
    session.modified = True
