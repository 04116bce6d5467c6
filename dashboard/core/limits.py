"""How often an address or an account may try something."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address, storage_uri="memory://", headers_enabled=True)


def init_app(app: Flask) -> None:
    """Count attempts in this process; one web process serves the portal."""
    limiter.init_app(app)
