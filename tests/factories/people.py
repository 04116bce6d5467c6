"""Users for tests."""

import secrets
import time
from functools import cache
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_security import hash_password

from dashboard.accounts.models import Role, RoleName, User
from dashboard.core.database import db

PASSWORD = "correct horse battery staple"


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
    with client.session_transaction() as session:
        session["_user_id"] = user.fs_uniquifier
        session["_fresh"] = True
        session["fs_cc"] = "set"
        session["fs_paa"] = time.time()
    return client


@cache
def _password_hash() -> str:
    # One argon2 hash for all of them: hashing is slow on purpose.
    return str(hash_password(PASSWORD))
