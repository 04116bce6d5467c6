"""Favourites, ratings and going on with a video; what item pages show of a learner's own state."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response

from dashboard.activity import queries, services
from dashboard.catalogue import queries as catalogue
from dashboard.catalogue import signals
from dashboard.core.errors import Invalid
from dashboard.core.i18n import _

PER_PAGE = 12
ITEM_PAGES = ("catalogue.course", "catalogue.position")

pages = Blueprint("activity", __name__)


@pages.app_context_processor
def _own_state() -> dict[str, Any]:
    """`mine` on introduction pages: the catalogue, which draws them, knows no learners."""
    item_id = (request.view_args or {}).get("item_id", 0)
    if request.endpoint not in ITEM_PAGES or not current_user or not current_user.is_authenticated:
        return {"mine": None}
    return {"mine": queries.get_mine(current_user.id, item_id)}


@pages.post("/items/<int:item_id>/favourite")
def favourite(item_id: int) -> Response:
    """Keep an item as a favourite (on=1) or no longer (on=0)."""
    on = request.form.get("on") != "0"
    services.set_favourite(learner_id=current_user.id, item_id=item_id, on=on)
    flash(_("Kept as a favourite.") if on else _("No longer a favourite."), "success")
    return _back_to_item(item_id)


@pages.post("/items/<int:item_id>/rating")
def rate(item_id: int) -> Response:
    """Give an item 1 to 5 stars."""
    stars = request.form.get("stars", type=int)
    if stars is None:
        raise Invalid(_("A rating is 1 to 5 stars."))
    services.rate(learner_id=current_user.id, item_id=item_id, stars=stars)
    flash(_("Thank you for your rating."), "success")
    return _back_to_item(item_id)


@pages.get("/me/favourites")
def favourites() -> str:
    """The learner's favourites."""
    number = min(max(1, request.args.get("page", 1, type=int)), 1_000_000)
    page = queries.list_favourites(current_user.id, page=number, per_page=PER_PAGE)
    return render_template("activity/favourites.html", page=page)


@pages.get("/activity/continue")
def continue_watching() -> str:
    """A part of the home page: the videos to go on with."""
    return render_template("activity/_continue.html", continue_watching=_to_resume())


def _to_resume() -> list[tuple[Any, Any, float, float]]:
    rows = queries.list_to_resume(current_user.id)
    return [(row.item, row.video, row.position_s, row.duration_s) for row in rows]


def _back_to_item(item_id: int) -> Response:
    item = catalogue.get_item(item_id)
    return redirect(url_for(f"catalogue.{item.kind}", item_id=item.id))


@signals.video_downloaded.connect
def _record_download(_video: Any, *, user_id: int, item_id: int, video_id: int) -> None:
    services.record_download(learner_id=user_id, item_id=item_id, video_id=video_id)
