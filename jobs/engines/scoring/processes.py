"""The process of one replica, seen from outside: started, heard, asked to leave, ended."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import orjson

from jobs.engines.scoring import cgroups
from jobs.engines.scoring.frames import SUFFIX
from jobs.engines.scoring.limits import child_command, clean_environment
from jobs.engines.scoring.pings import Pinger
from jobs.engines.scoring.replica import DRAIN_S
from jobs.engines.scoring.watch import EXIT_HUNG, EXIT_MEMORY

START_S = 90.0
"""A replica that is not ready by then is given up."""
LEAVE_S = 10.0
"""What a replica that leaves gets beyond the time-out of its requests."""
PING_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A deployment as it should be."""

    key: str
    """Names it: letters, digits, `-` and `_`."""
    revision: int
    """Another number replaces the replicas."""
    path: Path
    replicas: int = 1
    cpus: float = 1.0
    memory_bytes: int = 512 * 2**20
    timeout_s: float = 10.0
    warm_up: bool = True
    script: str = ""


@dataclass(slots=True, eq=False)
class Replica:
    """A process."""

    wanted: Wanted
    process: subprocess.Popen[bytes]
    socket: Path
    started_at: float
    ready: bool = False
    error: str = ""
    leaving_at: float | None = None
    said: bytes = b""
    pinger: Pinger | None = None
    group: cgroups.Group | None = None


def start(wanted: Wanted, folder: Path, now: float) -> Replica:
    """A new replica, which is not ready yet."""
    folder.mkdir(mode=0o700, exist_ok=True)
    socket = folder / f"{wanted.revision}-{secrets.token_hex(4)}{SUFFIX}"
    order = {
        "path": str(wanted.path),
        "socket": str(socket),
        "script": wanted.script,
        "memory_bytes": wanted.memory_bytes,
        "timeout_s": wanted.timeout_s,
        "warm_up": wanted.warm_up,
    }
    process = subprocess.Popen(  # noqa: S603 - our own module
        child_command("replica"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=clean_environment(),
        start_new_session=True,
    )
    orders, said = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    os.set_blocking(said.fileno(), False)
    replica = Replica(wanted, process, socket, now)
    replica.group = cgroups.confine(
        process.pid, name=socket.stem, cpus=wanted.cpus, memory_bytes=wanted.memory_bytes
    )
    with contextlib.suppress(BrokenPipeError):
        orders.write(orjson.dumps(order) + b"\n")
        orders.flush()
    return replica


def listen(replica: Replica) -> None:
    """Hear whether it is ready."""
    with contextlib.suppress(BlockingIOError):
        replica.said += os.read(cast(IO[bytes], replica.process.stdout).fileno(), 65536)
    if b"\n" in replica.said:
        line, _, replica.said = replica.said.partition(b"\n")
        said: dict[str, Any] = orjson.loads(line)
        replica.ready, replica.error = bool(said.get("ready")), str(said.get("error", ""))


def is_hopeless(replica: Replica, now: float) -> bool:
    if replica.leaving_at is not None:
        return now - replica.leaving_at > replica.wanted.timeout_s + DRAIN_S + LEAVE_S
    if not replica.ready:
        return now - replica.started_at > START_S
    if replica.pinger is None:
        replica.pinger = Pinger(replica.socket)
    return replica.pinger.silent_s(now) > replica.wanted.timeout_s + PING_GRACE_S


def dismiss(replica: Replica, now: float) -> None:
    replica.leaving_at = now
    # One that is not ready yet has nobody waiting.
    number = signal.SIGTERM if replica.ready else signal.SIGKILL
    with contextlib.suppress(OSError):
        os.killpg(replica.process.pid, number)


def kill(replica: Replica) -> None:
    with contextlib.suppress(OSError):
        os.killpg(replica.process.pid, signal.SIGKILL)
    replica.process.wait()
    for pipe in (replica.process.stdin, replica.process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    if replica.pinger is not None:
        replica.pinger.close()
    if replica.group is not None:
        replica.group.remove()


def why(replica: Replica) -> str:
    code = replica.process.returncode
    if code == EXIT_HUNG:
        return "a request did not end in time: the replica was ended"
    # 3: a JVM leaves when its heap is full.
    if code in (EXIT_MEMORY, 3, -signal.SIGABRT):
        return f"the replica needed more than {replica.wanted.memory_bytes // 2**20} MiB of memory"
    if code == -signal.SIGKILL:
        return "the replica was killed"
    if code < 0:
        return f"the replica crashed ({signal.Signals(-code).name})"
    return f"the replica ended (exit code {code})"
