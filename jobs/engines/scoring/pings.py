"""Asking a replica whether it still listens, without waiting for the answer."""

from __future__ import annotations

import socket
from pathlib import Path

from jobs.engines.scoring.frames import REPLY, Kind, request_frame

EVERY_S = 2.0


class Pinger:
    """One connection on which a ping is under way or none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket: socket.socket | None = None
        self._asked_at: float | None = None
        self._heard_at: float | None = None

    def silent_s(self, now: float) -> float:
        """For how long a ping has been waiting for its answer; asks now and then."""
        try:
            self._listen(now)
            if self._asked_at is None and (
                self._heard_at is None or now - self._heard_at > EVERY_S
            ):
                self._ask(now)
        except OSError:
            self.close()
            self._asked_at = self._asked_at or now
        return 0.0 if self._asked_at is None else now - self._asked_at

    def _ask(self, now: float) -> None:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.setblocking(False)
            self._socket.connect(str(self._path))
        self._asked_at = now
        self._socket.send(request_frame(1, Kind.PING))

    def _listen(self, now: float) -> None:
        if self._socket is None or self._asked_at is None:
            return
        try:
            heard = self._socket.recv(4096)
        except BlockingIOError:
            return
        if not heard:
            raise ConnectionResetError
        if len(heard) >= REPLY.size:
            self._asked_at, self._heard_at = None, now

    def close(self) -> None:
        """Let go of the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
