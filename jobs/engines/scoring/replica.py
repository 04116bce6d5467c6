"""A replica: one process that holds one model and answers on a Unix socket.

Run as a module by the supervisor, which writes one line of JSON, the order, to standard input and keeps that open: its
end tells the replica that the supervisor is gone. The replica writes one line when it is ready, or why it is not.

One thread does the work, in turn; a second watches it. A model that hangs takes its process with it, never more.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from jobs.engines.scoring.errors import (
    InvalidInput,
    OutOfMemory,
    OutOfTime,
    PredictionFailed,
    RefusedModel,
)
from jobs.engines.scoring.frames import (
    MAX_BODY_BYTES,
    REPLY,
    REQUEST,
    Kind,
    Status,
)
from jobs.engines.scoring.limits import limit_process
from jobs.engines.scoring.prepare import ScriptFailed
from jobs.engines.scoring.samples import sample_record
from jobs.engines.scoring.scorer import Scorer
from jobs.engines.scoring.watch import WATCH_EVERY_S, Watch, resident_bytes

EXIT_REFUSED = 69
DRAIN_S = 1.0
"""A replica that leaves waits until nobody has sent anything for this long."""
LISTEN = 128
WARM_UPS = 20


@dataclass(slots=True, eq=False)
class _Connection:
    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    closed: bool = False


@dataclass(slots=True)
class _Work:
    connection: _Connection
    number: int
    body: bytes
    deadline: float


@dataclass(frozen=True, slots=True)
class _Answer:
    status: Status
    body: bytes = b""
    n_records: int = 0
    ms: dict[str, float] = field(default_factory=dict)


def _failure(error: Exception) -> _Answer:
    if isinstance(error, OutOfTime):
        return _Answer(Status.TIMED_OUT)
    if isinstance(error, OutOfMemory | MemoryError):
        return _Answer(Status.OUT_OF_MEMORY)
    if isinstance(error, ScriptFailed):
        return _Answer(Status.SCRIPT_FAILED, str(error).encode())
    if isinstance(error, PredictionFailed):
        return _Answer(Status.FAILED, str(error).encode())
    return _Answer(Status.FAILED, f"the engine failed ({type(error).__name__})".encode())


class Replica:
    """Serves one scorer on one socket."""

    def __init__(self, scorer: Scorer, listener: socket.socket, watch: Watch) -> None:
        self._scorer, self._listener, self._watch = scorer, listener, watch
        self._selector = selectors.DefaultSelector()
        self._work: deque[_Work] = deque()
        self._connections: set[_Connection] = set()
        self._leaving_at: float | None = None
        self._heard_at = 0.0
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, None)

    def leave(self) -> None:
        """Take no new connection, answer what was sent, then end `run`."""
        self._leaving_at = time.monotonic()

    def run(self) -> None:
        """Serve until `leave` was called and everything is answered."""
        said_goodbye = False
        while True:
            idle = not self._work
            for key, events in self._selector.select(WATCH_EVERY_S if idle else 0):
                self._handle(key.data, events)
            if self._leaving_at is not None and not said_goodbye:
                said_goodbye = True
                self._selector.unregister(self._listener)
                self._listener.close()
                for connection in list(self._connections):
                    self._send(connection, 0, _Answer(Status.GOODBYE))
            if self._work:
                self._do(self._work.popleft())
            elif said_goodbye and self._may_go():
                return

    def _may_go(self) -> bool:
        quiet = time.monotonic() - max(self._heard_at, self._leaving_at or 0.0)
        return not self._connections or quiet > DRAIN_S

    def _handle(self, connection: _Connection | None, events: int) -> None:
        if connection is None:
            with contextlib.suppress(OSError):
                accepted, _ = self._listener.accept()
                accepted.setblocking(False)
                made = _Connection(accepted)
                self._connections.add(made)
                self._selector.register(accepted, selectors.EVENT_READ, made)
            return
        if events & selectors.EVENT_WRITE:
            self._flush(connection)
        if events & selectors.EVENT_READ and not connection.closed:
            self._receive(connection)

    def _receive(self, connection: _Connection) -> None:
        try:
            piece = connection.socket.recv(262144)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._close(connection)
            return
        self._heard_at = time.monotonic()
        connection.received += piece
        self._take_frames(connection)

    def _take_frames(self, connection: _Connection) -> None:
        received, place = connection.received, 0
        while len(received) - place >= REQUEST.size:
            length, number, kind, timeout_ms = REQUEST.unpack_from(received, place)
            if length > MAX_BODY_BYTES:
                self._close(connection)
                return
            end = place + REQUEST.size + length
            if len(received) < end:
                break
            body = bytes(received[place + REQUEST.size : end])
            place = end
            if kind == Kind.PING:
                self._send(connection, number, _Answer(Status.PONG))
                continue
            deadline = time.monotonic() + timeout_ms / 1000
            self._work.append(_Work(connection, number, body, deadline))
        del received[:place]

    def _do(self, work: _Work) -> None:
        if work.connection.closed:
            return
        if time.monotonic() >= work.deadline:
            self._send(work.connection, work.number, _Answer(Status.TIMED_OUT))
            return
        self._watch.deadline = work.deadline
        try:
            answer = self._answer(work.body)
        finally:
            self._watch.deadline = None
        self._send(work.connection, work.number, answer)

    def _answer(self, body: bytes) -> _Answer:
        try:
            scored = self._scorer.answer_bytes(body)
            encoded = orjson.dumps(scored.outputs, option=orjson.OPT_NON_STR_KEYS)
        except InvalidInput as error:
            problems = [problem.to_json() for problem in error.problems]
            return _Answer(Status.INVALID_INPUT, orjson.dumps(problems))
        except Exception as error:  # whatever an engine raises: the replica goes on
            return _failure(error)
        return _Answer(Status.OK, encoded, len(scored.outputs), scored.ms)

    def _send(self, connection: _Connection, number: int, answer: _Answer) -> None:
        if connection.closed:
            return
        connection.unsent += REPLY.pack(
            len(answer.body),
            number,
            answer.status,
            answer.n_records,
            answer.ms.get("validate", 0.0),
            answer.ms.get("prepare", 0.0),
            answer.ms.get("predict", 0.0),
        )
        connection.unsent += answer.body
        self._flush(connection)

    def _flush(self, connection: _Connection) -> None:
        try:
            sent = connection.socket.send(connection.unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(connection)
            return
        del connection.unsent[:sent]
        # A caller who reads slowly holds up nobody: the rest goes when the socket takes it.
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.unsent else 0)
        if self._selector.get_key(connection.socket).events != events:
            self._selector.modify(connection.socket, events, connection)

    def _close(self, connection: _Connection) -> None:
        if not connection.closed:
            connection.closed = True
            self._connections.discard(connection)
            self._selector.unregister(connection.socket)
            connection.socket.close()


def main() -> int:
    order = orjson.loads(sys.stdin.buffer.readline())
    said = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(order.get("nice", 0))
    limit_process(memory_bytes=order["memory_bytes"])
    watch = Watch(sys.stdin.fileno(), memory_bytes=order["memory_bytes"])
    watch.start()
    try:
        scorer = _ready_scorer(order, watch)
    except (RefusedModel, ScriptFailed, PredictionFailed) as error:
        _say(said, {"error": " ".join(str(error).split())[:400]})
        os._exit(EXIT_REFUSED)
    path = Path(order["socket"])
    hidden = path.with_suffix(".new")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(hidden))
    listener.listen(LISTEN)
    replica = Replica(scorer, listener, watch)

    def leave(_number: int, _frame: Any) -> None:
        path.unlink(missing_ok=True)
        replica.leave()

    signal.signal(signal.SIGTERM, leave)
    # Callers find it by its name, so it gets that when it is ready.
    hidden.rename(path)
    _say(said, {"ready": True, "rss": resident_bytes(), "engine": scorer.description.engine})
    replica.run()
    path.unlink(missing_ok=True)
    os._exit(0)


def _ready_scorer(order: dict[str, Any], watch: Watch) -> Scorer:
    scorer = Scorer(
        Path(order["path"]), memory_bytes=order["memory_bytes"], script=order.get("script", "")
    )
    watch.interrupt = scorer.interrupt
    if order.get("warm_up", True):
        watch.deadline = time.monotonic() + order["timeout_s"] + 5
        record = order.get("sample") or sample_record(scorer.description)
        try:
            # The first predictions are slow: classes are loaded, code is compiled.
            for _ in range(WARM_UPS):
                scorer.warm_up(record)
        finally:
            watch.deadline = None
    return scorer


def _say(descriptor: int, said: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(descriptor, orjson.dumps(said) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
