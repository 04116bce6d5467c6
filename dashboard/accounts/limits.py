"""How often somebody may guess a password or register.

Only failures count, so a class that signs in from one address is not held up, and a lock ends by itself within
a minute: nobody can lock an owner out for ever.
"""

from typing import Any

from flask import Response, g, request
from flask_limiter.util import get_remote_address
from flask_login import current_user

from dashboard.accounts import queries
from dashboard.core.limits import limiter


def note_failure() -> None:
    """Count this request as a wrong guess."""
    g.accounts_guess_failed = True


def _failed(_response: Response) -> bool:
    return bool(g.get("accounts_guess_failed", False))


def _account() -> str:
    """The account this request tries, under whichever of its identities."""
    if current_user.is_authenticated:
        return f"user:{current_user.id}"
    identity = _identity_tried()
    user = queries.find_by_identity(identity)
    return f"user:{user.id}" if user else f"text:{identity.strip().casefold()[:254]}"


def _identity_tried() -> str:
    body: Any = request.get_json(silent=True) if request.is_json else request.form
    identity = body.get("identity") if hasattr(body, "get") else None
    return identity if isinstance(identity, str) else "?"


def _per_minute() -> str:
    return f"{queries.settings().sign_in_per_minute} per minute"


def _per_hour() -> str:
    return f"{queries.settings().register_per_hour} per hour"


per_address = limiter.shared_limit(
    _per_minute,
    scope="password-address",
    key_func=get_remote_address,
    methods=["POST"],
    deduct_when=_failed,
)
per_account = limiter.shared_limit(
    _per_minute,
    scope="password-account",
    key_func=_account,
    methods=["POST"],
    deduct_when=_failed,
)
registrations = limiter.shared_limit(
    _per_hour, scope="register", key_func=get_remote_address, methods=["POST"]
)
