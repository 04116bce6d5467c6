"""Pages of learners: the list, its reasons, what is left out of it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response as AnyResponse

from dashboard.catalogue import queries as catalogue
from dashboard.core.access import has_role
from dashboard.core.i18n import _
from dashboard.core.navigation import safe_target
from dashboard.recommendations import charts, services
from dashboard.recommendations.models import Source

pages = Blueprint("recommendations", __name__)

N_LIST, N_PANEL, N_RELATED, N_PREVIEW = 24, 8, 4, 6


@pages.get("/recommendations")
def own_list() -> str:
    """Recommended for you, each with its reason."""
    own = services.signals_of(current_user.id)
    found = services.recommendations_for(current_user.id, n=N_LIST)
    services.record_shown(current_user.id, found, source=Source.LIST)
    return render_template(
        "recommendations/list.html",
        found=found,
        ignored=catalogue.list_items_by_id(list(own.ignored)),
        dismissed=catalogue.list_items_by_id(list(own.dismissed)),
    )


@pages.get("/recommendations/panel")
def panel() -> str:
    """The part of the home page: for you, or what is popular."""
    if current_user.is_authenticated:
        found = services.recommendations_for(current_user.id, n=N_PANEL)
        services.record_shown(current_user.id, found, source=Source.HOME)
    else:
        found = services.popular_items(n=N_PANEL)
    return render_template("recommendations/panel.html", found=found)


@pages.get("/recommendations/related/<int:item_id>")
def related(item_id: int) -> str:
    """The part of an item's page: what people take as well."""
    reader = current_user.id if current_user.is_authenticated else None
    drafts = has_role("admin")
    found = services.related_items(item_id, n=N_RELATED, user_id=reader, drafts=drafts)
    if reader is not None:
        services.record_shown(reader, found, source=Source.RELATED)
    return render_template(
        "recommendations/related.html",
        found=found,
        kind=catalogue.get_item(item_id, drafts=drafts).kind,
    )


@pages.get("/recommendations/<int:item_id>/open")
def open_item(item_id: int) -> AnyResponse:
    """From a list to the item's page; the click is counted on the way."""
    source = request.args.get("source", "")
    item = catalogue.get_item(item_id)
    if source in list(Source):
        services.record_click(current_user.id, item_id, source=Source(source))
    return redirect(url_for(f"catalogue.{item.kind}", item_id=item.id))


@pages.get("/recommendations/<int:item_id>/why")
def why(item_id: int) -> str:
    """What of the reader's own behaviour speaks for an item."""
    explanation = services.explain(current_user.id, item_id)
    return render_template(
        "recommendations/why.html",
        explanation=explanation,
        chart=charts.contributions(explanation.reasons) if explanation.reasons else None,
        now=services.recommendations_for(current_user.id, n=N_PREVIEW),
    )


@pages.post("/recommendations/<int:item_id>/ignore")
def ignore(item_id: int) -> AnyResponse:
    """Leave out what the reader did with an item, and say how her list changed."""
    before = _list_now()
    services.ignore(user_id=current_user.id, item_id=item_id)
    _say_changed(before)
    return _back()


@pages.post("/recommendations/<int:item_id>/heed")
def heed(item_id: int) -> AnyResponse:
    """Count it again."""
    before = _list_now()
    services.heed(user_id=current_user.id, item_id=item_id)
    _say_changed(before)
    return _back()


@pages.post("/recommendations/<int:item_id>/dismiss")
def dismiss(item_id: int) -> AnyResponse:
    """Not interested."""
    services.dismiss(user_id=current_user.id, item_id=item_id)
    flash(_("You will not see it among your recommendations again."), "success")
    return _back()


@pages.post("/recommendations/<int:item_id>/restore")
def restore(item_id: int) -> AnyResponse:
    """Interested after all."""
    services.restore(user_id=current_user.id, item_id=item_id)
    flash(_("It may be recommended to you again."), "success")
    return _back()


def _back() -> AnyResponse:
    return redirect(safe_target(request.form.get("next")) or url_for("recommendations.own_list"))


def _list_now() -> list[int]:
    return [each.item.id for each in services.recommendations_for(current_user.id, n=N_LIST)]


def _say_changed(before: list[int]) -> None:
    now = _list_now()
    if now == before:
        flash(_("Your list was made again and stays as it was."), "success")
        return
    stayed = set(before) & set(now)
    message = _(
        "Your list was made again. New: %(new)s; gone: %(gone)s; in another place: %(moved)s.",
        new=len(now) - len(stayed),
        gone=len(before) - len(stayed),
        moved=sum(before.index(item_id) != now.index(item_id) for item_id in stayed),
    )
    flash(message, "success")
