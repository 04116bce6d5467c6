"""Flask-Security, set up for accounts that have an email address, a phone number or a username.

It brings the user store, password hashing, sign-in state and API tokens. The pages are ours (pages.py), so
of its routes only /login, /register and /logout exist, and their views are replaced.
"""

import time
from datetime import timedelta
from typing import Any

import flask_security
from flask import Flask, Request, request, session, url_for
from flask_security import Security, SQLAlchemyUserDatastore
from flask_security.utils import parse_auth_token, set_request_attr
from itsdangerous import BadData

from dashboard.accounts import queries, services
from dashboard.accounts.models import Role, User
from dashboard.accounts.services.sign_in import MAX_SESSION_AGE
from dashboard.audit import refusals
from dashboard.core.api import PREFIX
from dashboard.core.config import Config
from dashboard.core.database import db, utcnow
from dashboard.core.i18n import TRANSLATIONS

datastore = SQLAlchemyUserDatastore(db, User, Role)

# Keys of the session cookie.
SESSION_ID = "sid"
SEEN_AT = "seen"
# What a visitor keeps when she signs in or out.
KEPT_KEYS = ("language", "_flashes")
# The cookie is written again only when its time of last use is this old, not with every answer.
SEEN_STEP_S = 60


def init_app(app: Flask) -> None:
    """Sign-in, sign-out, sessions and API tokens for `app`."""
    config: Config = app.config["ATRIUM"]
    app.config.update(_settings(config))
    # One for each app: it remembers the settings of the app before.
    Security(app, datastore)
    app.login_manager.user_loader(load_user_of_session)  # type: ignore[attr-defined]
    app.login_manager.request_loader(load_user_of_token)  # type: ignore[attr-defined]
    app.extensions["atrium_login_url"] = lambda target: url_for(
        "security.login", next=target or None
    )
    refusals.init_app(app)


def _settings(config: Config) -> dict[str, Any]:
    secure = config.server.https_only
    return {
        # argon2 salts by itself. A second hash keyed with the secret would make every password void when
        # the secret is changed.
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
        # OWASP's choice for argon2id: 19 MiB and two passes. The library's 64 MiB for each of a few sign-ins at
        # once would be most of the portal's memory.
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
            "argon2__memory_cost": 19_456,
            "argon2__rounds": 2,
            "argon2__parallelism": 1,
        },
        "SECURITY_PASSWORD_LENGTH_MIN": config.accounts.password_min_length,
        # The join would read every role of the portal with each request (SQLite); roles come by themselves.
        "SECURITY_JOIN_USER_ROLES": False,
        "SECURITY_PHONE_REGION_DEFAULT": config.accounts.phone_region,
        "SECURITY_REGISTERABLE": config.accounts.registration_open,
        "SECURITY_SEND_REGISTER_EMAIL": False,
        "SECURITY_LOGOUT_METHODS": ["POST"],
        # Negative: no page that asks for the password again; the forms that need it have a field for it.
        "SECURITY_FRESHNESS": timedelta(minutes=-1),
        "SECURITY_STATIC_FOLDER": None,
        # Its "private=True, no-store=True" is no directive that a browser knows; every page says no-store anyway.
        "SECURITY_CACHE_CONTROL": {},
        "SECURITY_TOKEN_MAX_AGE": timedelta(days=config.accounts.token_days),
        "SECURITY_I18N_DIRNAME": ["builtin", str(TRANSLATIONS)],
        # The signature of a session cookie is good for this long; `load_user_of_session` is stricter.
        "PERMANENT_SESSION_LIFETIME": MAX_SESSION_AGE,
        "SESSION_REFRESH_EACH_REQUEST": False,
        # None of these is in use; whoever turns one on gets flags that work without HTTPS as well.
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_SECURE": secure,
        "SECURITY_CSRF_COOKIE": {"samesite": "Strict", "httponly": False, "secure": secure},
        "SECURITY_TWO_FACTOR_VALIDITY_COOKIE": _strict_cookie(secure),
        "SECURITY_REFRESH_TOKEN_COOKIE": _strict_cookie(secure),
    }


def _strict_cookie(secure: bool) -> dict[str, Any]:
    return {"samesite": "Strict", "httponly": True, "secure": secure}


def open_session(user: User, *, remembered: bool, via: str) -> None:
    """Sign `user` in with this browser, in a session that shares nothing with the one before."""
    session_id = services.start_session(
        user.id, user_agent=request.user_agent.string, remembered=remembered
    )
    _forget()
    flask_security.login_user(user, remember=False, authn_via=[via])
    session.update(session_values(user, session_id))
    # Not permanent: the browser drops the cookie when it is closed.
    session.permanent = remembered


def close_session() -> None:
    """Sign out with this browser; copies of its cookie die with the session's row."""
    if SESSION_ID in session:
        services.end_session(session[SESSION_ID])
    flask_security.logout_user()
    _forget()


def keep_session(user: User) -> None:
    """Stay signed in with this browser after the user's `fs_uniquifier` changed."""
    session["_user_id"] = user.fs_uniquifier


def session_values(user: User, session_id: str) -> dict[str, Any]:
    """What the cookie of a signed-in browser holds."""
    return {
        "_user_id": user.fs_uniquifier,
        "_fresh": True,
        SESSION_ID: session_id,
        SEEN_AT: int(time.time()),
    }


def refresh_session() -> None:
    """Keep the session alive after it was written to."""
    session.modified = True


def load_user_of_session(uniquifier: str) -> User | None:
    """The user of a session cookie, while its session is open, in use, and she may sign in."""
    session_id = session.get(SESSION_ID)
    if not session_id or _is_idle():
        return None
    since = utcnow() - MAX_SESSION_AGE
    user = queries.find_signed_in(str(uniquifier), session_id, since=since)
    if user is not None:
        set_request_attr("fs_authn_via", "session")
        if time.time() - session[SEEN_AT] > SEEN_STEP_S:
            session[SEEN_AT] = int(time.time())
    return user


def load_user_of_token(request: Request) -> User | None:
    """The user of an API token, which only the API takes, and only from a header."""
    token = _token_of(request)
    if token is None or not request.path.startswith((f"{PREFIX}/", "/v2/")):
        return None
    try:
        user = queries.find_by_token(parse_auth_token(token)["uid"])
    except (BadData, ValueError, KeyError, TypeError, IndexError):
        return None
    if user is not None:
        set_request_attr("fs_authn_via", "token")
    return user


def _token_of(request: Request) -> str | None:
    scheme, _separator, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    return request.headers.get("Authentication-Token")


def _is_idle() -> bool:
    if session.permanent:
        return False
    return time.time() - session.get(SEEN_AT, 0) > queries.settings().session_hours * 3600


def _forget() -> None:
    kept = {key: session[key] for key in KEPT_KEYS if key in session}
    session.clear()
    session.update(kept)
