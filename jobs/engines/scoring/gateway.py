"""The prediction server: `POST /api/v1/deployments/<id>/predict` answered without the portal's threads.

It checks the token, hands the body as it came to a replica, and hands on the answer; reading, checking and scoring
happen in the replica.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qs

import orjson

from jobs.engines.scoring.async_client import AsyncReplicaClient
from jobs.engines.scoring.frames import NoReplica, ReplicaLost, ReplicaTimeout, Reply, Status
from jobs.engines.scoring.http_messages import BadRequest, Request, Response
from jobs.engines.scoring.http_server import Server

PREFIX, SUFFIX = "/api/v1/deployments/", "/predict"
RETRY_AFTER_S = 5
_SAFE = b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
JSON = b"Content-Type: application/json\r\n" + _SAFE
PROBLEM = b"Content-Type: application/problem+json\r\n" + _SAFE


@dataclass(frozen=True, slots=True)
class Grant:
    """A call that may be made."""

    deployment_id: int
    key: str
    """Names the replicas."""
    timeout_s: float
    paused: bool = False
    about: Any = None
    """The recorder's own."""


class Refused(Exception):
    """The call may not be made; `status` says why: 401, 404, or 503 when nobody can tell now."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Authorizer(Protocol):
    """Who may call which deployment."""

    async def authorize(self, deployment_id: int, authorization: str) -> Grant:
        """The grant of a request's Authorization header. Raises Refused."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was answered."""

    grant: Grant
    body: bytes
    code: str
    """Empty when it went well."""
    n_records: int
    ms: dict[str, float]
    message: str = ""
    request_id: str = ""


class Recorder(Protocol):
    """Where calls are counted, before their answers leave."""

    def record(self, call: Call) -> None:
        """Count one call."""


@dataclass(frozen=True, slots=True)
class _Fault:
    """An answer that is an error: how HTTP, programs and people are told."""

    status: HTTPStatus
    code: str
    text: str
    message: str = ""
    """For the owner's list of last errors: no value that the caller sent."""


UNAUTHENTICATED = _Fault(
    HTTPStatus.UNAUTHORIZED, "unauthenticated", "This needs the deployment's token."
)
NOT_FOUND = _Fault(HTTPStatus.NOT_FOUND, "not_found", "There is nothing here.")
NOT_ALLOWED = _Fault(
    HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "Predictions are asked for with POST."
)
TOO_LARGE = _Fault(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", "The request is too large: send a batch."
)
TOO_SLOW = _Fault(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "The request came too slowly.")
PAUSED = _Fault(HTTPStatus.CONFLICT, "deployment_paused", "This deployment is paused.")
NOT_READY = _Fault(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "not_ready",
    "No replica of this deployment answers now. Please try again in a moment.",
)
LOST = _Fault(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "prediction_failed",
    "The model failed on these records.",
    "The replica ended while it worked on this request.",
)
TIMED_OUT = _Fault(HTTPStatus.GATEWAY_TIMEOUT, "timed_out", "The model did not answer in time.")
UNKNOWN = _Fault(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "unavailable",
    "The portal cannot tell now who may call. Please try again in a moment.",
)
REFUSALS = {each.status: each for each in (UNAUTHENTICATED, NOT_FOUND, UNKNOWN)}
UNEXPECTED = _Fault(
    HTTPStatus.INTERNAL_SERVER_ERROR, "internal_server_error", "Something went wrong on our side."
)
BUSY = _Fault(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "unavailable",
    "Too many callers ask at once, or for too much. Please try again in a moment.",
)
BAD_REQUEST = _Fault(HTTPStatus.BAD_REQUEST, "bad_request", "This is no HTTP that we understand.")
HEADERS_TOO_LARGE = _Fault(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large", "The request's headers are too large."
)
NOT_IMPLEMENTED = _Fault(
    HTTPStatus.NOT_IMPLEMENTED, "not_implemented", "This transfer encoding is not supported."
)
BROKEN: dict[int, _Fault] = {
    each.status: each
    for each in (TOO_LARGE, TOO_SLOW, HEADERS_TOO_LARGE, NOT_IMPLEMENTED, UNEXPECTED, BUSY)
}


class Gateway:
    """The application."""

    def __init__(
        self, client: AsyncReplicaClient, authorizer: Authorizer, recorder: Recorder
    ) -> None:
        self._client, self._authorizer, self._recorder = client, authorizer, recorder

    async def answer(self, request: Request) -> Response:
        """The answer to any request."""
        started = time.perf_counter()
        path = request.path
        number = path[len(PREFIX) : -len(SUFFIX)]
        if not (path.startswith(PREFIX) and path.endswith(SUFFIX) and _is_id(number)):
            return HEALTHY if path == "/healthz" else _refusal(NOT_FOUND)
        if request.method != "POST":
            return _refusal(NOT_ALLOWED)
        try:
            grant = await self._authorizer.authorize(
                int(number), request.headers.get("AUTHORIZATION", "")
            )
        except Refused as error:
            return _refusal(REFUSALS.get(error.status, UNAUTHENTICATED))
        try:
            body = await request.body()
        except BadRequest as error:
            fault = BROKEN.get(error.status, BAD_REQUEST)
            return self._finished(grant, b"", fault, started)
        reply = await self._call(grant, body)
        if request.query and isinstance(reply, Reply):
            reply = _filtered(reply, request.query)
        return self._finished(grant, body, reply, started)

    def refusal(self, status: int) -> Response:
        """The answer to a request that cannot be understood."""
        return _refusal(BROKEN.get(status, BAD_REQUEST))

    async def _call(self, grant: Grant, body: bytes) -> Reply | _Fault:
        if grant.paused:
            return PAUSED
        try:
            reply = await self._client.call(grant.key, body, timeout_s=grant.timeout_s)
        except NoReplica:
            return NOT_READY
        except ReplicaLost:
            return LOST
        except ReplicaTimeout:
            return TIMED_OUT
        return reply if reply.status == Status.OK else _fault_of(reply)

    def _finished(
        self, grant: Grant, body: bytes, reply: Reply | _Fault, started: float
    ) -> Response:
        # The count first: an answer that left is an answer that was counted.
        if isinstance(reply, _Fault):
            request_id = secrets.token_hex(6)
            ms = {"total": _since(started)}
            text = reply.message or reply.text
            self._recorder.record(Call(grant, body, reply.code, 0, ms, text, request_id))
            return _refusal(reply, request_id)
        ms = reply.ms
        ms["total"] = _since(started)
        self._recorder.record(Call(grant, body, "", reply.n_records, ms))
        return Response(200, b'{"outputs":%b,"ms":%b}' % (reply.body, orjson.dumps(ms)), JSON)


def _since(started: float) -> float:
    return 1e3 * (time.perf_counter() - started)


def _fault_of(reply: Reply) -> _Fault:
    if reply.status == Status.INVALID_INPUT:
        fields = dict.fromkeys(each["field"] for each in reply.json if each["field"])
        text = "The records do not fit the model's inputs."
        known = ", ".join(fields)[:300]
        message = f"{text} ({known})" if known else text
        return _Fault(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_input", text, message)
    if reply.status == Status.TIMED_OUT:
        return TIMED_OUT
    said = reply.body.decode("utf-8", "replace")[:300]
    if reply.status == Status.SCRIPT_FAILED:
        text = "The preprocessing script failed on these records."
        return _Fault(HTTPStatus.UNPROCESSABLE_ENTITY, "script_failed", text, text)
    if reply.status == Status.OUT_OF_MEMORY:
        said = "The model asked for more memory than is reserved for it."
    text = "The model failed on these records."
    return _Fault(HTTPStatus.UNPROCESSABLE_ENTITY, "prediction_failed", text, said or text)


def _filtered(reply: Reply, query: str) -> Reply | _Fault:
    """The answer with the outputs that `?outputs=a,b` names."""
    names = [
        name for each in parse_qs(query).get("outputs", []) for name in each.split(",") if name
    ]
    if not names:
        return reply
    outputs = reply.json
    if unknown := [name for name in names if name not in outputs[0]]:
        text = f"The model has no output {unknown[0][:60]!r}."
        return _Fault(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", text, "an unknown output was asked for"
        )
    kept = [{name: record.get(name) for name in names} for record in outputs]
    return replace(reply, body=orjson.dumps(kept))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _refusal(fault: _Fault, request_id: str = "") -> Response:
    problem = {
        "type": "about:blank",
        "title": fault.status.phrase,
        "status": fault.status.value,
        "detail": fault.text,
        "code": fault.code,
        "request_id": request_id or secrets.token_hex(6),
    }
    headers = PROBLEM + _MORE.get(fault.status, b"")
    return Response(fault.status.value, orjson.dumps(problem), headers)


HEALTHY = Response(200, b'{"status":"ok"}', JSON)
_MORE = {
    HTTPStatus.UNAUTHORIZED: b"WWW-Authenticate: Bearer\r\n",
    HTTPStatus.SERVICE_UNAVAILABLE: b"Retry-After: %d\r\n" % RETRY_AFTER_S,
    HTTPStatus.METHOD_NOT_ALLOWED: b"Allow: POST\r\n",
}


async def serve(gateway: Gateway, *, host: str, port: int, stopping: asyncio.Event) -> None:
    """Serve until `stopping` is set; requests under way are answered."""
    await Server(gateway).run(host=host, port=port, stopping=stopping)
