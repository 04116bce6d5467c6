"""The dashboard's frame: Flask-Admin under the portal's layout, roles, CSP and services.

Each domain's admin.py lists its views; templates/admin holds their pages. `views.py` is where to start.
"""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme

from dashboard.core.admin import inline
from dashboard.core.admin.health import Health
from dashboard.core.admin.losses import goes_with
from dashboard.core.admin.pages import AdminPage, Figure
from dashboard.core.admin.views import AtriumModelView
from dashboard.core.headers import csp_nonce
from dashboard.core.i18n import TRANSLATIONS

__all__ = ["AdminPage", "AtriumModelView", "Figure", "endpoints", "goes_with", "init_app"]

# Flask-Admin's own pages beside those of the views.
FRAME_ENDPOINTS = ("admin.index", "admin.static")


def init_app(app: Flask, views: Callable[[], list[Any]]) -> None:
    """Serve the dashboard's `views` under /admin."""
    inline.init_app(app)
    admin = Admin(
        name=app.config["ATRIUM"].site.name,
        theme=Bootstrap4Theme(base_template="admin/portal.html"),
        index_view=Health(),
        csp_nonce_generator=csp_nonce,
        # Chinese for the messages that Flask-Admin has none for (admin.po).
        translations_path=str(TRANSLATIONS),
    )
    for view in views():
        admin.add_view(view)
    admin.init_app(app)


def endpoints(views: Iterable[type[AdminPage]]) -> list[str]:
    """Every endpoint that the dashboard has with these views; all of them are for administrators."""
    names = {
        f"{view.endpoint_name()}.{function}" for view in views for function in view.functions()
    }
    return [*FRAME_ENDPOINTS, *sorted(names)]
