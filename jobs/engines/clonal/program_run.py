"""A foreign program as a process group of its own, with limits, a log, and nothing left behind."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TICK_S = 0.2
GRACE_S = 2.0
LINE_SHOWN = 300
LOG_TAIL_BYTES = 20_000
# Runs before the program: memory limit, and its end when ours ends, however that happens (Linux).
_WRAPPER = """
import os, resource, sys
limit, most = int(sys.argv[1]), resource.getrlimit(resource.RLIMIT_AS)[1]
limit = limit if most == resource.RLIM_INFINITY else min(limit, most)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)
except (OSError, AttributeError):
    pass
os.execv(sys.argv[2], sys.argv[2:])
"""
# Matplotlib without a screen, output line by line, one thread: other jobs run here too.
SETTINGS = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MPLBACKEND": "Agg",
    **dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
    ),
}
# What a program needs of our own environment; secrets of the portal stay out of it.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class OriginalFailed(Exception):
    """A foreign program did not give a result; the message is fit for a user, the log has all."""

    def __init__(self, message: str, *, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True)
class Limits:
    """What a program may use."""

    seconds: float = 4 * 3600.0
    """By the clock, for all its steps together."""
    memory_bytes: int = 8 << 30
    """Of address space, each process; less where the caller itself has less."""


def run_program(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    limits: Limits,
    deadline: float,
    tick: Callable[[str], None],
) -> tuple[int, str]:
    """Run to the end; returns the exit code and the last line on standard error.

    tick gets every line of output, and "" five times a second; when it raises, the whole group of
    processes is ended first. deadline: of time.monotonic. Raises OriginalFailed when it is passed or
    the program cannot be started."""
    arguments = [sys.executable, "-c", _WRAPPER, str(limits.memory_bytes), *command]
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | SETTINGS
    # Matplotlib, numba and friends keep their caches where the run is thrown away with them.
    environment |= {"MPLCONFIGDIR": str(folder), "NUMBA_CACHE_DIR": str(folder)}
    errors = log.with_suffix(".stderr")
    with log.open("ab") as output, errors.open("wb") as standard_error:
        # The program is the operator's own choice, and gets a list of arguments, never a shell.
        process = subprocess.Popen(  # noqa: S603
            arguments,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=standard_error,
            start_new_session=True,
        )
        try:
            _follow(process, output.write, tick, deadline=deadline, seconds=limits.seconds, log=log)
        finally:
            _end_group(process)
            output.write(_tail(errors))
    return process.returncode, _last_line(errors)


def _follow(
    process: "subprocess.Popen[bytes]",
    write: Callable[[bytes], object],
    tick: Callable[[str], None],
    *,
    deadline: float,
    seconds: float,
    log: Path,
) -> None:
    assert process.stdout is not None  # noqa: S101 - made with PIPE above
    stream, left = process.stdout.fileno(), b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        is_open = True
        # A grandchild may hold the pipe open after the program has ended.
        while is_open and (process.poll() is None or selector.select(0)):
            tick("")
            if time.monotonic() > deadline:
                raise OriginalFailed(f"stopped after its time limit of {seconds:g} s", log=log)
            if selector.select(TICK_S):
                piece = os.read(stream, 65_536)
                write(piece)
                is_open = bool(piece)
                *lines, left = (left + piece).split(b"\n")
                left = left[-65_536:]
                for line in lines:
                    tick(line.decode("utf-8", "replace")[:LINE_SHOWN])
        while process.poll() is None:
            tick("")
            if time.monotonic() > deadline:
                raise OriginalFailed(f"stopped after its time limit of {seconds:g} s", log=log)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TICK_S)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """End whatever is left of the group: politely, then for good."""
    if process.poll() is None:
        _signal(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    _signal(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _tail(path: Path) -> bytes:
    with path.open("rb") as stream:
        stream.seek(max(path.stat().st_size - LOG_TAIL_BYTES, 0))
        return stream.read()


def _last_line(path: Path) -> str:
    lines = _tail(path).decode("utf-8", "replace").split("\n")
    return next((line.strip()[:LINE_SHOWN] for line in reversed(lines) if line.strip()), "")
