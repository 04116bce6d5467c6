"""Users for tests."""

import secrets
from functools import cache
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_security import hash_password
from werkzeug.test import TestResponse

from dashboard.accounts import security, services
from dashboard.accounts.models import Role, RoleName, User
from dashboard.core.database import db

PASSWORD = "correct horse battery staple"


class FreshClient(FlaskClient):
    """A client whose every request has an application context of its own, as in the server.

    The tests run inside one. Its `g` holds who is signed in, and would pass it on from request to request.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        with self.application.app_context():
            answer = super().open(*args, **kwargs)
        # What the test has loaded may have been changed by the request.
        db.session.expire_all()
        return answer


def make_roles() -> None:
    """The three roles, as the first migration makes them."""
    db.session.add_all(Role(name=name.value, description=name.value) for name in RoleName)
    db.session.commit()


def make_user(number: int, roles: tuple[str, ...], **fields: Any) -> User:
    """A stored user with PASSWORD and the named roles (learner when none is named)."""
    wanted = [str(role) for role in roles] or [RoleName.LEARNER.value]
    values = {"user_name": f"user{number}", "email": f"user{number}@example.org", **fields}
    user = User(
        password=_password_hash(),
        fs_uniquifier=secrets.token_hex(16),
        active=values.pop("active", True),
        roles=[role for role in db.session.query(Role) if role.name in wanted],
        **values,
    )
    db.session.add(user)
    db.session.commit()
    return user


def signed_in_client(app: Flask, user: User) -> FlaskClient:
    """A client with a session of `user`, without the sign-in page."""
    client = app.test_client()
    session_id = services.start_session(user.id, user_agent="test")
    with client.session_transaction() as session:
        session.update(security.session_values(user, session_id))
    return client


@cache
def _password_hash() -> str:
    # One argon2 hash for all of them: hashing is slow on purpose.
    return str(hash_password(PASSWORD))
