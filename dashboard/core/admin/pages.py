"""What every page of the dashboard has: its place in the menu, its role, its figures."""

from dataclasses import dataclass
from typing import Any, ClassVar

from flask_admin import BaseView
from flask_security import current_user

from dashboard.core.access import has_role

ROLE = "admin"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number on the dashboard's first page, and where it leads; `state` colours it (failed, done, queued)."""

    label: Any
    value: Any
    href: str = ""
    state: str = ""


class AdminPage(BaseView):
    """A page, or a group of pages, of the dashboard. Subclasses set slug, label, group and icon."""

    slug: ClassVar[str]
    label: ClassVar[Any]
    group: ClassVar[Any] = ""
    icon: ClassVar[str] = "info"

    def __init__(self) -> None:
        super().__init__(self.label, endpoint=self.endpoint_name(), url=self.slug)

    @classmethod
    def endpoint_name(cls) -> str:
        """The first part of the endpoints of this view."""
        return f"admin_{cls.slug.replace('-', '_')}"

    @classmethod
    def functions(cls) -> set[str]:
        """The second parts: every exposed function."""
        return {name for _url, name, _methods in cls._urls}  # type: ignore[attr-defined]

    @property
    def actor_id(self) -> int:
        """Who is asking: the audit log names her."""
        return int(current_user.id)

    def figures(self) -> list[Figure]:
        """What the dashboard's first page tells about this view; the view's own link comes first."""
        return []

    def is_accessible(self) -> bool:
        # A second lock behind the access map, which has refused others already.
        return has_role(ROLE)

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin calls a view again when it raises TypeError: a write could happen twice.
        return fn(self, *args, **kwargs)
