"""R158: what the document lists without a name, in the same style; the names are ours."""

import json
import math
from typing import Any

from flask import request

from dashboard.core.errors import Conflict
from dashboard.serving import monitoring, queries, services
from dashboard.serving.legacy.blueprint import (
    DUPLICATION,
    BadParameter,
    Refused,
    analyst,
    endpoint,
    moment,
    own_deployment,
    own_model,
    parameter,
    said,
)
from dashboard.serving.legacy.documented import info_of
from dashboard.serving.models import Deployment, ModelVersion, PredictionTask
from dashboard.serving.services import fields

TASK_NOT_FOUND = "task not found"
FIELD_PREFIX = "x."
MONITOR_HOURS = 24
MAX_TEST_BYTES = 2**20


@endpoint("/uploadmodel", methods=["POST"])
def uploadmodel() -> dict[str, Any]:
    """Add a model: modelname, description, file."""
    _user, viewer = analyst()
    source, name = _file()
    try:
        model = services.add_model(
            source,
            original_name=name,
            name=parameter("modelname"),
            description=parameter("description", default=""),
            viewer=viewer,
        )
    except Conflict:
        raise Refused(DUPLICATION) from None
    return said(**info_of(model))


@endpoint("/setmodelinfo", methods=["POST"])
def setmodelinfo() -> dict[str, Any]:
    """Change a model: newname, description, and a file as its next version; each may be left out."""
    user, viewer = analyst()
    model = own_model(user)
    new_name, description = parameter("newname", default=""), parameter("description", default="")
    if new_name or description:
        services.update_model(
            model.id, name=new_name or None, description=description or None, viewer=viewer
        )
    if "file" in request.files:
        source, name = _file()
        services.add_version(model.id, source, original_name=name, viewer=viewer)
    return said(**info_of(queries.get_model(model.id, viewer)))


@endpoint("/testmodelform", methods=["POST"])
def testmodelform() -> dict[str, Any]:
    """Try a model with form data: each input as x.NAME."""
    user, _viewer = analyst()
    version = own_model(user).newest
    texts = {
        name.removeprefix(FIELD_PREFIX): value
        for name, value in request.form.items()
        if name.startswith(FIELD_PREFIX)
    }
    known = {field.name for field in fields.inputs_of(version)}
    record = fields.record_of_texts(version, texts)
    # Kept, so that the check of names speaks of them.
    record |= {name: value for name, value in texts.items() if name not in known}
    return said(result=services.try_version(version, [record]).outputs)


@endpoint("/testmodeljson", methods=["POST"])
def testmodeljson() -> dict[str, Any]:
    """Try a model with JSON in data: a record, a list of records, or columns and data."""
    user, _viewer = analyst()
    version = own_model(user).newest
    return said(result=services.try_version(version, _records(version)).outputs)


@endpoint("/testmodelfile", methods=["POST"])
def testmodelfile() -> dict[str, Any]:
    """Try a model with a small CSV or JSON file."""
    user, _viewer = analyst()
    version = own_model(user).newest
    source, name = _file()
    folder = queries.folder() / "tests"
    folder.mkdir(parents=True, exist_ok=True)
    data = source.read(MAX_TEST_BYTES + 1)
    if len(data) > MAX_TEST_BYTES:
        raise BadParameter("file may be 1 MB at most: deploy the model and submit a task")
    records = fields.read_small_table(data, name, version=version, folder=folder)
    return said(result=services.try_version(version, records).outputs)


@endpoint("/deploymodel", methods=["POST"])
def deploymodel() -> dict[str, Any]:
    """Deploy a model: deployment, and if wanted replicas, cpu, memory (MiB), timeout, script."""
    user, viewer = analyst()
    model = own_model(user)
    try:
        deployment, token = services.deploy_model(
            model.id,
            name=parameter("deployment"),
            viewer=viewer,
            replicas=int(_number("replicas", 1)),
            cpus=_number("cpu", 0.5),
            memory_mb=int(_number("memory", 512)),
            timeout_s=_number("timeout", 10.0),
            script=parameter("script", default=""),
        )
    except services.OverReserved:
        raise
    except Conflict:
        raise Refused(DUPLICATION) from None
    return said(deployment=deployment.name, token=token)


@endpoint("/deletedeployment", methods=["DELETE"])
def deletedeployment() -> dict[str, Any]:
    """Delete a deployment."""
    user, viewer = analyst()
    services.delete_deployment(own_deployment(user).id, viewer=viewer)
    return said()


@endpoint("/getdeploymentstatus", methods=["GET"])
def getdeploymentstatus() -> dict[str, Any]:
    """How a deployment stands; the word for the document's status is deploymentstatus."""
    user, _viewer = analyst()
    deployment = own_deployment(user)
    return said(
        deployment=deployment.name,
        deploymentstatus=deployment.state,
        health=deployment.health,
        replicas=deployment.replicas,
        ready=deployment.n_ready,
        time=moment(deployment.created_at),
    )


@endpoint("/predict", methods=["POST"])
def predict() -> dict[str, Any]:
    """Predict now: data as in testmodeljson."""
    user, _viewer = analyst()
    deployment = own_deployment(user)
    with services.counting_faults(deployment, owner=True):
        records = _records(deployment.version)
    found = services.predict(deployment, records, owner=True)
    return said(result=found.outputs)


@endpoint("/submittask", methods=["POST"])
def submittask() -> dict[str, Any]:
    """Predict later: answers with the task's id at once. data as in testmodeljson, or a file."""
    user, _viewer = analyst()
    deployment = own_deployment(user)
    if "file" in request.files:
        source, name = _file()
        task = services.submit_batch(deployment, source, original_name=name, owner_id=user.id)
    else:
        task = services.submit(deployment, _records(deployment.version), owner_id=user.id)
    return said(task=task.public_id)


@endpoint("/gettaskstatus", methods=["GET"])
def gettaskstatus() -> dict[str, Any]:
    """How a task stands."""
    return said(**_task_line(_task()))


@endpoint("/gettaskresult", methods=["GET"])
def gettaskresult() -> dict[str, Any]:
    """The result of a completed task: rows with their outputs."""
    task = _task()
    if task.result_format != "json":
        return said(file=task.public_id, result=services.first_results(task, n=1000))
    return said(result=json.loads(services.result_path(task).read_bytes()))


@endpoint("/gettasks", methods=["GET"])
def gettasks() -> dict[str, Any]:
    """The tasks of a deployment, newest first, at most a hundred."""
    user, viewer = analyst()
    deployment = own_deployment(user)
    found = queries.page_of_tasks(viewer, deployment_id=deployment.id, per_page=100)
    services.catch_up(found.items)
    return said(task=[_task_line(task) for task in found.items])


@endpoint("/uploadscript", methods=["POST"])
def uploadscript() -> dict[str, Any]:
    """Set a deployment's preprocessing script (an empty one removes it); answers what it made of the sample."""
    user, viewer = analyst()
    deployment: Deployment = services.change_deployment(
        own_deployment(user).id, viewer=viewer, script=parameter("script")
    )
    return said(result=(deployment.script_result or {}).get("record"))


@endpoint("/getmonitor", methods=["GET"])
def getmonitor() -> dict[str, Any]:
    """Calls of the last day: count, errors, mean, least, most, p50, p95, p99 in milliseconds."""
    user, _viewer = analyst()
    rows = queries.list_hours(own_deployment(user).id, hours=MONITOR_HOURS)
    span = monitoring.total(rows)
    p50, p95, p99 = span.quantiles()
    return said(
        count=span.n_requests,
        errors=span.n_errors,
        mean=span.mean_ms,
        min=span.min_ms,
        max=span.max_ms,
        p50=p50,
        p95=p95,
        p99=p99,
    )


def _task() -> PredictionTask:
    _user, viewer = analyst()
    from dashboard.core.errors import NotFound

    try:
        task = queries.get_task(parameter("task"), viewer)
    except NotFound:
        raise Refused(TASK_NOT_FOUND) from None
    services.catch_up([task])
    return task


def _task_line(task: PredictionTask) -> dict[str, Any]:
    return {
        "task": task.public_id,
        "taskstatus": task.state,
        "rows": task.n_rows,
        "badrows": task.n_bad,
        "time": moment(task.created_at),
    }


def _records(version: ModelVersion) -> list[dict[str, Any]]:
    body = request.get_json(silent=True) if request.is_json else None
    if isinstance(body, dict) and "data" in body and "columns" not in body:
        data = body["data"]
    else:
        data = parameter("data")
    try:
        value = json.loads(data) if isinstance(data, str) else data
    except (ValueError, RecursionError) as error:
        raise BadParameter("data is no JSON") from error
    return fields.records_of(version, value)[0]


def _file() -> tuple[Any, str]:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise BadParameter("the parameter file is missing")
    return sent.stream, sent.filename


def _number(name: str, default: float) -> float:
    text = parameter(name, default=str(default))
    try:
        value = float(text)
    except ValueError as error:
        raise BadParameter(f"{name} must be a number") from error
    if not math.isfinite(value):
        raise BadParameter(f"{name} must be a number")
    return value
