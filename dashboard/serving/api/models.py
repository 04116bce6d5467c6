"""Models over the API."""

from typing import Any

from flask import request, send_file
from flask.views import MethodView
from werkzeug.wrappers import Response

from dashboard.core.api import page_schema
from dashboard.core.database import Page
from dashboard.serving import queries, services
from dashboard.serving.api.blueprint import (
    FILE_BODY,
    RECORDS_BODY,
    api,
    body_of_records,
)
from dashboard.serving.callers import sent_file, viewer
from dashboard.serving.models import Model, ModelVersion, Right
from dashboard.serving.schemas import (
    DeleteArgs,
    ListArgs,
    ModelChangeSchema,
    ModelDetailSchema,
    ModelSchema,
    PredictionSchema,
    VersionDetailSchema,
)


@api.route("/models")
class Models(MethodView):
    @api.arguments(ListArgs, location="query")
    @api.response(200, page_schema(ModelSchema))
    def get(self, args: dict[str, Any]) -> Page[Model]:
        """The models you may see, newest first"""
        search = args.pop("q")
        return queries.page_of_models(viewer(), search=search, **args)

    @api.doc(requestBody=FILE_BODY)
    @api.response(201, ModelDetailSchema)
    def post(self) -> Model:
        """Upload a model: multipart form with file, name and description"""
        with sent_file() as (source, original_name):
            return services.add_model(
                source,
                original_name=original_name,
                name=request.form.get("name", ""),
                description=request.form.get("description", ""),
                viewer=viewer(),
            )


@api.route("/models/<int:model_id>")
class OneModel(MethodView):
    @api.response(200, ModelDetailSchema)
    def get(self, model_id: int) -> Model:
        """A model with its inputs, outputs and versions"""
        return queries.get_model(model_id, viewer())

    @api.arguments(ModelChangeSchema)
    @api.response(200, ModelDetailSchema)
    def patch(self, body: dict[str, Any], model_id: int) -> Model:
        """Change a model's name or description"""
        return services.update_model(model_id, viewer=viewer(), **body)

    @api.arguments(DeleteArgs, location="query")
    @api.response(204)
    def delete(self, args: dict[str, Any], model_id: int) -> None:
        """Delete a model; 409 while it is deployed, unless force is true"""
        services.delete_model(model_id, viewer=viewer(), force=args["force"])


@api.route("/models/<int:model_id>/versions")
class Versions(MethodView):
    @api.doc(requestBody=FILE_BODY)
    @api.response(201, VersionDetailSchema)
    def post(self, model_id: int) -> ModelVersion:
        """Add a version: multipart form with file and note"""
        with sent_file() as (source, original_name):
            return services.add_version(
                model_id,
                source,
                original_name=original_name,
                note=request.form.get("note", ""),
                viewer=viewer(),
            )


@api.route("/models/<int:model_id>/versions/<int:number>")
class OneVersion(MethodView):
    @api.response(200, VersionDetailSchema)
    def get(self, model_id: int, number: int) -> ModelVersion:
        """A version with its inputs and outputs"""
        return queries.get_version(queries.get_model(model_id, viewer()), number)

    @api.response(204)
    def delete(self, model_id: int, number: int) -> None:
        """Delete a version that is not deployed"""
        services.delete_version(model_id, number, viewer=viewer())


@api.route("/models/<int:model_id>/versions/<int:number>/file")
class VersionFile(MethodView):
    @api.response(
        200, {"type": "string", "format": "binary"}, content_type="application/octet-stream"
    )
    def get(self, model_id: int, number: int) -> Response:
        """The file of a version, as it came in"""
        version = queries.get_version(queries.get_model(model_id, viewer()), number)
        return send_file(
            queries.path_of(version),
            mimetype="application/octet-stream",
            as_attachment=True,
            download_name=version.original_name or version.format,
        )


@api.route("/models/<int:model_id>/versions/<int:number>/reference")
class Reference(MethodView):
    @api.doc(requestBody=FILE_BODY)
    @api.response(200, VersionDetailSchema)
    def put(self, model_id: int, number: int) -> ModelVersion:
        """Measure drift against a table (CSV, JSON, Parquet): multipart form with file"""
        with sent_file() as (source, name):
            return services.set_reference(
                model_id, number, source, original_name=name, viewer=viewer()
            )

    @api.response(204)
    def delete(self, model_id: int, number: int) -> None:
        """Measure drift against what the training or the model's file says again"""
        services.remove_reference(model_id, number, viewer=viewer())


@api.route("/models/<int:model_id>/versions/<int:number>/test")
class ModelTest(MethodView):
    @api.doc(requestBody=RECORDS_BODY)
    @api.response(200, PredictionSchema)
    def post(self, model_id: int, number: int) -> Any:
        """Try a version that need not be deployed"""
        model = queries.get_model(model_id, viewer(), right=Right.USE)
        version = queries.get_version(model, number)
        records, _outputs, body = body_of_records(version)
        return services.try_version(version, records, script=str(body.get("script", "")))
