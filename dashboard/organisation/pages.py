"""The 3D structure and the tree beside it; the portal's own architecture in the same view."""

import mimetypes
import os
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, send_file, url_for
from flask_security import current_user

from dashboard.catalogue import queries as catalogue
from dashboard.catalogue.models import ItemKind
from dashboard.core import uploads
from dashboard.core.access import has_role
from dashboard.core.errors import NotFound
from dashboard.core.i18n import current_language
from dashboard.organisation.models import Unit
from dashboard.organisation.queries import portal, scene, ways

pages = Blueprint("organisation", __name__)

# A tree with more rooms than this opens one floor at a time: the page stays light.
MAX_ROOMS_LISTED = 400
FILE_SECONDS = 3600
GLB = "model/gltf-binary"


@pages.app_context_processor
def _helpers() -> dict[str, Any]:
    return {"unit_name": unit_name}


def unit_name(unit: Unit) -> str:
    """A unit's name in the visitor's language, as far as it has one."""
    return unit.name_en if current_language() == "en" and unit.name_en else unit.name


@pages.get("/3d")
def structure() -> str:
    """The organisation as a tree and, where the browser can, as a building."""
    floors = scene.list_floors()
    n_rooms = sum(len(floor.rooms) for floor in floors)
    return render_template(
        "organisation/structure.html",
        title=current_app.config["ATRIUM"].organisation.title,
        floors=floors,
        n_rooms=n_rooms,
        brief=n_rooms > MAX_ROOMS_LISTED,
        chosen=request.args.get("unit", 0, type=int),
        ways=ways.ways_of(current_user.id) if current_user.is_authenticated else None,
        props=_props(),
    )


@pages.get("/3d/portal")
def portal_layers() -> str:
    """The portal's own parts in layers, with their present state."""
    return render_template(
        "organisation/portal.html",
        layers=portal.list_layers(),
        props={"preset": "portal", "sceneUrl": url_for("organisation_api.portal"), "keepFresh": 5},
    )


@pages.get("/3d/way/<int:item_id>")
def way(item_id: int) -> str:
    """How far the visitor is towards a position, as a part of the position's page."""
    position = catalogue.get_item(item_id, kind=ItemKind.POSITION, drafts=has_role("admin"))
    own = ways.way_to(current_user.id, position.id) if current_user.is_authenticated else None
    return render_template(
        "organisation/_way.html",
        position=position,
        courses=catalogue.list_courses_of(position.id),
        ways=own,
        unit_id=scene.find_unit_of(position.id),
    )


@pages.get("/3d/plans/<name>")
def floor_plan(name: str) -> Response:
    """The picture of a unit's floor."""
    return _file("plans", name, mimetypes.guess_type(name)[0] or "application/octet-stream")


@pages.get("/3d/backdrop/<name>")
def backdrop(name: str) -> Response:
    """The building model around the structure."""
    return _file("scenery", name, GLB)


def _file(folder: str, name: str, content_type: str) -> Response:
    path = uploads.path_of(folder, name)
    # os.path answers no where Path fails: for a name longer than the disk takes.
    if not os.path.isfile(path):  # noqa: PTH113
        raise NotFound()
    # Its name changes with its content.
    response = send_file(path, mimetype=content_type, max_age=FILE_SECONDS)
    response.headers["Cache-Control"] = f"public, max-age={FILE_SECONDS}"
    return response


def _props() -> dict[str, Any]:
    signed_in = current_user.is_authenticated
    return {
        "preset": "organisation",
        "sceneUrl": url_for("organisation_api.scene"),
        "itemsUrl": url_for("organisation_api.items", unit_id=0),
        "searchUrl": url_for("organisation_api.search"),
        "roomUrl": url_for("catalogue.position", item_id=0),
        "itemUrl": url_for("catalogue.course", item_id=0),
        "planUrl": url_for("organisation.floor_plan", name="NAME"),
        "backdropUrl": url_for("organisation.backdrop", name="NAME"),
        "waysUrl": url_for("organisation_api.ways") if signed_in else "",
        "measuresUrl": url_for("organisation_api.measures") if has_role("analyst", "admin") else "",
        "room": request.args.get("room", 0, type=int),
        "unit": request.args.get("unit", 0, type=int),
    }
