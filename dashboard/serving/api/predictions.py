"""Calling deployments over the API: at once, as tasks, with files."""

from typing import Any

from flask import request, send_file, url_for
from flask.views import MethodView
from werkzeug.wrappers import Response

from dashboard.core.api import page_schema
from dashboard.core.database import Page
from dashboard.core.errors import Invalid, NotFound, Problem
from dashboard.core.i18n import _
from dashboard.core.limits import limiter
from dashboard.serving import queries, services
from dashboard.serving.api.blueprint import (
    FILE_BODY,
    RECORDS_BODY,
    api,
    body_of_records,
)
from dashboard.serving.callers import Caller, caller, sent_file, task_of, viewer
from dashboard.serving.models import PredictionTask
from dashboard.serving.schemas import PredictionSchema, TaskListArgs, TaskSchema

MIME = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}
KEY_HEADER = "Idempotency-Key"


@api.route("/deployments/<int:deployment_id>/predict")
class Predict(MethodView):
    # A deployment is made to be called often; what it takes is bounded by its replicas.
    decorators = [limiter.exempt]

    @api.doc(requestBody=RECORDS_BODY)
    @api.response(200, PredictionSchema)
    def post(self, deployment_id: int) -> Any:
        """Predict now; ?outputs=a,b or outputs in the body names those wanted"""
        who = caller(deployment_id)
        with services.counting_faults(who.deployment, owner=who.owner):
            records, outputs, _body = body_of_records(who.deployment.version)
        return services.predict(who.deployment, records, outputs=outputs, owner=who.owner)


@api.route("/deployments/<int:deployment_id>/tasks")
class Tasks(MethodView):
    decorators = [limiter.exempt]

    @api.arguments(TaskListArgs, location="query")
    @api.response(200, page_schema(TaskSchema))
    def get(self, args: dict[str, Any], deployment_id: int) -> Page[PredictionTask]:
        """The tasks of a deployment that you may see, newest first"""
        deployment = queries.get_deployment(deployment_id, viewer())
        return queries.page_of_tasks(viewer(), deployment_id=deployment.id, **args)

    @api.doc(requestBody=RECORDS_BODY)
    @api.response(202, TaskSchema)
    def post(self, deployment_id: int) -> Any:
        """Predict later: answers with the task at once; Idempotency-Key makes repeats safe"""
        who = caller(deployment_id)
        records, outputs, body = body_of_records(who.deployment.version)
        task = services.submit(
            who.deployment,
            records,
            outputs=outputs,
            owner_id=who.user_id,
            idempotency_key=request.headers.get(KEY_HEADER, ""),
            keep_hours=_hours(body.get("keep_hours")),
        )
        return task, 202, {"Location": _location(task)}


@api.route("/deployments/<int:deployment_id>/batch")
class Batch(MethodView):
    decorators = [limiter.exempt]

    @api.doc(requestBody=FILE_BODY)
    @api.response(202, TaskSchema)
    def post(self, deployment_id: int) -> Any:
        """Predict every row of a CSV, JSON or Parquet file: multipart form with file, result_format, outputs"""
        who, key = caller(deployment_id), request.headers.get(KEY_HEADER, "")
        try:
            with sent_file() as (source, name):
                task = services.submit_batch(
                    who.deployment,
                    source,
                    original_name=name,
                    result_format=request.form.get("result_format", ""),
                    outputs=[each for each in request.form.get("outputs", "").split(",") if each],
                    owner_id=who.user_id,
                    idempotency_key=key,
                    keep_hours=_hours(request.form.get("keep_hours")),
                )
        except NotFound:
            # A call is repeated whose answer was lost: it has used the upload up.
            known = queries.find_task_by_key(who.deployment.id, key) if key else None
            if known is None or known.owner_id != who.user_id:
                raise
            task = known
        return task, 202, {"Location": _location(task)}


@api.route("/deployments/<int:deployment_id>/tasks/<public_id>")
class OneTask(MethodView):
    @api.response(200, TaskSchema)
    def get(self, deployment_id: int, public_id: str) -> PredictionTask:
        """How a task stands"""
        return task_of(caller(deployment_id), public_id)

    @api.response(204)
    def delete(self, deployment_id: int, public_id: str) -> None:
        """Forget a finished task and its files"""
        services.delete_task(task_of(caller(deployment_id), public_id))


@api.route("/deployments/<int:deployment_id>/tasks/<public_id>/cancel")
class CancelTask(MethodView):
    @api.response(200, TaskSchema)
    def post(self, deployment_id: int, public_id: str) -> PredictionTask:
        """End a task that is not finished"""
        return services.cancel_task(task_of(caller(deployment_id), public_id))


@api.route("/deployments/<int:deployment_id>/tasks/<public_id>/result")
class TaskResult(MethodView):
    @api.response(200, {"type": "array", "items": {"type": "object"}})
    def get(self, deployment_id: int, public_id: str) -> Response:
        """The result of a completed task; 409 not_finished before"""
        who: Caller = caller(deployment_id)
        task = task_of(who, public_id)
        return send_file(
            services.result_path(task),
            mimetype=MIME[task.result_format],
            as_attachment=task.result_format != "json",
            download_name=f"{task.public_id}.{task.result_format}",
        )


@api.route("/predictions")
class AllTasks(MethodView):
    @api.arguments(TaskListArgs, location="query")
    @api.response(200, page_schema(TaskSchema))
    def get(self, args: dict[str, Any]) -> Page[PredictionTask]:
        """The tasks of all deployments that you may see, newest first"""
        found = queries.page_of_tasks(viewer(), **args)
        services.catch_up(found.items)
        return found


def _location(task: PredictionTask) -> str:
    return url_for(
        "serving_api.OneTask", deployment_id=task.deployment_id, public_id=task.public_id
    )


def _hours(value: Any) -> int | None:
    if value in (None, ""):
        return None
    if isinstance(value, str) and value.isdecimal() and len(value) < 6:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        message = _("keep_hours must be a whole number, 1 or more.")
        raise Invalid(message, problems=[Problem("keep_hours", message)])
    return value
