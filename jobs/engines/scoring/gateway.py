"""The prediction server: `POST /api/v1/deployments/<id>/predict` answered without the portal's threads.

An RSGI application for granian. It checks the token, hands the body as it came to a replica, and hands on the answer;
reading, checking and scoring happen in the replica. Whoever sends slowly holds a coroutine, never a thread.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qs

import orjson

from jobs.engines.scoring.client import AsyncReplicaClient
from jobs.engines.scoring.frames import NoReplica, ReplicaLost, ReplicaTimeout, Reply, Status

log = logging.getLogger(__name__)

PREFIX, SUFFIX = "/api/v1/deployments/", "/predict"
MAX_BODY_BYTES = 16 * 2**20
BODY_TIMEOUT_S = 60.0
RETRY_AFTER_S = "5"
JSON = ("content-type", "application/json")
PROBLEM = ("content-type", "application/problem+json")
NO_STORE = ("cache-control", "no-store")
NOSNIFF = ("x-content-type-options", "nosniff")


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
    message: str
    request_id: str


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


class Gateway:
    """The application."""

    def __init__(
        self, client: AsyncReplicaClient, authorizer: Authorizer, recorder: Recorder
    ) -> None:
        self._client, self._authorizer, self._recorder = client, authorizer, recorder

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        started = time.perf_counter()
        if scope.proto != "http":
            protocol.close(403)
            return
        path: str = scope.path
        number = path[len(PREFIX) : -len(SUFFIX)]
        if not (path.startswith(PREFIX) and path.endswith(SUFFIX) and _is_id(number)):
            _health(protocol) if path == "/healthz" else _answer_fault(protocol, NOT_FOUND)
        elif scope.method != "POST":
            _answer_fault(protocol, NOT_ALLOWED)
        else:
            try:
                await self._predict(scope, protocol, int(number), started)
            except Exception:
                log.exception("a prediction failed")
                _answer_fault(protocol, UNEXPECTED)

    async def _predict(self, scope: Any, protocol: Any, number: int, started: float) -> None:
        headers = scope.headers
        try:
            grant = await self._authorizer.authorize(number, headers.get("authorization") or "")
        except Refused as error:
            _answer_fault(protocol, REFUSALS.get(error.status, UNAUTHENTICATED))
            return
        body = await _body(protocol, headers.get("content-length"))
        if isinstance(body, _Fault):
            reply: Reply | _Fault = body
            body = b""
        else:
            reply = await self._call(grant, body)
            if scope.query_string and isinstance(reply, Reply):
                reply = _filtered(reply, scope.query_string)
        self._finish(protocol, grant, body, reply, started)

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

    def _finish(
        self, protocol: Any, grant: Grant, body: bytes, reply: Reply | _Fault, started: float
    ) -> None:
        request_id = secrets.token_hex(6)
        failed = isinstance(reply, _Fault)
        steps = {} if isinstance(reply, _Fault) else reply.ms
        total = 1e3 * (time.perf_counter() - started)
        # The count first: an answer that left is an answer that was counted.
        self._recorder.record(
            Call(
                grant=grant,
                body=body,
                code=reply.code if isinstance(reply, _Fault) else "",
                n_records=0 if isinstance(reply, _Fault) else reply.n_records,
                ms={**steps, "total": total},
                message=(reply.message or reply.text) if isinstance(reply, _Fault) else "",
                request_id=request_id if failed else "",
            )
        )
        if isinstance(reply, _Fault):
            _answer_fault(protocol, reply, request_id)
            return
        content = b'{"outputs":%b,"ms":%b}' % (reply.body, orjson.dumps({**steps, "total": total}))
        protocol.response_bytes(200, [JSON, NO_STORE, NOSNIFF], content)


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


async def _body(protocol: Any, length: str | None) -> bytes | _Fault:
    """The whole body, or why it is not taken."""
    if (
        length is not None
        and length.isascii()
        and length.isdecimal()
        and int(length) > MAX_BODY_BYTES
    ):
        return TOO_LARGE
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            if length is not None:
                return bytes(await protocol())
            received = bytearray()
            async for piece in protocol:
                received += piece
                if len(received) > MAX_BODY_BYTES:
                    return TOO_LARGE
            return bytes(received)
    except TimeoutError:
        return TOO_SLOW


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _health(protocol: Any) -> None:
    protocol.response_bytes(200, [JSON, NO_STORE], b'{"status":"ok"}')


def _answer_fault(protocol: Any, fault: _Fault, request_id: str = "") -> None:
    problem = {
        "type": "about:blank",
        "title": fault.status.phrase,
        "status": fault.status.value,
        "detail": fault.text,
        "code": fault.code,
        "request_id": request_id or secrets.token_hex(6),
    }
    headers = [PROBLEM, NO_STORE, NOSNIFF]
    if fault.status == HTTPStatus.UNAUTHORIZED:
        headers.append(("www-authenticate", "Bearer"))
    if fault.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("retry-after", RETRY_AFTER_S))
    if fault.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("allow", "POST"))
    protocol.response_bytes(fault.status.value, headers, orjson.dumps(problem))


async def serve(gateway: Gateway, *, host: str, port: int, stopping: asyncio.Event) -> None:
    """Serve until `stopping` is set; requests under way are answered."""
    from granian.constants import HTTPModes, Interfaces
    from granian.server.embed import Server

    server = Server(
        gateway,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve())
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        server.stop()
    await serving
