"""THE MAP: every page, API, admin view and task of every domain, and who may open what.

A route that is missing from ACCESS is refused (dashboard/core/access.py) and fails the authorization test.
"""

from typing import Any

from flask import Blueprint

from dashboard.core import admin
from dashboard.core.access import PUBLIC, SIGNED_IN, Access, roles
from dashboard.core.admin import AdminPage
from dashboard.core.api import ApiBlueprint
from dashboard.core.i18n import lazy
from dashboard.core.navigation import Entry

ADMIN = roles("admin")
ANALYST = roles("analyst", "admin")

PAGES: list[Blueprint] = []
APIS: list[ApiBlueprint] = []
TASKS: list[Any] = []


# The dashboard's views, in the order of its menu.
ADMIN_VIEWS: list[type[AdminPage]] = []


def admin_views() -> list[AdminPage]:
    """The dashboard's views, ready to serve."""
    return [view() for view in ADMIN_VIEWS]


NAVIGATION = [
    Entry("catalogue.home", lazy("Home"), "home"),
]

ACCESS: dict[str, Access] = {
    "static": PUBLIC,
    "healthz": PUBLIC,
    "language": PUBLIC,
    "api-docs.openapi_json": PUBLIC,
    "api_docs.page": PUBLIC,
    # Every page of the dashboard, whatever its views add.
    **dict.fromkeys(admin.endpoints(ADMIN_VIEWS), ADMIN),
}
