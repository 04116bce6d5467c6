"""Tasks: the function that does the work of a kind, and what it is given."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from jobs.messages import BadMessage, Kind, Message, kind_of
from jobs.retry import Retry

Result = dict[str, Any] | None
"""What a task returns: small plain JSON, kept in the job's row."""


class Cancelled(BaseException):
    """The job was cancelled or handed back; let it through.

    Not an Exception, so that a task which catches all errors still ends.
    """


class TimedOut(Exception):
    """The job ran longer than its task allows."""


class Reporter(Protocol):
    """Where a running job tells of itself: the worker's memory, or the pipe of a child."""

    def progress(self, fraction: float, text: str) -> None: ...
    def log(self, line: str) -> None: ...
    def stop_reason(self) -> str | None: ...


@dataclass(slots=True)
class JobContext:
    """What a task knows of its job, and how it reports."""

    job_id: int
    attempt: int
    owner_id: int | None
    folder: Path
    """A folder of this attempt's own, for its files; made on first use by `workspace()`."""
    reporter: Reporter
    deadline: float | None = None
    """On the monotonic clock, because the wall clock may jump."""

    def progress(self, fraction: float, text: str = "") -> None:
        """Say how far the job is, 0 to 1; raises Cancelled when it should stop."""
        self.check()
        self.reporter.progress(min(1.0, max(0.0, fraction)), text)

    def log(self, line: str) -> None:
        """Add a line to the log that the job's owner reads."""
        self.reporter.log(line)

    def check(self) -> None:
        """Raise Cancelled or TimedOut when the job should stop; call it now and then."""
        if self.reporter.stop_reason() is not None:
            raise Cancelled
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise TimedOut

    def workspace(self) -> Path:
        """The folder of this attempt, made when missing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder


TaskFunction = Callable[[Any, JobContext], Result]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child process may use; None means no limit of its own."""

    memory_mb: int | None = None
    cpu_s: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A function, the kind of message it takes, and how it is run."""

    kind: Kind
    function: TaskFunction
    isolate: bool
    """Run in a child process: for heavy work, work that may crash, and work with limits."""
    retry: Retry
    timeout_s: float | None
    limits: Limits = field(default_factory=Limits)
    max_running: int | None = None
    """Jobs of this kind that may run at once, over all workers."""
    per_minute: int | None = None
    """Jobs of this kind that may start in a minute, over all workers."""

    def __call__(self, message: Message, ctx: JobContext) -> Result:
        return self.function(message, ctx)


def task(
    message_type: type,
    *,
    isolate: bool = False,
    retry: Retry | None = None,
    timeout_s: float | None = 3600.0,
    memory_mb: int | None = None,
    cpu_s: int | None = None,
    max_running: int | None = None,
    per_minute: int | None = None,
) -> Callable[[TaskFunction], Task]:
    """Make the decorated function the task of a message class."""

    def decorate(function: TaskFunction) -> Task:
        return Task(
            kind=kind_of(message_type),
            function=function,
            isolate=isolate,
            retry=retry or Retry(),
            timeout_s=timeout_s,
            limits=Limits(memory_mb=memory_mb, cpu_s=cpu_s),
            max_running=max_running,
            per_minute=per_minute,
        )

    return decorate


class TaskRegistry:
    """The tasks of one worker by kind; each kind has exactly one."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._by_kind: dict[str, Task] = {}
        for entry in tasks:
            if entry.kind.name in self._by_kind:
                raise ValueError(f"two tasks for the kind {entry.kind.name!r}")
            self._by_kind[entry.kind.name] = entry

    def get(self, kind: str) -> Task:
        """The task of a kind; BadMessage when this worker has none."""
        try:
            return self._by_kind[kind]
        except KeyError:
            raise BadMessage(f"unknown kind of job: {kind}") from None

    def queues(self) -> list[str]:
        """The queues of all kinds, sorted."""
        return sorted({entry.kind.queue for entry in self._by_kind.values()})

    def caps(self) -> dict[str, int]:
        """The most that may run at once, of the kinds that say so."""
        return {name: each.max_running for name, each in self._by_kind.items() if each.max_running}

    def rates(self) -> dict[str, int]:
        """The most that may start in a minute, of the kinds that say so."""
        return {name: each.per_minute for name, each in self._by_kind.items() if each.per_minute}

    def only(self, kinds: Iterable[str]) -> TaskRegistry:
        """The same without other kinds; ValueError when a kept kind shares its queue with one left out."""
        kept = {kind: self.get(kind) for kind in kinds}
        queues = {entry.kind.queue for entry in kept.values()}
        for name, entry in self._by_kind.items():
            if name not in kept and entry.kind.queue in queues:
                raise ValueError(f"{name} shares the queue {entry.kind.queue!r}: take it as well")
        return TaskRegistry(kept.values())
