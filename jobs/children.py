"""Child processes of the worker: started in a session of their own, watched, ended as a group."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from jobs.child import REPORT_FD
from jobs.guard import MARK, end
from jobs.runs import ChildFailed, RemoteError, Run
from jobs.tasks import Cancelled, Result

LOOK_EVERY_S = 0.2
"""How often a silent child is looked at: whether it lives, and whether it should stop."""
MAX_REPORT_BYTES = 2**20
EXIT_S = 5.0
"""How long a child may take to exit after its answer."""


class Guard:
    """A process that kills the children of this worker when the worker itself is killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, group: int, mark: str) -> None:
        """Kill the processes of a run when this process ends, from now on."""
        self._tell(f"+{group} {mark}\n")

    def forget(self, group: int, mark: str) -> None:
        """They are gone."""
        self._tell(f"-{group} {mark}\n")

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._process is None:
                self._process = self._start()
            with contextlib.suppress(BrokenPipeError):
                cast(IO[bytes], self._process.stdin).write(line.encode())

    @staticmethod
    def _start() -> subprocess.Popen[bytes]:
        script = Path(__file__).with_name("guard.py")
        return subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # Ctrl-C in a terminal must not reach it
        )

    def close(self) -> None:
        """End the guard, and with it every run still watched."""
        with self._lock:
            if self._process is not None:
                cast(IO[bytes], self._process.stdin).close()
                self._process.wait()
                self._process = None


@dataclass(frozen=True, slots=True)
class ChildSettings:
    """How children are started and ended."""

    argv: Sequence[str]
    """The command that serves one job; job id and attempt are appended, for `ps` to show."""
    memory_mb: int | None = None
    """For tasks that set no limit."""
    kill_after_s: float = 3.0
    """Between SIGTERM and SIGKILL; a cancelled job must be gone within 5 s."""


def run_in_child(run: Run, *, settings: ChildSettings, guard: Guard) -> Result:
    """Run the job in a child process and return its result.

    Raises RemoteError for an error of the task, ChildFailed when the child broke down, Cancelled
    when the run was asked to stop. Afterwards no process of the run is left.
    """
    child = _Child(run, settings)
    guard.watch(child.process.pid, child.mark)
    try:
        child.order(_order(run, settings))
        return child.listen()
    finally:
        child.end()
        guard.forget(child.process.pid, child.mark)


def _order(run: Run, settings: ChildSettings) -> dict[str, Any]:
    limits = run.task.limits
    return {
        "job_id": run.job.id,
        "attempt": run.job.attempt,
        "kind": run.job.kind,
        "args": run.job.args,
        "owner_id": run.job.owner_id,
        "folder": str(run.folder.resolve()),
        "timeout_s": run.timeout_s,
        "memory_mb": limits.memory_mb or settings.memory_mb,
        "cpu_s": limits.cpu_s,
    }


class _Lines:
    """Whole lines out of a descriptor that is read piece by piece."""

    def __init__(self, descriptor: int, handle: Callable[[str], None]) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self._handle = handle
        self._rest = b""

    def read(self) -> bool:
        """Handle what is there; False at the end of input."""
        try:
            piece = os.read(self.descriptor, 65536)
        except BlockingIOError:
            return True
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > MAX_REPORT_BYTES or (self._rest and not piece):
            # Too long, or the last words of a process that ended within a line.
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._handle(line.decode("utf-8", "replace"))
        return bool(piece)


class _Child:
    def __init__(self, run: Run, settings: ChildSettings) -> None:
        self._run = run
        self._settings = settings
        self._last_output = ""
        self._answer: dict[str, Any] | None = None
        reports, write_end = os.pipe()
        argv = [*settings.argv, str(run.job.id), str(run.job.attempt)]
        self.mark = f"{run.job.id}.{run.job.attempt}.{secrets.token_hex(8)}"
        told = {REPORT_FD: str(write_end), MARK: self.mark, "PYTHONUNBUFFERED": "1"}
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own command, from the settings
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(write_end,),
                env={**os.environ, **told},
            )
        except BaseException:
            os.close(reports)
            raise
        finally:
            os.close(write_end)
        self._stdin = cast(IO[bytes], self.process.stdin)
        self._stdout = cast(IO[bytes], self.process.stdout)
        self._reports = _Lines(reports, self._take_report)
        self._output = _Lines(self._stdout.fileno(), self._take_output)

    def order(self, order: dict[str, Any]) -> None:
        # The child waits for this line, so a worker killed before the guard knew of the child
        # leaves one that reads the end of input and exits.
        with contextlib.suppress(BrokenPipeError), self._stdin:
            self._stdin.write(json.dumps(order).encode() + b"\n")

    def listen(self) -> Result:
        with selectors.DefaultSelector() as selector:
            for source in (self._reports, self._output):
                selector.register(source.descriptor, selectors.EVENT_READ, source)
            while self._answer is None and self.process.poll() is None:
                if self._run.stopping.is_set():
                    raise Cancelled
                self._turn(selector)
            until = time.monotonic() + EXIT_S  # a grandchild may hold the pipe and go on for ever
            while self._answer is None and selector.get_map() and self._turn(selector):
                if time.monotonic() > until:
                    break
        return self._result()

    @staticmethod
    def _turn(selector: selectors.BaseSelector) -> bool:
        ready = selector.select(LOOK_EVERY_S)
        for key, _events in ready:
            if not key.data.read():
                selector.unregister(key.fileobj)
        return bool(ready)

    def _take_report(self, line: str) -> None:
        try:
            report = json.loads(line)
            kind = report["type"]
        except (ValueError, KeyError, TypeError):
            self._run.log(line)
            return
        if kind == "progress":
            self._run.progress(float(report["fraction"]), str(report["text"]))
        elif kind == "log":
            self._run.log(str(report["line"]))
        else:
            self._answer = report

    def _take_output(self, line: str) -> None:
        if line.strip():
            self._last_output = line.strip()
            self._run.log(line)

    def _result(self) -> Result:
        if self._answer is None:
            raise ChildFailed(self._breakdown())
        if self._answer["type"] == "error":
            raise RemoteError(
                self._answer["text"],
                traceback=self._answer["traceback"],
                fatal=bool(self._answer["fatal"]),
            )
        result: Result = self._answer["result"]
        return result

    def _breakdown(self) -> str:
        code = self.process.wait()
        if code == -signal.SIGKILL:
            return "its process was killed by the system, most likely because memory ran out"
        if code == -signal.SIGXCPU:
            return f"it used more than {self._run.task.limits.cpu_s} s of processor time"
        if code < 0:
            return f"its process crashed ({signal.Signals(-code).name})"
        return f"its process ended without an answer (exit code {code}): {self._last_output}"

    def end(self) -> None:
        """Leave no process of the run: ask, wait, kill."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._answer is not None:
                self.process.wait(EXIT_S)
            elif self.process.poll() is None:
                self._signal(signal.SIGTERM)
                self._wait_for_group(self._settings.kill_after_s)
        end(self.process.pid, self.mark)
        self.process.wait()
        self._stdout.close()
        os.close(self._reports.descriptor)

    def _wait_for_group(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.process.poll()
            if not self._signal(0):
                return
            time.sleep(0.05)

    def _signal(self, number: int) -> bool:
        try:
            os.killpg(self.process.pid, number)
        except OSError:
            return False
        return True
