"""The blueprint that the catalogue's pages share, and what its templates know."""

from typing import Any

from flask import Blueprint, url_for

from dashboard.catalogue import labels
from dashboard.catalogue.models import Item
from dashboard.core.access import has_role

pages = Blueprint("catalogue", __name__)


@pages.app_context_processor
def _helpers() -> dict[str, Any]:
    return {"item_url": item_url, "cover_url": cover_url, "catalogue_labels": labels}


def item_url(item: Item) -> str:
    """The address of an item's introduction page."""
    return url_for(f"catalogue.{item.kind}", item_id=item.id)


def cover_url(item: Item) -> str:
    """The address of an item's cover picture; empty when it has none."""
    return url_for("catalogue.cover", name=item.cover) if item.cover else ""


def sees_drafts() -> bool:
    """Whether the visitor may see what is not published."""
    return has_role("admin")
