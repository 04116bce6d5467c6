"""How often an address or an account may try something.

Every route that changes something has a limit for each person; sign-in and registration set tighter ones.
"""

from flask import Flask, current_app, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user

from dashboard.core.access import SAFE_METHODS


def _person() -> str:
    return f"user:{current_user.id}" if current_user.is_authenticated else get_remote_address()


def _per_minute() -> str:
    return f"{current_app.config['ATRIUM'].server.changes_per_minute} per minute"


def _is_unlimited() -> bool:
    # The pieces of an upload are bounded by its announced size.
    return request.method in SAFE_METHODS or request.mimetype == "application/offset+octet-stream"


limiter = Limiter(
    _person,
    default_limits=[_per_minute],
    default_limits_exempt_when=_is_unlimited,
    storage_uri="memory://",
    headers_enabled=True,
)


def init_app(app: Flask) -> None:
    """Count attempts in this process; one web process serves the portal."""
    limiter.init_app(app)
