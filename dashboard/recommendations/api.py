"""The API of recommendations."""

from typing import Any

from flask.views import MethodView
from flask_security import current_user

from dashboard.core.api import ApiBlueprint, cacheable, page_schema
from dashboard.core.database import Page
from dashboard.job_queue.models import Job
from dashboard.recommendations import queries, services
from dashboard.recommendations.models import TrainingRun
from dashboard.recommendations.schemas import (
    CountArgs,
    EmptyBody,
    ExplanationSchema,
    QueuedSchema,
    RecommendationsSchema,
    RelatedItemsSchema,
    RunDetailSchema,
    RunQuery,
    RunSchema,
)

api = ApiBlueprint(
    "recommendations_api", __name__, description="Recommendations, reasons and training"
)
RELATED_SECONDS = 300


@api.route("/recommendations")
class Recommendations(MethodView):
    @api.arguments(CountArgs, location="query")
    @api.response(200, RecommendationsSchema)
    def get(self, args: dict[str, Any]) -> dict[str, Any]:
        """What is recommended to you, and why"""
        return {"items": services.recommendations_for(current_user.id, n=args["n"])}


@api.route("/recommendations/<int:item_id>/why")
class Why(MethodView):
    @api.response(200, ExplanationSchema)
    def get(self, item_id: int) -> services.Explanation:
        """What of your own behaviour speaks for an item"""
        return services.explain(current_user.id, item_id)


@api.route("/items/<int:item_id>/related")
class Related(MethodView):
    @cacheable(seconds=RELATED_SECONDS)
    @api.arguments(CountArgs, location="query")
    @api.response(200, RelatedItemsSchema)
    def get(self, args: dict[str, Any], item_id: int) -> dict[str, Any]:
        """Items that people of this item take as well"""
        return {"items": services.related_items(item_id, n=args["n"])}


@api.route("/recommendations/runs")
class Runs(MethodView):
    @api.arguments(RunQuery, location="query")
    @api.response(200, page_schema(RunSchema))
    def get(self, args: dict[str, Any]) -> Page[TrainingRun]:
        """Training runs, newest first"""
        return queries.list_runs(**args)

    @api.arguments(EmptyBody, required=False)
    @api.response(202, QueuedSchema)
    def post(self, _body: dict[str, Any]) -> Job:
        """Train the recommender; answers with the job"""
        return services.request_training(actor_id=current_user.id)


@api.route("/recommendations/runs/<int:run_id>")
class Run(MethodView):
    @api.response(200, RunDetailSchema)
    def get(self, run_id: int) -> TrainingRun:
        """A training run with its recipe and metrics"""
        return queries.get_run(run_id)
