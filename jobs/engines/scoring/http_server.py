"""A small HTTP/1.1 server for short JSON answers: waitress's parser on asyncio's transports, all in one thread.

That costs a third less than a server that hands each request from thread to thread (docs/serving.md). Whoever sends
slowly holds a connection, never a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser

from jobs.engines.scoring.http_messages import (
    REASONS,
    Application,
    BadRequest,
    Request,
    Response,
)
from jobs.engines.scoring.room import Room, Share

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 16 * 2**20
MAX_HEADER_BYTES = 16 * 2**10
BODY_TIMEOUT_S = 60.0
"""From the first byte of a request to its last; also what a reader gets to take an answer."""
IDLE_S = 75.0
"""A connection on which nobody asks anything is closed after this long."""
LINGER_S = 2.0
"""A caller who was refused before she had sent everything gets this long to read why."""
STOP_S = 30.0
LOOK_EVERY_S = 1.0
MAX_CONNECTIONS = 1000
MAX_AHEAD_BYTES = 2**18
"""What may wait of the next requests while one is answered."""
BACKLOG = 256

_LIMITS = Adjustments(
    max_request_body_size=MAX_BODY_BYTES + 1,
    max_request_header_size=MAX_HEADER_BYTES,
    # Kept in memory: a file would be written by the thread that answers everybody.
    inbuf_overflow=MAX_BODY_BYTES + 1,
)
_KEEP, _CLOSE = b"Connection: keep-alive\r\n", b"Connection: close\r\n"


class _Connection(asyncio.Protocol):
    """One caller: requests one after the other."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: Any = None
        self._parser: Any = None
        self._task: asyncio.Task[None] | None = None
        self._arriving: asyncio.Future[None] | None = None
        self._ahead = b""
        self._held_up = self._leaving = False
        self._asked, self._unread = Share(server.room), Share(server.room)
        self.is_over = False
        """Whether this caller was told to come back when there is room."""
        self._since = time.monotonic()
        """When the present state began: idle, receiving, or waiting for the caller to read."""

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._server.connections.add(self)
        if len(self._server.connections) > MAX_CONNECTIONS:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def data_received(self, data: bytes) -> None:
        if self._leaving or self.is_over:
            return
        self._asked.take(len(data))
        if self._task is not None and self._arriving is None and self._parser.completed:
            self._ahead += data
            if len(self._ahead) > MAX_AHEAD_BYTES:
                self._transport.pause_reading()
        else:
            self._feed(data)
        if self._asked.is_too_large:
            self._give_up()

    def eof_received(self) -> bool:
        # An answer under way is still sent; a request that is not whole never will be.
        return self._task is not None and self._arriving is None

    def connection_lost(self, _error: Exception | None) -> None:
        self._leaving = True
        self._server.connections.discard(self)
        self._unread.keep(0)
        if self._task is None:
            self._asked.keep(0)
        if self._arriving is not None and not self._arriving.done():
            self._arriving.set_exception(ConnectionResetError())

    def pause_writing(self) -> None:
        self._held_up, self._since = True, time.monotonic()
        self._unread.take(self._transport.get_write_buffer_size())
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._held_up, self._since = False, time.monotonic()
        self._unread.keep(0)
        self._transport.resume_reading()
        if self._task is None:
            self._next()

    # --- requests

    async def rest_of_body(self) -> None:
        """Wait until the body is whole. Raises BadRequest when it comes too slowly, or there is no room for it."""
        if self.is_over or not self._asked.has_room_for(self._parser.content_length):
            raise BadRequest(HTTPStatus.SERVICE_UNAVAILABLE)
        if self._parser.expect_continue:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._arriving = asyncio.get_running_loop().create_future()
        try:
            await self._arriving
        finally:
            self._arriving = None

    def _give_up(self) -> None:
        """Take no more of this caller, and forget what came after the request that is answered."""
        self.is_over, self._ahead = True, b""
        if self._arriving is not None and not self._arriving.done():
            self._arriving.set_exception(BadRequest(HTTPStatus.SERVICE_UNAVAILABLE))

    def _feed(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            parser = self._parser = HTTPRequestParser(_LIMITS)
            self._since = time.monotonic()
        while data and not parser.completed:
            data = data[parser.received(data) :]
            if parser.empty:
                # Blank lines between requests.
                self._asked.keep(len(data))
                parser = self._parser = HTTPRequestParser(_LIMITS)
        self._ahead = data
        if self._arriving is not None:
            if parser.completed and not self._arriving.done():
                self._arriving.set_result(None)
        elif self._task is None and (parser.headers_finished or parser.completed):
            if parser.error is not None:
                self._refuse(parser.error.code)
            else:
                self._task = self._server.loop.create_task(self._answer(parser))

    async def _answer(self, parser: Any) -> None:
        try:
            response = await self._server.application.answer(Request(parser, self))
        except BadRequest as error:
            response = self._server.application.refusal(error.status)
        except ConnectionError:
            return
        except Exception:
            log.exception("a request failed")
            response = self._server.application.refusal(HTTPStatus.INTERNAL_SERVER_ERROR)
        finally:
            self._task = None
            self._asked.keep(0 if self._leaving else len(self._ahead))
        if self._leaving:
            return
        all_read = parser.completed and _ends_where_it_says(parser) and not self.is_over
        keep = all_read and not (parser.connection_close or self._server.stopping)
        self._write(
            response,
            keep=keep,
            http_1_0=parser.version == "1.0",
            head_only=parser.command == "HEAD",
        )
        parser.close()
        if keep:
            self._parser = None
            self._next()
        else:
            self._leave(all_read=all_read)

    def _next(self) -> None:
        """Go on with what came meanwhile."""
        self._since = time.monotonic()
        if self._held_up or self._leaving:
            return
        if self._ahead:
            self._feed(self._ahead)
        self._transport.resume_reading()

    def _write(
        self, response: Response, *, keep: bool, http_1_0: bool = False, head_only: bool = False
    ) -> None:
        connection = b"" if keep and not http_1_0 else _KEEP if keep else _CLOSE
        self._transport.write(
            b"HTTP/1.1 %d %b\r\n%bDate: %b\r\nContent-Length: %d\r\n%b\r\n%b"
            % (
                response.status,
                REASONS[response.status].encode(),
                response.headers,
                self._server.date,
                len(response.body),
                connection,
                b"" if head_only else response.body,
            )
        )

    def _refuse(self, status: int) -> None:
        self._write(self._server.application.refusal(status), keep=False)
        self._leave(all_read=False)

    def _leave(self, *, all_read: bool) -> None:
        self._leaving, self._since = True, time.monotonic()
        if all_read:
            self._transport.close()
            return
        # Closed at once, the answer would be lost with what is still coming in.
        with contextlib.suppress(OSError):
            self._transport.write_eof()
        self._transport.resume_reading()
        self._server.loop.call_later(LINGER_S, self._transport.abort)

    def look(self, now: float) -> None:
        """End what takes too long; called now and then."""
        seconds = now - self._since
        if self._leaving or self._held_up:
            if seconds > BODY_TIMEOUT_S:
                self._transport.abort()
        elif self._arriving is not None:
            if seconds > BODY_TIMEOUT_S and not self._arriving.done():
                self._arriving.set_exception(BadRequest(HTTPStatus.REQUEST_TIMEOUT))
        elif self._task is None and self._parser is not None:
            if seconds > BODY_TIMEOUT_S:
                self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        elif self._task is None and (seconds > IDLE_S or self._server.stopping):
            self._leaving = True
            self._transport.close()


def _ends_where_it_says(parser: Any) -> bool:
    """Whether what follows is the next request, not the rest of a broken body.

    The parser takes Transfer-Encoding out of the headers where it obeys it: before HTTP/1.1 it does not.
    """
    return parser.error is None and "TRANSFER_ENCODING" not in parser.headers


class Server:
    """Serves one application on one event loop."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.loop = asyncio.get_running_loop()
        self.connections: set[_Connection] = set()
        self.room = Room()
        self.stopping = False
        self.date = b""

    async def run(self, *, host: str, port: int, stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set; requests under way are answered."""
        looking = self.loop.create_task(self._look())
        server = await self.loop.create_server(
            lambda: _Connection(self), host, port, backlog=BACKLOG
        )
        try:
            await stopping.wait()
        finally:
            self.stopping = True
            server.close()
            until = self.loop.time() + STOP_S
            while self.connections and self.loop.time() < until:
                self._look_once()
                await asyncio.sleep(0.02)
            looking.cancel()
            for connection in list(self.connections):
                connection._transport.abort()

    async def _look(self) -> None:
        while True:
            self._look_once()
            await asyncio.sleep(LOOK_EVERY_S)

    def _look_once(self) -> None:
        self.date = formatdate(usegmt=True).encode()
        now = time.monotonic()
        for connection in list(self.connections):
            connection.look(now)
