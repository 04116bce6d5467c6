"""The Open Inference Protocol (v2) as a second face of deployments: a deployment's name is the model's name.

Health and the server's metadata are open; models need an API token or the deployment's own.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from flask import Blueprint, Response, request

from dashboard.core.errors import STATUS, DomainError, Invalid, NotFound, Problem, Unavailable
from dashboard.core.limits import limiter
from dashboard.serving import services, tensors
from dashboard.serving.callers import Caller, caller_by_name, sent_body
from dashboard.serving.models import Deployment, Health
from dashboard.serving.services import fields

inference = Blueprint("inference", __name__, url_prefix="/v2")

VERSION = "2.0"
HEADER = "Inference-Header-Content-Length"
MAX_DIGITS = 12


def _answers(view: Callable[..., Response]) -> Callable[..., Response]:
    """Errors as the protocol has them: {"error": text} with our code and request id beside it."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Response:
        try:
            return view(*args, **kwargs)
        except DomainError as error:
            kinds = (STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
            return _json(_problem(error), status=int(next(kinds, 400)))

    return limiter.exempt(answer)  # type: ignore[no-any-return]


@inference.get("")
@_answers
def server() -> Response:
    """What answers here."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version("atrium")
    except PackageNotFoundError:
        number = "0"
    return _json({"name": "atrium", "version": number, "extensions": ["binary_tensor_data"]})


@inference.get("/health/live")
@_answers
def live() -> Response:
    """Whether the server answers at all."""
    return _json({"live": True})


@inference.get("/health/ready")
@_answers
def ready() -> Response:
    """Whether the server takes requests."""
    return _json({"ready": True})


@inference.get("/models/<name>")
@inference.get("/models/<name>/versions/<version>", endpoint="model_version")
@_answers
def model(name: str, version: str = "") -> Response:
    """A deployment's inputs and outputs."""
    deployment = _deployment(name, version).deployment
    served = deployment.version
    return _json(
        {
            "name": deployment.name,
            "versions": [str(served.number)],
            "platform": f"{served.format}_{served.engine.split(' ')[0]}".lower(),
            "inputs": [tensors.describe(field) for field in fields.inputs_of(served)],
            "outputs": [tensors.describe(field) for field in fields.outputs_of(served)],
        }
    )


@inference.get("/models/<name>/ready")
@inference.get("/models/<name>/versions/<version>/ready", endpoint="model_version_ready")
@_answers
def model_ready(name: str, version: str = "") -> Response:
    """200 when the deployment answers, else 503."""
    deployment = _deployment(name, version).deployment
    if deployment.paused:
        raise services.DeploymentPaused()
    if deployment.health not in (Health.READY, Health.DEGRADED):
        raise services.NotReady()
    return _json({"name": deployment.name, "ready": True})


@inference.post("/models/<name>/infer")
@inference.post("/models/<name>/versions/<version>/infer", endpoint="infer_version")
@_answers
def infer(name: str, version: str = "") -> Response:
    """Predict: JSON tensors, or the binary extension in either direction."""
    who = _deployment(name, version)
    with services.counting_faults(who.deployment, face="v2", owner=True):
        body, records = _asked(who.deployment)
        wanted = _wanted(body)
    found = services.predict(
        who.deployment,
        records,
        outputs=[name for name, _binary in wanted],
        face="v2",
        owner=who.owner,
    )
    return _answer(who.deployment, body, wanted, found)


def _deployment(name: str, version: str) -> Caller:
    who = caller_by_name(name)
    if version and version != str(who.deployment.version.number):
        raise NotFound()
    return who


def _asked(deployment: Deployment) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The body and the records in it. Raises Invalid, which tells nothing but what the caller sent."""
    body, binary = _body()
    asked = body.get("parameters")
    try:
        records = tensors.records_of(
            body.get("inputs"),
            binary,
            fields.inputs_of(deployment.version),
            content_type=str(asked.get("content_type", "")) if isinstance(asked, dict) else "",
        )
    except tensors.BadTensor as error:
        raise Invalid(str(error), problems=[Problem("inputs", str(error))]) from error
    return body, records


def _body() -> tuple[dict[str, Any], memoryview]:
    """The JSON part and the binary part of the body. Raises Invalid."""
    data = memoryview(sent_body())
    length = request.headers.get(HEADER, str(len(data)))
    if not length.isdecimal() or len(length) > MAX_DIGITS or int(length) > len(data):
        raise Invalid(f"{HEADER} is not the length of the JSON part")
    try:
        body = orjson.loads(data[: int(length)])
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise Invalid("the body is no JSON") from error
    if not isinstance(body, dict):
        raise Invalid("the body must be an object with inputs")
    return body, data[int(length) :]


def _wanted(body: dict[str, Any]) -> list[tuple[str, bool]]:
    """The outputs asked for, each with whether it is to come binary."""
    outputs = body.get("outputs") or []
    if not isinstance(outputs, list) or not all(
        isinstance(each, dict)
        and isinstance(each.get("name"), str)
        and isinstance(each.get("parameters") or {}, dict)
        for each in outputs
    ):
        raise Invalid("outputs must be a list of objects with a name, and parameters if any")
    return [
        (each["name"], bool((each.get("parameters") or {}).get("binary_data", False)))
        for each in outputs
    ]


def _answer(
    deployment: Deployment, body: dict[str, Any], wanted: list[tuple[str, bool]], found: Any
) -> Response:
    names = [name for name, _binary in wanted] or found.columns
    asked = body.get("parameters")
    all_binary = bool(isinstance(asked, dict) and asked.get("binary_data_output"))
    binary = dict(wanted) or dict.fromkeys(names, all_binary)
    datatypes = {
        field.name: tensors.datatype_of(field) for field in fields.outputs_of(deployment.version)
    }
    outputs, parts = [], []
    for name, (kind, values, parameters) in tensors.tensors_of(
        found.outputs, names, datatypes
    ).items():
        tensor: dict[str, Any] = {"name": name, "datatype": kind, "shape": list(values.shape)}
        if binary[name]:
            parts.append(tensors.to_binary(kind, values))
            tensor["parameters"] = {**parameters, "binary_data_size": len(parts[-1])}
        else:
            tensor["data"] = values.ravel().tolist()
            tensor |= {"parameters": parameters} if parameters else {}
        outputs.append(tensor)
    answer = {
        "model_name": deployment.name,
        "model_version": str(deployment.version.number),
        "outputs": outputs,
        **({"id": body["id"]} if isinstance(body.get("id"), str) else {}),
    }
    if not parts:
        return _json(answer)
    head = orjson.dumps(answer)
    response = Response(b"".join([head, *parts]), mimetype="application/octet-stream")
    response.headers[HEADER] = str(len(head))
    return response


def _problem(error: DomainError) -> dict[str, Any]:
    from dashboard.core.errors import request_id

    lines = [
        f"{each.field}: {each.message}" for each in error.problems if each.message != error.message
    ]
    text = "; ".join([error.message, *lines[:20]])
    return {"error": text, "code": error.code, "request_id": request_id()}


def _json(value: Any, *, status: int = 200) -> Response:
    response = Response(orjson.dumps(value), status=status, mimetype="application/json")
    if status == STATUS[Unavailable]:
        response.headers["Retry-After"] = "5"
    return response
