"""One run of one job inside the worker: what it reports, whether it should stop, how it is judged."""

from __future__ import annotations

import json
import shutil
import threading
import time
import traceback as tracebacks
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO, cast

from jobs.messages import BadMessage, Kind
from jobs.retry import NEVER, Retry
from jobs.store import ClaimedJob, End, Outcome, Verdict
from jobs.tasks import Cancelled, JobContext, Result, Task, TimedOut

LOG_NAME = "log.txt"
# A task that floods its log must not fill the disk.
MAX_LOG_BYTES = 4 * 2**20
MAX_LINE = 2_000
MAX_ERROR = 500
MAX_RESULT_BYTES = 256 * 2**10
# People do not read faster, and each write costs a transaction.
PROGRESS_EVERY_S = 0.5


class Stop(StrEnum):
    """Why a run should end early."""

    CANCEL = "cancel"
    TIMEOUT = "timeout"
    LOST = "lost"  # the job is no longer this worker's
    RELEASE = "release"  # the worker stops


class ChildFailed(Exception):
    """The child process ended without an answer; another try would end the same way."""


class RemoteError(Exception):
    """An error that was raised in the child process."""

    def __init__(self, text: str, *, traceback: str, fatal: bool) -> None:
        super().__init__(text)
        self.traceback = traceback
        self.fatal = fatal


class Run:
    """A claimed job while it runs here. Thread-safe; it is the job's Reporter."""

    def __init__(
        self,
        job: ClaimedJob,
        task: Task,
        *,
        folder: Path,
        write_progress: Callable[[ClaimedJob, float, str], None],
    ) -> None:
        self.job = job
        self.task = task
        self.folder = folder
        timeout_s = job.timeout_s if job.timeout_s is not None else task.timeout_s
        self.timeout_s = timeout_s
        self.deadline = time.monotonic() + timeout_s if timeout_s is not None else None
        self.stopping = threading.Event()
        self.stop: Stop | None = None
        self.stop_asked_at = 0.0
        self.outcome: Outcome | None = None
        self.concluded = False
        self._write_progress = write_progress
        self._pending: tuple[float, str] | None = None
        self._written_at = -PROGRESS_EVERY_S
        self._lock = threading.Lock()
        self._log: TextIO | None = None
        self._log_bytes = 0

    def ask_to_stop(self, reason: Stop) -> None:
        """Ask once; the first reason counts, except that a lost job stays lost."""
        with self._lock:
            if self.stop is None or reason is Stop.LOST:
                self.stop = reason
            if not self.stopping.is_set():
                self.stop_asked_at = time.monotonic()
                self.stopping.set()

    def stop_reason(self) -> str | None:
        return self.stop

    @property
    def overdue(self) -> bool:
        """Whether the run has used up its time."""
        return self.deadline is not None and time.monotonic() > self.deadline

    @property
    def end(self) -> End:
        """The job and how it ended, once it has."""
        return self.job, cast(Outcome, self.outcome)

    def remove_files(self) -> None:
        """Remove what the run left, except its log."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != LOG_NAME:
                path.unlink(missing_ok=True)

    def progress(self, fraction: float, text: str) -> None:
        with self._lock:
            self._pending = (min(1.0, max(0.0, fraction)), storable(text)[:200])
        self.flush_progress()

    def flush_progress(self) -> None:
        """Write the newest progress unless one was written just now."""
        with self._lock:
            now = time.monotonic()
            if self._pending is None or now - self._written_at < PROGRESS_EVERY_S:
                return
            (fraction, text), self._pending, self._written_at = self._pending, None, now
        self._write_progress(self.job, fraction, text)

    def log(self, line: str) -> None:
        text = storable(line.rstrip("\r\n"))[:MAX_LINE]
        self._append(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}\n")

    def _append(self, text: str) -> None:
        with self._lock:
            if self._log_bytes > MAX_LOG_BYTES:
                return
            self._log_bytes += len(text.encode("utf-8", "replace"))
            if self._log_bytes > MAX_LOG_BYTES:
                text = "... the log is cut here\n"
            if self._log is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                path = self.folder / LOG_NAME
                self._log = path.open("a", encoding="utf-8", errors="replace", buffering=1)
            self._log.write(text)

    def close(self) -> None:
        """Close the log."""
        with self._lock:
            if self._log is not None:
                self._log.close()
                self._log = None
                self._log_bytes = MAX_LOG_BYTES + 1  # an abandoned task writes nothing more


def judge(
    job: ClaimedJob,
    retry: Retry,
    error: BaseException,
    *,
    stop: Stop | None,
    timeout_s: float | None,
) -> Outcome:
    """What an error, and the reason for which the run was asked to stop, mean for the job."""
    if stop is Stop.RELEASE:
        return Outcome(Verdict.RELEASED)
    if stop is Stop.CANCEL or (isinstance(error, Cancelled) and stop is None):
        return Outcome(Verdict.CANCELLED)
    if stop is Stop.TIMEOUT or isinstance(error, TimedOut):
        return Outcome(Verdict.FAILED, error=f"timed out after {timeout_s or 0:g} s")
    return _judge_failure(job, retry, error)


def _judge_failure(job: ClaimedJob, retry: Retry, error: BaseException) -> Outcome:
    text, trace = one_line(error), _traceback_of(error)
    hopeless = isinstance(error, ChildFailed | MemoryError | BadMessage)
    fatal = hopeless or getattr(error, "fatal", False)
    allowed = job.max_failures or retry.max_failures
    failures = job.failures + 1
    if fatal or failures >= allowed or isinstance(error, retry.fatal):
        return Outcome(Verdict.FAILED, error=text, traceback=trace)
    delay_s = retry.delay_s(failures=failures)
    return Outcome(Verdict.RETRY, error=text, traceback=trace, delay_s=delay_s)


def one_line(error: BaseException) -> str:
    """The reason as one line for the job's owner."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, MemoryError):
        text = "out of memory"
    elif isinstance(error, KeyError):
        text = f"missing key {text}"
    return storable(text)[:MAX_ERROR]


def checked(result: Result) -> Result:
    """A task's result when it fits into the job's row; ValueError or TypeError when it does not."""
    size = len(json.dumps(result, allow_nan=False))
    if size > MAX_RESULT_BYTES:
        raise ValueError(f"the result is {size} bytes long; large results belong in files")
    return result


def storable(text: str) -> str:
    """The text without what some database refuses: NUL and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _traceback_of(error: BaseException) -> str:
    if isinstance(error, RemoteError):
        return storable(error.traceback)
    return storable("".join(tracebacks.format_exception(error))[-20_000:])


def _unknown(_message: Any, _ctx: JobContext) -> Result:
    raise BadMessage("unknown kind of job")


UNKNOWN = Task(
    kind=Kind(name="", queue="", type=object),
    function=_unknown,
    isolate=False,
    retry=NEVER,
    timeout_s=None,
)
"""Stands in for the task of a job whose kind this worker does not know."""
