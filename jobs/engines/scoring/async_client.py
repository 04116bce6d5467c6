"""Calling replicas from asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from jobs.engines.scoring.client import GRACE_S, RETRIES, Folder, Leaving
from jobs.engines.scoring.frames import (
    REPLY,
    Kind,
    NoReplica,
    ReplicaLost,
    ReplicaTimeout,
    Reply,
    Status,
    request_frame,
)


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
        lost = Leaving() if self.leaving else ReplicaLost("the replica ended")
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
        self._folder = Folder(folder)
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
            except Leaving:
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
