"""The API of recommendations."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from flask import Response, request, stream_with_context
from flask.views import MethodView
from flask_security import current_user

from dashboard.core.api import ApiBlueprint, cacheable, page_schema
from dashboard.core.database import Page
from dashboard.core.errors import TooLarge
from dashboard.job_queue.models import Job
from dashboard.recommendations import queries, services
from dashboard.recommendations.models import TrainingRun
from dashboard.recommendations.schemas import (
    CountArgs,
    EmptyBody,
    ExplanationSchema,
    ExportArgs,
    ImportArgs,
    ImportedSchema,
    QueuedSchema,
    RecommendationsSchema,
    RelatedItemsSchema,
    RunDetailSchema,
    RunQuery,
    RunSchema,
    TrainBody,
)
from dashboard.recommendations.services import transfer
from dashboard.recommendations.services.transfer import Format

api = ApiBlueprint(
    "recommendations_api", __name__, description="Recommendations, reasons and training"
)
RELATED_SECONDS = 300
# What the web server lets through for one request.
MAX_BODY_BYTES = 30 * 2**20
COPY_BYTES = 2**16
# What stands in them is told in services/transfer.py.
FILES: dict[str, Any] = {
    transfer.MIME[Format.CSV]: {"schema": {"type": "string"}},
    transfer.MIME[Format.JSON]: {"schema": {"type": "array", "items": {"type": "object"}}},
    transfer.MIME[Format.PARQUET]: {"schema": {"type": "string", "format": "binary"}},
}


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
    @cacheable(seconds=RELATED_SECONDS, personal=True)
    @api.arguments(CountArgs, location="query")
    @api.response(200, RelatedItemsSchema)
    def get(self, args: dict[str, Any], item_id: int) -> dict[str, Any]:
        """Items that people of this item take as well; none that you met or dismissed yourself"""
        reader = current_user.id if current_user.is_authenticated else None
        return {"items": services.related_items(item_id, n=args["n"], user_id=reader)}


@api.route("/recommendations/runs")
class Runs(MethodView):
    @api.arguments(RunQuery, location="query")
    @api.response(200, page_schema(RunSchema))
    def get(self, args: dict[str, Any]) -> Page[TrainingRun]:
        """Training runs, newest first"""
        return queries.list_runs(**args)

    @api.arguments(TrainBody, required=False)
    @api.response(202, QueuedSchema)
    def post(self, body: dict[str, Any]) -> Job:
        """Train the recommender; answers with the job"""
        model = (body or {}).get("model", "")
        return services.request_training(actor_id=current_user.id, model=model)


@api.route("/recommendations/interactions")
class Interactions(MethodView):
    @api.arguments(ExportArgs, location="query")
    @api.doc(responses={"200": {"content": FILES}})
    @api.response(200)
    def get(self, args: dict[str, Any]) -> Response:
        """Who met what, all of it, as CSV, JSON or Parquet; streamed"""
        form = Format(args["format"])
        if form is Format.PARQUET:
            response = _parquet_file()
        else:
            pieces = transfer.as_csv() if form is Format.CSV else transfer.as_json()
            response = Response(stream_with_context(pieces))
        response.content_type = transfer.MIME[form]
        response.headers.set("Content-Disposition", "attachment", filename=f"interactions.{form}")
        return response

    @api.arguments(ImportArgs, location="query")
    @api.response(200, ImportedSchema)
    @api.doc(requestBody={"required": True, "content": FILES})
    @api.alt_response(422, description="Lines that cannot be used, each with its number.")
    def post(self, args: dict[str, Any]) -> services.Imported:
        """Bring in who met what from the body, a file of up to 30 MiB; dry_run only judges it"""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "interactions"
            _keep_body(path)
            return services.import_interactions(
                path,
                form=Format(args["format"]),
                dry_run=args["dry_run"],
                actor_id=current_user.id,
            )


@api.route("/recommendations/runs/<int:run_id>/use")
class UseRun(MethodView):
    @api.arguments(EmptyBody, required=False)
    @api.response(200, RunSchema)
    @api.alt_response(409, description="The run has no file any more.")
    def post(self, _body: dict[str, Any], run_id: int) -> TrainingRun:
        """Show this run from now on: back to an older one, or on to one that was held back"""
        return services.use_run(run_id, actor_id=current_user.id)


@api.route("/recommendations/runs/<int:run_id>")
class Run(MethodView):
    @api.response(200, RunDetailSchema)
    def get(self, run_id: int) -> TrainingRun:
        """A training run with its recipe and metrics"""
        return queries.get_run(run_id)


def _keep_body(path: Path) -> None:
    """The body as a file, a piece in memory at a time. Raises TooLarge."""
    request.max_content_length = MAX_BODY_BYTES
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise TooLarge()
    with path.open("wb") as file:
        while piece := request.stream.read(COPY_BYTES):
            file.write(piece)


def _parquet_file() -> Response:
    """The export through an unnamed file, which is gone when the answer is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "interactions.parquet"
        transfer.write_parquet(path)
        # Open before the folder goes: the system keeps what somebody reads.
        file = path.open("rb")
    return Response(_pieces(file))


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(COPY_BYTES):
            yield piece
