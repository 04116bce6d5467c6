"""The load of bench/serving.py: one thread, one selector, bare sockets kept open; the same for every server.

Every answer is kept as it came and looked at after the round, so that reading JSON is no part of the time."""

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

ANSWER_S = 30.0


@dataclass
class Load:
    """One round: the answers and how long each took."""

    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    """The number of the request's body, and the body of the answer."""


class Broken(Exception):
    """A server did not answer 200."""


@dataclass
class _Connection:
    socket: socket.socket
    number: int = 0
    sent_at: float = 0.0
    received: bytes = b""


def request_bytes(path: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """A POST of JSON as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def drive(port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> Load:
    """Send the requests in turn on so many connections, each as soon as the one before it is answered."""
    load, started, number = Load(), time.perf_counter(), 0
    with selectors.DefaultSelector() as selector:
        opened = [_Connection(_connect(port)) for _ in range(connections)]
        for connection in opened:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            number = _send(connection, requests, number)
        waiting = len(opened)
        while waiting:
            ready = selector.select(ANSWER_S)
            if not ready:
                raise Broken(f"no answer in {ANSWER_S:g} s")
            for key, _events in ready:
                connection = key.data
                body = _receive(connection)
                if body is None:
                    continue
                now = time.perf_counter()
                load.latencies_s.append(now - connection.sent_at)
                load.answers.append((connection.number, body))
                if now - started < seconds:
                    number = _send(connection, requests, number)
                else:
                    waiting -= 1
        load.seconds = time.perf_counter() - started
        for connection in opened:
            connection.socket.close()
    return load


def _connect(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _send(connection: _Connection, requests: Sequence[bytes], number: int) -> int:
    connection.number = number % len(requests)
    connection.sent_at = time.perf_counter()
    connection.socket.sendall(requests[connection.number])
    return number + 1


def _receive(connection: _Connection) -> bytes | None:
    """The body of an answer that is whole."""
    piece = connection.socket.recv(65536)
    if not piece:
        raise Broken("the connection was closed")
    connection.received += piece
    head, found, body = connection.received.partition(b"\r\n\r\n")
    if not found:
        return None
    if not head.startswith(b"HTTP/1.1 200"):
        raise Broken(connection.received[:500].decode(errors="replace"))
    lower = head.lower()
    place = lower.find(b"content-length:")
    if place >= 0:
        length = int(lower[place + 15 :].split(b"\r\n", 1)[0])
        if len(body) < length:
            return None
    elif not body.endswith(b"0\r\n\r\n"):
        return None
    else:
        body = _unchunked(body)
    connection.received = b""
    return body


def _unchunked(body: bytes) -> bytes:
    found = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        if not int(size, 16):
            return found
        found, body = found + body[: int(size, 16)], body[int(size, 16) + 2 :]
