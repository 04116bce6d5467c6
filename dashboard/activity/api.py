"""Recording events, and a learner's own favourites and progress."""

from typing import Any

from flask.views import MethodView
from flask_security import current_user

from dashboard.activity import queries, services
from dashboard.activity.schemas import (
    AcceptedSchema,
    EventsBody,
    ProgressPage,
    happenings_of,
)
from dashboard.catalogue.schemas import ItemPage
from dashboard.core.api import ApiBlueprint, PageArgs

api = ApiBlueprint("activity_api", __name__, description="What learners do.")


@api.route("/events", endpoint="events")
class Events(MethodView):
    @api.arguments(EventsBody)
    @api.response(202, AcceptedSchema)
    @api.alt_response(404, description="No such item, or not published.")
    def post(self, body: dict[str, Any]) -> dict[str, int]:
        """Record one event of the signed-in learner, or several."""
        accepted = services.record_all(happenings_of(body), learner_id=current_user.id)
        return {"accepted": accepted}


@api.route("/me/favourites", endpoint="favourites")
class Favourites(MethodView):
    @api.arguments(PageArgs, location="query")
    @api.response(200, ItemPage)
    def get(self, args: dict[str, Any]) -> Any:
        """The learner's favourites, newest first."""
        return queries.list_favourites(current_user.id, **args)


@api.route("/me/progress", endpoint="progress")
class Progress(MethodView):
    @api.arguments(PageArgs, location="query")
    @api.response(200, ProgressPage)
    def get(self, args: dict[str, Any]) -> Any:
        """How far the learner is in each video, most recent first."""
        return queries.list_progress(current_user.id, **args)
