"""Calling replicas from threads; async_client.py does so from asyncio.

Which replicas there are is told by the sockets in the folder: one appears when its replica is ready and goes when it
leaves. A replica that leaves says GOODBYE first, so that replacing one fails no request. What a replica was working
on when it died is not sent again: the request may be what killed it.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import time
from collections import deque
from pathlib import Path

from jobs.engines.scoring.frames import (
    REPLY,
    Kind,
    NoReplica,
    ReplicaLost,
    ReplicaTimeout,
    Reply,
    Status,
    request_frame,
    sockets,
)

GRACE_S = 2.0
"""A replica ends itself a second after a deadline; a caller waits a little longer, to learn of it."""
LOOK_EVERY_S = 0.25
"""How long the list of sockets is believed."""
IDLE_CONNECTIONS = 32
RETRIES = 4


class Folder:
    """The sockets of each deployment, looked up at most a few times a second."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[float, list[str]]] = {}

    def find(self, key: str, *, fresh: bool = False) -> list[str]:
        known = self._known.get(key)
        now = time.monotonic()
        if known is None or fresh or now - known[0] > LOOK_EVERY_S or not known[1]:
            paths = [str(path) for path in sockets(self._folder, key)]
            known = self._known[key] = (now, paths)
        return known[1]


class Leaving(Exception):
    """The replica has said GOODBYE and did not take the request."""


class _Link:
    """A blocking connection, used by one thread at a time."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(5.0)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.leaving = False
        self._received = bytearray()

    def usable(self) -> bool:
        """Whether nothing has come since the last answer: a GOODBYE or an end would have."""
        try:
            self.socket.setblocking(False)
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return not self.leaving
        except OSError:
            return False
        return False

    def call(self, body: bytes, *, timeout_s: float) -> Reply:
        until = time.monotonic() + timeout_s + GRACE_S
        self.socket.settimeout(timeout_s + GRACE_S)
        try:
            self.socket.sendall(request_frame(1, Kind.PREDICT, body, timeout_s=timeout_s))
        except TimeoutError:
            raise
        except OSError:
            pass  # what it said before it went is still there to be read
        while True:
            length, number, status, *rest = REPLY.unpack(self._exactly(REPLY.size, until))
            content = self._exactly(length, until)
            if status == Status.GOODBYE:
                self.leaving = True
            elif number == 1:
                return Reply(Status(status), content, *rest)

    def _exactly(self, n: int, until: float) -> bytes:
        while len(self._received) < n:
            self.socket.settimeout(max(0.001, until - time.monotonic()))
            try:
                piece = self.socket.recv(262144)
            except ConnectionError:
                piece = b""
            if not piece:
                raise Leaving if self.leaving else ReplicaLost("the replica ended")
            self._received += piece
        found = bytes(self._received[:n])
        del self._received[:n]
        return found

    def close(self) -> None:
        self.socket.close()


class ReplicaClient:
    """Calls replicas from any number of threads; connections are kept and shared."""

    def __init__(self, folder: Path) -> None:
        self._folder = Folder(folder)
        self._idle: dict[str, deque[_Link]] = {}
        self._turn = itertools.count()

    def call(self, key: str, body: bytes, *, timeout_s: float) -> Reply:
        """A replica's answer to a JSON body. Raises NoReplica, ReplicaLost, ReplicaTimeout."""
        for attempt in range(RETRIES):
            link, path = self._link(key, fresh=attempt > 0)
            try:
                reply = link.call(body, timeout_s=timeout_s)
            except Leaving:
                link.close()
                continue
            except TimeoutError as error:
                link.close()
                raise ReplicaTimeout("the replica did not answer in time") from error
            except BaseException:
                link.close()
                raise
            self._put_back(link, path)
            return reply
        raise NoReplica("no replica answers")

    def ready(self, key: str) -> int:
        """How many replicas are ready."""
        return len(self._folder.find(key, fresh=True))

    def _link(self, key: str, *, fresh: bool) -> tuple[_Link, str]:
        for look_again in (fresh, True):
            paths = self._folder.find(key, fresh=look_again)
            start = next(self._turn)
            for place in range(len(paths)):
                path = paths[(start + place) % len(paths)]
                idle = self._idle.setdefault(path, deque())
                while True:
                    try:
                        link = idle.pop()
                    except IndexError:
                        break
                    if link.usable():
                        return link, path
                    link.close()
                with contextlib.suppress(OSError):
                    return _Link(path), path
        raise NoReplica("no replica answers")

    def _put_back(self, link: _Link, path: str) -> None:
        idle = self._idle.setdefault(path, deque())
        if link.leaving or len(idle) >= IDLE_CONNECTIONS:
            link.close()
        else:
            idle.append(link)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()
