"""What travels between a replica and those who call it: a fixed header and a body, both ways, over a Unix socket.

A connection carries many requests at once; answers come in the order of the requests and bear their numbers.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import tempfile
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import orjson

REQUEST = struct.Struct("!IIBI")
"""Length of the body, number, kind, milliseconds until the caller gives up."""
REPLY = struct.Struct("!IIBIfff")
"""Length of the body, number, status, records answered; milliseconds to validate, to prepare, to predict."""
MAX_BODY_BYTES = 64 * 2**20
SUFFIX = ".sock"


class Kind(IntEnum):
    """What a request is."""

    PREDICT = 1  # a JSON body in any form that request_of takes
    PING = 2


class Status(IntEnum):
    """How a request ended."""

    OK = 0  # a JSON list, one record of outputs each
    INVALID_INPUT = 1  # a JSON list of problems
    SCRIPT_FAILED = 2  # the message
    FAILED = 3  # the message
    TIMED_OUT = 4
    OUT_OF_MEMORY = 5
    PONG = 6
    GOODBYE = 7  # number 0: send nothing more here; what was sent is still answered


@dataclass(frozen=True, slots=True)
class Reply:
    """A replica's answer."""

    status: Status
    body: bytes
    n_records: int = 0
    validate_ms: float = 0.0
    prepare_ms: float = 0.0
    predict_ms: float = 0.0

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return orjson.loads(self.body)

    @property
    def ms(self) -> dict[str, float]:
        """Milliseconds of the steps that took place."""
        steps = {"validate": self.validate_ms, "predict": self.predict_ms}
        return {**steps, "prepare": self.prepare_ms} if self.prepare_ms else steps


class ReplicaError(Exception):
    """A replica did not answer"""


class NoReplica(ReplicaError):
    """No replica answers"""


class ReplicaLost(ReplicaError):
    """The replica ended while it worked on this request"""


class ReplicaTimeout(ReplicaError):
    """The replica did not answer in time"""


def request_frame(number: int, kind: Kind, body: bytes = b"", *, timeout_s: float = 0.0) -> bytes:
    """A request as bytes."""
    return REQUEST.pack(len(body), number, kind, min(int(timeout_s * 1000), 2**32 - 1)) + body


def socket_folder(name: str) -> Path:
    """Where the sockets of one portal (named by its data folder) are: short enough for the kernel, ours alone.

    Raises PermissionError when somebody else has made the folder.
    """
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"atrium-{os.getuid()}-{digest}"
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{path} is not a private folder of this user")
    return path


def sockets(folder: Path, key: str) -> list[Path]:
    """The sockets of the replicas of `key` that are ready, in a stable order."""
    return sorted((folder / key).glob(f"*{SUFFIX}"))
