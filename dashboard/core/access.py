"""Who may open what: one map for every route, checked before any view runs.

An endpoint that is not in the map is refused, so a forgotten line locks a door instead of opening it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from flask import Flask, abort, current_app, redirect, request
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from dashboard.core.errors import API_PREFIXES

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

csrf = CSRFProtect()


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a route: anybody, anybody signed in, or holders of one of `roles`."""

    public: bool = False
    roles: frozenset[str] = frozenset()


PUBLIC = Access(public=True)
SIGNED_IN = Access()


def roles(*names: str) -> Access:
    """Access for those who hold at least one of the named roles."""
    return Access(roles=frozenset(names))


def init_app(app: Flask, access: Mapping[str, Access]) -> None:
    """Check every request of `app` against `access`, and every change against CSRF."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    csrf.init_app(app)
    app.extensions["atrium_access"] = access
    app.before_request(_refuse_nul_in_address)
    app.before_request(_guard)
    app.before_request(_refuse_nul_in_form)


def access_of(endpoint: str) -> Access | None:
    """Who may use `endpoint`, or None when nobody said."""
    return cast(Mapping[str, Access], current_app.extensions["atrium_access"]).get(endpoint)


def has_role(*names: str) -> bool:
    """Whether the signed-in user holds one of the named roles."""
    return current_user.is_authenticated and any(current_user.has_role(name) for name in names)


def ask_to_sign_in() -> Response:
    """Send the visitor to the sign-in page and back here afterwards; 401 for the API."""
    if request.path.startswith(API_PREFIXES):
        abort(401)
    target = request.full_path.rstrip("?") if request.method in SAFE_METHODS else ""
    return redirect(current_app.extensions["atrium_login_url"](target))


def _guard() -> Response | None:
    if request.endpoint is None or request.routing_exception is not None:
        return None  # unknown address or method: Flask answers 404 or 405
    access = access_of(request.endpoint)
    if access is None:
        current_app.logger.error("no access rule for endpoint %s", request.endpoint)
        abort(403)
    if request.method not in SAFE_METHODS and not _carries_token() and not _speaks_for_nobody():
        csrf.protect()
    if access.public:
        return None
    if not current_user.is_authenticated:
        return ask_to_sign_in()
    if access.roles and not has_role(*access.roles):
        current_app.logger.warning(
            "refused %s %s to user %s", request.method, request.path, current_user.id
        )
        abort(403)
    return None


def _refuse_nul_in_address() -> None:
    # No database takes NUL as text, and nobody types it.
    if "\0" in request.path or _has_nul(request.args):
        abort(400)


def _refuse_nul_in_form() -> None:
    # After the guard: what a stranger sends is not read. The API takes no forms, and reads its bodies itself.
    if not request.path.startswith(API_PREFIXES) and _has_nul(request.form):
        abort(400)


def _has_nul(values: MultiDict[str, str]) -> bool:
    return any("\0" in value for _name, value in values.items(multi=True))


def _carries_token() -> bool:
    # A page of another site cannot set these headers without our consent (CORS), so they need no CSRF token.
    # "Authorization: Basic" does not count: a browser adds it by itself where a proxy asks for a password.
    authorization = request.headers.get("Authorization", "")
    return "Authentication-Token" in request.headers or authorization.startswith("Bearer ")


def _speaks_for_nobody() -> bool:
    # CSRF makes a signed-in browser act. A call of the API without a session has nobody to act as, and the API
    # signs no browser in; a page's form is checked all the same, or a stranger could be signed in by it.
    return request.path.startswith(API_PREFIXES) and not current_user.is_authenticated
