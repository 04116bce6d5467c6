"""Waking workers on this host: one empty datagram to the socket of each, through a shared folder.

Best effort. A worker also looks by itself now and then, so a lost datagram costs only that wait.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import tempfile
import time
from functools import cache
from pathlib import Path

# The longest path a Unix socket can have is 107 bytes on Linux and 103 on macOS.
MAX_SOCKET_PATH = 100
SUFFIX = ".wake"
supported = hasattr(socket, "AF_UNIX")


def wake_folder(data_dir: Path) -> Path:
    """Where the sockets of a data folder lie: inside it, or in the temporary folder when its path is too long."""
    inside = data_dir / "run"
    if len(os.fsencode(inside)) + 24 > MAX_SOCKET_PATH:
        digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
        inside = Path(tempfile.gettempdir()) / f"atrium-{digest}"
    return inside


@cache
def _sender(_pid: int) -> socket.socket:
    """The socket that this process sends from; a forked process needs its own."""
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.setblocking(False)
    return sender


class Waker:
    """Wakes every worker that listens in a folder; thread-safe, never blocks and never raises."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, int] = (0, 0)
        self._paths: list[str] = []

    def wake(self) -> None:
        """Send an empty datagram to each."""
        if not supported:
            return
        with contextlib.suppress(OSError):
            sender = _sender(os.getpid())
            for path in self._listeners():
                self._send(sender, path)

    def _listeners(self) -> list[str]:
        """The sockets in the folder, listed anew when it changed: an enqueue must not cost a listing."""
        stat = self._folder.stat()
        seen = (stat.st_mtime_ns, stat.st_ino)
        if seen != self._seen:
            self._paths = [str(path) for path in self._folder.glob(f"*{SUFFIX}")]
            self._seen = seen
        return self._paths

    @staticmethod
    def _send(sender: socket.socket, path: str) -> None:
        try:
            sender.sendto(b"", path)
        except ConnectionRefusedError:
            # Left behind by a worker that was killed.
            Path(path).unlink(missing_ok=True)
        except OSError:
            pass  # its buffer is full: it has been woken already


class Listener:
    """A worker's ear in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._socket: socket.socket | None = None
        self._path = folder / f"{os.getpid()}-{id(self) & 0xFFFF:x}{SUFFIX}"
        if supported:
            self._open(folder)

    def _open(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(os.fspath(self._path))

    def wait(self, timeout_s: float) -> bool:
        """Whether woken within `timeout_s`; wakes that came before count as one."""
        ear = self._socket
        if ear is None:
            time.sleep(max(0.0, timeout_s))
            return False
        try:
            ear.settimeout(max(timeout_s, 0.001))
            ear.recv(1)
        except OSError:
            return False
        with contextlib.suppress(OSError):
            ear.setblocking(False)
            while True:  # until nothing is left, which raises
                ear.recv(1)
        return True

    def nudge(self) -> None:
        """Wake this listener from within its own process."""
        Waker(self._path.parent).wake()

    def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._socket is not None:
            self._socket.close()
            self._path.unlink(missing_ok=True)
