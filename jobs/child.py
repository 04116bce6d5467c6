"""The inside of a child process: one job, started by the worker, reported over an inherited pipe.

The worker writes one line of JSON, the order, to standard input. The child answers with lines of
JSON on the descriptor named by the environment: progress, log, and at last done or error.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from jobs.guard import MARK, end
from jobs.logs import logging_job
from jobs.messages import BadMessage, load
from jobs.runs import checked, one_line
from jobs.tasks import Cancelled, JobContext, Limits, TaskRegistry

REPORT_FD = "JOB_REPORT_FD"
# The worker keeps what it is told for people; more often than this nobody can see.
PROGRESS_EVERY_S = 0.1
PR_SET_CHILD_SUBREAPER = 36
NICENESS = 5
"""Heavy work stands back behind the web server on the same machine."""


class PipeReporter:
    """Tells the worker how the job goes."""

    def __init__(self, descriptor: int) -> None:
        # Programs that the task starts must not hold the pipe open.
        os.set_inheritable(descriptor, False)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()
        self._progress_at = -PROGRESS_EVERY_S

    def send(self, **report: Any) -> None:
        with self._lock:
            self._file.write(json.dumps(report) + "\n")

    def progress(self, fraction: float, text: str) -> None:
        now = time.monotonic()
        if now - self._progress_at >= PROGRESS_EVERY_S:
            self._progress_at = now
            self.send(type="progress", fraction=fraction, text=text)

    def log(self, line: str) -> None:
        self.send(type="log", line=line)

    def stop_reason(self) -> str | None:
        return None  # the worker ends a child by signal


def serve_job(
    tasks: TaskRegistry,
    *,
    context: Callable[[], AbstractContextManager[Any]],
    fatal: tuple[type[BaseException], ...] = (),
) -> int:
    """Run the one job that the worker orders; the exit code of the process."""
    reporter = PipeReporter(int(os.environ.pop(REPORT_FD)))
    line = sys.stdin.readline()
    if not line:
        return 1  # the worker died before it gave the order
    signal.signal(signal.SIGTERM, _raise_cancelled)
    _adopt_orphans()
    try:
        order = json.loads(line)
        about = logging_job(order["job_id"], attempt=order["attempt"], kind=order["kind"])
        with about, context():
            result = _run(tasks, order, reporter)
        reporter.send(type="done", result=checked(result))
    except Cancelled:
        return 1
    except Exception as error:
        report = {"text": one_line(error), "traceback": traceback.format_exc()}
        reporter.send(
            type="error", fatal=isinstance(error, (*fatal, MemoryError, BadMessage)), **report
        )
        return 1
    finally:
        # The worker finds no more what has left the group once this process is gone.
        end(os.getpid(), os.environ.get(MARK, ""), spare_group=True)
    return 0


def _adopt_orphans() -> None:
    """Stay the ancestor of whatever this process starts, also where what lies between has ended (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _run(tasks: TaskRegistry, order: dict[str, Any], reporter: PipeReporter) -> Any:
    task = tasks.get(order["kind"])
    _limit(Limits(memory_mb=order["memory_mb"], cpu_s=order["cpu_s"]))
    ctx = JobContext(
        job_id=order["job_id"],
        attempt=order["attempt"],
        owner_id=order["owner_id"],
        folder=Path(order["folder"]),
        reporter=reporter,
        deadline=None if order["timeout_s"] is None else time.monotonic() + order["timeout_s"],
    )
    return task(load(order["kind"], order["args"]), ctx)


def _limit(limits: Limits) -> None:
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limits.memory_mb is not None:
        size = limits.memory_mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    if limits.cpu_s is not None:
        # On top of what the start has used. At the soft limit comes SIGXCPU, which names the reason;
        # SIGKILL a little later.
        soft = math.ceil(time.process_time()) + limits.cpu_s
        resource.setrlimit(resource.RLIMIT_CPU, (soft, soft + 5))


def _raise_cancelled(_number: int, _frame: Any) -> None:
    raise Cancelled
