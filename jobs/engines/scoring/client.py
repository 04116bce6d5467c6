"""Calling replicas: from threads (`ReplicaClient`) and from asyncio (`AsyncReplicaClient`).

Which replicas there are is told by the sockets in the folder: one appears when its replica is ready and goes when it
leaves. A replica that leaves says GOODBYE first, so that replacing one fails no request. What a replica was working
on when it died is not sent again: the request may be what killed it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from collections import deque
from pathlib import Path
from typing import Any

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


class _Folder:
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


class _Leaving(Exception):
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
                raise _Leaving if self.leaving else ReplicaLost("the replica ended")
            self._received += piece
        found = bytes(self._received[:n])
        del self._received[:n]
        return found

    def close(self) -> None:
        self.socket.close()


class ReplicaClient:
    """Calls replicas from any number of threads; connections are kept and shared."""

    def __init__(self, folder: Path) -> None:
        self._folder = _Folder(folder)
        self._idle: dict[str, deque[_Link]] = {}
        self._turn = itertools.count()

    def call(self, key: str, body: bytes, *, timeout_s: float) -> Reply:
        """A replica's answer to a JSON body. Raises NoReplica, ReplicaLost, ReplicaTimeout."""
        for attempt in range(RETRIES):
            link, path = self._link(key, fresh=attempt > 0)
            try:
                reply = link.call(body, timeout_s=timeout_s)
            except _Leaving:
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


class _Channel(asyncio.Protocol):
    """One connection of an event loop to a replica, with many requests under way."""

    def __init__(self) -> None:
        self.leaving = self.closed = False
        self.waiting: dict[int, asyncio.Future[Reply]] = {}
        self._received = bytearray()
        self._transport: Any = None
        self._number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def send(self, body: bytes, timeout_s: float) -> tuple[int, asyncio.Future[Reply]]:
        self._number = number = self._number % 0xFFFFFFFF + 1
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.waiting[number] = future
        self._transport.write(request_frame(number, Kind.PREDICT, body, timeout_s=timeout_s))
        return number, future

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        place = 0
        while len(received) - place >= REPLY.size:
            length, number, status, *rest = REPLY.unpack_from(received, place)
            end = place + REPLY.size + length
            if len(received) < end:
                break
            if status == Status.GOODBYE:
                self.leaving = True
            else:
                future = self.waiting.pop(number, None)
                if future is not None and not future.done():
                    body = bytes(received[place + REPLY.size : end])
                    future.set_result(Reply(Status(status), body, *rest))
            place = end
        del received[:place]
        if self.leaving and not self.waiting:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        self.closed = True
        lost = _Leaving() if self.leaving else ReplicaLost("the replica ended")
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(lost)
        self.waiting.clear()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class AsyncReplicaClient:
    """Calls replicas from one event loop: one connection to each, many requests under way on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = _Folder(folder)
        self._channels: dict[str, _Channel] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def call(self, key: str, body: bytes, *, timeout_s: float) -> Reply:
        """A replica's answer to a JSON body. Raises NoReplica, ReplicaLost, ReplicaTimeout."""
        for attempt in range(RETRIES):
            channel = await self._channel(key, fresh=attempt > 0)
            number, future = channel.send(body, timeout_s)
            loop = asyncio.get_running_loop()
            alarm = loop.call_later(timeout_s + GRACE_S, _give_up, future)
            try:
                return await future
            except _Leaving:
                continue
            finally:
                alarm.cancel()
                channel.waiting.pop(number, None)
        raise NoReplica("no replica answers")

    async def _channel(self, key: str, *, fresh: bool) -> _Channel:
        for look_again in (fresh, True):
            paths = self._folder.find(key, fresh=look_again)
            for path in sorted(paths, key=self._load) if len(paths) > 1 else paths:
                channel = self._channels.get(path)
                if channel is not None and not (channel.closed or channel.leaving):
                    return channel
                with contextlib.suppress(OSError):
                    return await self._connect(path)
        self._forget_closed()
        raise NoReplica("no replica answers")

    def _load(self, path: str) -> int:
        channel = self._channels.get(path)
        return len(channel.waiting) if channel is not None else 0

    async def _connect(self, path: str) -> _Channel:
        async with self._locks.setdefault(path, asyncio.Lock()):
            channel = self._channels.get(path)
            if channel is None or channel.closed or channel.leaving:
                loop = asyncio.get_running_loop()
                _, channel = await loop.create_unix_connection(_Channel, path)
                self._channels[path] = channel
            return channel

    def _forget_closed(self) -> None:
        for path in [path for path, each in self._channels.items() if each.closed]:
            del self._channels[path]
            self._locks.pop(path, None)

    def close(self) -> None:
        """Close all connections."""
        for channel in self._channels.values():
            channel.close()


def _give_up(future: asyncio.Future[Reply]) -> None:
    if not future.done():
        future.set_exception(ReplicaTimeout("the replica did not answer in time"))


__all__ = ["AsyncReplicaClient", "ReplicaClient"]
