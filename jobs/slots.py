"""The slots of a worker: threads that each run one job at a time, in themselves or in a child process."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from jobs.children import ChildSettings, Guard, run_in_child
from jobs.logs import logging_job
from jobs.messages import load
from jobs.runs import Run, checked, judge
from jobs.store import Outcome, Verdict
from jobs.tasks import Cancelled, JobContext, Result

log = logging.getLogger(__name__)

Context = Callable[[], AbstractContextManager[Any]]
"""What surrounds a task that runs in a thread."""


class Slots:
    """Runs jobs until told to close. Thread-safe."""

    def __init__(
        self,
        count: int,
        *,
        children: ChildSettings,
        context: Context,
        fatal: tuple[type[BaseException], ...],
        on_end: Callable[[Run], None],
    ) -> None:
        self._count = count
        self._children = children
        self._context = context
        self._fatal = fatal
        self._on_end = on_end
        self._guard = Guard()
        self._lock = threading.Lock()
        self._running: dict[int, Run] = {}
        self._ready: queue.SimpleQueue[Run | None] = queue.SimpleQueue()

    def open(self) -> None:
        """Start the threads."""
        for _ in range(self._count):
            self._open_one()

    def begin(self, run: Run) -> None:
        """Run a job; when it has ended `on_end` is called with it, once, with its outcome set."""
        with self._lock:
            self._running[run.job.id] = run
        self._ready.put(run)

    def runs(self) -> list[Run]:
        """The jobs that run, and those that ended and are not forgotten yet."""
        with self._lock:
            return list(self._running.values())

    def __len__(self) -> int:
        with self._lock:
            return len(self._running)

    def forget(self, runs: Iterable[Run]) -> None:
        """These have ended for good."""
        with self._lock:
            for run in runs:
                self._running.pop(run.job.id, None)

    def give_up(self, run: Run) -> None:
        """End a run whose task does not answer; its thread is left behind and writes nothing more."""
        log.error("job %d (%s) does not stop; its thread is abandoned", run.job.id, run.job.kind)
        run.outcome = judge(
            run.job, run.task.retry, Cancelled(), stop=run.stop, timeout_s=run.timeout_s
        )
        if self._conclude(run):
            self._open_one()

    def close(self) -> None:
        """Let the threads end."""
        for _ in range(self._count):
            self._ready.put(None)
        self._guard.close()

    def _open_one(self) -> None:
        threading.Thread(target=self._serve, name="job-slot", daemon=True).start()

    def _serve(self) -> None:
        while (run := self._ready.get()) is not None:
            with logging_job(run.job.id, attempt=run.job.attempt, kind=run.job.kind):
                self._execute(run)
            if not self._conclude(run):
                return  # given up meanwhile: another thread has this slot

    def _execute(self, run: Run) -> None:
        try:
            result = self._perform(run)
            run.outcome = Outcome(Verdict.DONE, result=checked(result))
        except BaseException as error:  # a task may raise anything; the slot must live on
            retry = replace(run.task.retry, fatal=(*run.task.retry.fatal, *self._fatal))
            run.outcome = judge(run.job, retry, error, stop=run.stop, timeout_s=run.timeout_s)
            if not isinstance(error, Cancelled):
                log.warning("%s", error, exc_info=error)

    def _perform(self, run: Run) -> Result:
        if run.task.isolate:
            return run_in_child(run, settings=self._children, guard=self._guard)
        ctx = JobContext(
            job_id=run.job.id,
            attempt=run.job.attempt,
            owner_id=run.job.owner_id,
            folder=run.folder,
            reporter=run,
            deadline=run.deadline,
        )
        with self._context():
            return run.task(load(run.job.kind, run.job.args), ctx)

    def _conclude(self, run: Run) -> bool:
        """Hand over a run that ended; False when somebody did so before."""
        with self._lock:
            if run.concluded:
                return False
            run.concluded = True
        run.close()
        self._on_end(run)
        return True
