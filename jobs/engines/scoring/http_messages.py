"""What goes over the prediction server's connections: a request, a response, and who makes one of the other."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

REASONS = {each.value: each.phrase for each in HTTPStatus}


class BadRequest(Exception):
    """The request cannot be taken; `status` is the HTTP status that says why."""

    def __init__(self, status: int) -> None:
        super().__init__(REASONS.get(status, ""))
        self.status = status


@dataclass(frozen=True, slots=True)
class Response:
    """An answer."""

    status: int
    body: bytes
    headers: bytes
    """Whole lines, each ended by CRLF, without the length, the date and the connection."""


class Connection(Protocol):
    """Where a request comes from."""

    is_over: bool
    """Whether this caller was told to come back when there is room."""

    async def rest_of_body(self) -> None:
        """Wait until the body is whole. Raises BadRequest when it comes too slowly, or there is no room for it."""


class Request:
    """A request whose head has come; the body may still be on its way."""

    __slots__ = ("_connection", "_parser", "headers", "method", "path", "query")

    def __init__(self, parser: Any, connection: Connection) -> None:
        self._parser, self._connection = parser, connection
        self.method: str = parser.command
        self.path: str = parser.path
        self.query: str = parser.query
        self.headers: dict[str, str] = parser.headers
        """By upper-case names with underscores: CONTENT_TYPE."""

    async def body(self) -> bytes:
        """The whole body, once. Raises BadRequest when it is too large, broken, or comes too slowly, or while too much
        is under way already."""
        if not self._parser.completed:
            await self._connection.rest_of_body()
        if self._connection.is_over:
            raise BadRequest(HTTPStatus.SERVICE_UNAVAILABLE)
        if self._parser.error is not None:
            raise BadRequest(self._parser.error.code)
        found: bytes = self._parser.get_body_stream().read()
        # Else it would be in memory twice while the request is answered.
        self._parser.close()
        return found


class Application(Protocol):
    """What answers requests."""

    async def answer(self, request: Request) -> Response:
        """The answer to a request; may be given before the body was read."""

    def refusal(self, status: int) -> Response:
        """What to say to somebody whose request cannot be understood."""
