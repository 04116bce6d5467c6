"""The menu of each visitor, and where it is safe to send her back to."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request, url_for
from flask_login import current_user

from dashboard.core.access import access_of, has_role

# As many links as fit beside the name and the tools on a screen of 80rem, in either language.
LINKS_IN_HEADER = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu: shown to whoever may open its endpoint."""

    endpoint: str
    label: Any
    icon: str = ""
    # Makes room in the header when the menu is long: it then stands behind "More".
    less_used: bool = False


def init_app(app: Flask, entries: list[Entry]) -> None:
    """Give templates `nav`, the lines this visitor may open, and `may_open(endpoint)`."""
    app.context_processor(lambda: {"nav": menu(entries)})
    app.jinja_env.globals["may_open"] = may_open


def menu(entries: list[Entry]) -> list[dict[str, Any]]:
    """The entries open to this visitor, each with label, href, icon, whether it is the present page, and
    whether it stands behind "More" in the header."""
    blueprint = (request.endpoint or "").rpartition(".")[0]
    mine = [entry for entry in entries if may_open(entry.endpoint)]
    crowded = len(mine) > LINKS_IN_HEADER + 1
    return [
        {
            "label": entry.label,
            "href": url_for(entry.endpoint),
            "icon": entry.icon,
            "current": request.endpoint == entry.endpoint
            or (blueprint.startswith("admin") and entry.endpoint == "admin.index"),
            "more": crowded and entry.less_used,
        }
        for entry in mine
    ]


def safe_target(target: str | None) -> str | None:
    r"""`target` when it is a path of this portal, else None: //e, https:e, \\e and /\e lead elsewhere."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    # Browsers read a backslash as a slash and drop control characters.
    if "\\" in target or any(ord(character) < 32 for character in target):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target


def may_open(endpoint: str) -> bool:
    """Whether this visitor may open the page: a link to it is worth showing."""
    access = access_of(endpoint)
    if access is None:
        return False
    if access.public:
        return True
    return current_user.is_authenticated and (not access.roles or has_role(*access.roles))
