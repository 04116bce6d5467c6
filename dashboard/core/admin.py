"""The dashboard's frame: Flask-Admin under the portal's layout, roles, CSP and services."""

from collections.abc import Callable
from typing import Any

from flask import Flask


def init_app(app: Flask, views: Callable[[], list[Any]]) -> None:
    """Serve the dashboard's `views` under /admin."""
