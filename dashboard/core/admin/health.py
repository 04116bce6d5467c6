"""The dashboard's first page: how the portal stands, in one look."""

import shutil
from typing import Any

from flask import current_app
from flask_admin import AdminIndexView, expose

from dashboard.core import migrations
from dashboard.core.access import has_role
from dashboard.core.admin.pages import ROLE, AdminPage, Figure
from dashboard.core.config import Config
from dashboard.core.database import db
from dashboard.core.i18n import _, lazy

DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}
GIB = 2**30


class Health(AdminIndexView):
    """What there is, what is running, and what needs a look."""

    label = lazy("Overview")
    group = ""
    icon = "dashboard"
    slug = ""

    def __init__(self) -> None:
        super().__init__(name=lazy("Dashboard"), template="admin/index.html")

    def is_accessible(self) -> bool:
        return has_role(ROLE)

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        return fn(self, *args, **kwargs)

    @expose()
    def index(self) -> str:
        views = [view for view in self.admin._views if isinstance(view, AdminPage)]  # type: ignore[union-attr]
        config = current_app.config["ATRIUM"]
        return self.render(
            self._template,
            sections={**_by_group(views), _("System"): _system(config)},
            environment=config.site.environment,
        )


def _by_group(views: list[AdminPage]) -> dict[str, list[Figure]]:
    groups: dict[str, list[Figure]] = {}
    for view in views:
        groups.setdefault(str(view.group), []).extend(view.figures())
    return {group: figures for group, figures in groups.items() if figures}


def _system(config: Config) -> list[Figure]:
    return [_database(), _schema(), _broker(config), _disk(config)]


def _database() -> Figure:
    name = db.engine.dialect.name
    if getattr(db.engine.dialect, "is_mariadb", False):
        name = "mariadb"
    return Figure(_("Database"), DATABASES.get(name, name))


def _schema() -> Figure:
    state = migrations.state()
    value = _("up to date") if state.current else _("out of date")
    return Figure(_("Tables"), value, state="done" if state.current else "failed")


def _broker(config: Config) -> Figure:
    value = _("embedded, no server") if config.broker.embedded else "RabbitMQ"
    return Figure(_("Message broker"), value)


def _disk(config: Config) -> Figure:
    free = shutil.disk_usage(config.site.data_dir).free
    low = free < 2 * config.uploads.min_free_bytes
    value = _("%(size)s GiB free", size=f"{free / GIB:.1f}")
    return Figure(_("Disk of the data folder"), value, state="failed" if low else "done")
