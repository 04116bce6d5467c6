"""The organisation for programs and for the 3D view.

What everybody may see is one answer for all, which may be kept; what is one person's, or for analysts, is
fetched apart and never kept.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, current_app, make_response, request
from flask.views import MethodView
from flask_security import current_user

from dashboard.core.api import ApiBlueprint, cacheable
from dashboard.organisation.queries import measures, portal, scene, units, ways
from dashboard.organisation.schemas import (
    FoundSchema,
    ItemArgs,
    LayersSchema,
    RoomMeasuresSchema,
    SceneItemPage,
    SceneSchema,
    SearchArgs,
    WaysSchema,
)

SCENE_SECONDS = 60

api = ApiBlueprint(
    "organisation_api", __name__, description="Units, positions in them, and their 3D view."
)


def conditional(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark the answer with a hash of itself, and answer 304 to who has it already."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Response:
        response = make_response(view(*args, **kwargs))
        response.add_etag()
        response.make_conditional(request)
        return response

    return answer


@api.route("/organisation/scene", endpoint="scene")
class Scene(MethodView):
    @conditional
    @cacheable(seconds=SCENE_SECONDS)
    @api.response(200, SceneSchema)
    def get(self) -> Any:
        """Every unit with its published positions, and how many published courses lead to each."""
        return {
            "title": current_app.config["ATRIUM"].organisation.title,
            "units": scene.list_floors(),
            "backdrop": units.find_backdrop(),
        }


@api.route("/organisation/units/<int:unit_id>/items", endpoint="items")
class Items(MethodView):
    @conditional
    @cacheable(seconds=SCENE_SECONDS)
    @api.arguments(ItemArgs, location="query")
    @api.response(200, SceneItemPage)
    @api.alt_response(404, description="No such unit.")
    def get(self, args: dict[str, Any], unit_id: int) -> Any:
        """The published courses in the rooms of one unit, room by room."""
        units.get_unit(unit_id)
        return scene.list_items_of(unit_id, page=args["page"], per_page=args["per_page"])


@api.route("/organisation/search", endpoint="search")
class Search(MethodView):
    @conditional
    @cacheable(seconds=SCENE_SECONDS)
    @api.arguments(SearchArgs, location="query")
    @api.response(200, FoundSchema)
    def get(self, args: dict[str, Any]) -> Any:
        """The rooms whose position, unit or published courses hold all the words."""
        rooms, total = scene.find_rooms(args["words"])
        return {"rooms": rooms, "total": total}


@api.route("/organisation/ways", endpoint="ways")
class OwnWays(MethodView):
    @api.response(200, WaysSchema)
    def get(self) -> Any:
        """The positions you are on the way to, and how far you are."""
        return ways.ways_of(current_user.id)


@api.route("/organisation/measures", endpoint="measures")
class Measures(MethodView):
    @api.response(200, RoomMeasuresSchema)
    def get(self) -> Any:
        """People, completion, views in the last thirty days and recommendation demand of each position."""
        return {"rooms": measures.measures_of_rooms()}


@api.route("/organisation/portal", endpoint="portal")
class Portal(MethodView):
    @api.response(200, LayersSchema)
    def get(self) -> Any:
        """The portal's own parts in layers, with their present state."""
        return {"layers": portal.list_layers()}
