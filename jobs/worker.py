"""The worker: hears of a job, claims it, runs it in a thread or a child process, writes its end.

The same for every broker. What it promises: each attempt of a job is run by one worker at most,
and every write about it is refused once the job is no longer this worker's.
"""

from __future__ import annotations

import logging
import queue
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jobs.broker import Broker, Consumer, Delivery
from jobs.children import ChildSettings, Guard, run_in_child
from jobs.messages import BadMessage, load
from jobs.runs import Run, Stop, checked, judge
from jobs.store import ClaimedJob, JobStore, Outcome, StoreUnavailable, Verdict, WorkerStatus
from jobs.tasks import Cancelled, JobContext, Result, TaskRegistry
from jobs.upkeep import Heart, Sweeper, SweepSettings

log = logging.getLogger(__name__)

HEAR_S = 1.0
"""How long the worker waits for a delivery before it looks whether it should stop."""
BACK_OFF_S = 1.0


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How one worker process runs."""

    name: str
    host: str
    pid: int
    runs_dir: Path
    """Logs and files of the runs: <runs_dir>/<job>/<attempt>/."""
    children: ChildSettings
    slots: int = 2
    lease_s: float = 30.0
    grace_s: float = 10.0
    """How long running jobs may go on after SIGTERM before they are handed back."""
    sweep: SweepSettings = field(default_factory=SweepSettings)
    fatal: tuple[type[BaseException], ...] = ()
    """Errors of the tasks' own domain: another try would meet the same rule."""


Context = Callable[[], AbstractContextManager[Any]]


class Worker:
    """Runs jobs until it is told to shut down."""

    def __init__(
        self,
        *,
        store: JobStore,
        broker: Broker,
        tasks: TaskRegistry,
        settings: WorkerSettings,
        context: Context,
    ) -> None:
        self._store = store
        self._broker = broker
        self._tasks = tasks
        self._settings = settings
        self._context = context
        self._guard = Guard()
        self._lock = threading.Condition()
        self._running: dict[int, Run] = {}
        self._ready: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._draining = threading.Event()
        self._at_once = threading.Event()
        self._heart = Heart(store, runs=self.runs, status=self.status, lease_s=settings.lease_s)
        self._sweeper = Sweeper(store, broker, settings=settings.sweep)

    def run(self) -> int:
        """Serve until `shutdown`, then drain: returns the exit code when no job is left here.

        In the main thread SIGTERM and SIGINT call `shutdown`.
        """
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda _number, _frame: self.shutdown())
        for _ in range(self._settings.slots):
            self._open_slot()
        self._heart.start(give_up=self._give_up)
        self._sweeper.start()
        consumer = self._broker.consume(
            self._tasks.queues(), worker=self._settings.name, slots=self._settings.slots
        )
        log.info("worker %s takes %s", self._settings.name, ", ".join(self._tasks.queues()))
        try:
            while not self._draining.is_set():
                self._turn(consumer)
        finally:
            consumer.close()
            self._leave()
        return 0

    def shutdown(self) -> None:
        """Take no more jobs and let the running ones end; called again: hand them back at once.

        Safe in a signal handler.
        """
        if self._draining.is_set():
            self._at_once.set()
        self._draining.set()

    def runs(self) -> list[Run]:
        """The jobs that run here now."""
        with self._lock:
            return list(self._running.values())

    def status(self) -> WorkerStatus:
        """What this worker tells of itself."""
        return WorkerStatus(
            name=self._settings.name,
            host=self._settings.host,
            pid=self._settings.pid,
            queues=self._tasks.queues(),
            slots=self._settings.slots,
            running=[run.job.id for run in self.runs()],
            draining=self._draining.is_set(),
        )

    # Taking jobs

    def _turn(self, consumer: Consumer) -> None:
        free = self._free_slots(wait_s=HEAR_S)
        if not free:
            return
        try:
            for delivery in consumer.get(limit=free, timeout_s=HEAR_S):
                self._take(consumer, delivery)
        except StoreUnavailable as error:
            log.warning("job store unavailable: %s", error)
            time.sleep(BACK_OFF_S)
        except Exception:
            # One job that cannot be taken must not end the worker and what else runs in it.
            log.exception("taking a job")
            time.sleep(BACK_OFF_S)

    def _free_slots(self, *, wait_s: float) -> int:
        with self._lock:
            if len(self._running) >= self._settings.slots:
                self._lock.wait(wait_s)
            return max(0, self._settings.slots - len(self._running))

    def _take(self, consumer: Consumer, delivery: Delivery) -> None:
        try:
            job = delivery.job or self._store.claim(
                delivery.job_id, worker=self._settings.name, lease_s=self._settings.lease_s
            )
        except StoreUnavailable:
            consumer.nack(delivery)
            raise
        # Acknowledged right after the claim: from here the lease answers for the job, so a broker's
        # time limit for acknowledgements cannot meet a long job.
        consumer.ack(delivery)
        if job is not None:
            self._begin(job)

    def _begin(self, job: ClaimedJob) -> None:
        try:
            task = self._tasks.get(job.kind)
        except BadMessage as error:
            self._write(job, Outcome(Verdict.FAILED, error=str(error)))
            return
        folder = self._settings.runs_dir / str(job.id) / str(job.attempt)
        run = Run(job, task, folder=folder, write_progress=self._write_progress)
        with self._lock:
            self._running[job.id] = run
        self._ready.put(run)

    # Running jobs

    def _open_slot(self) -> None:
        threading.Thread(target=self._serve_slot, name="job-slot", daemon=True).start()

    def _serve_slot(self) -> None:
        while (run := self._ready.get()) is not None:
            self._execute(run)
            if not self._conclude(run):
                return  # given up meanwhile: another thread has this slot

    def _execute(self, run: Run) -> None:
        try:
            result = self._perform(run)
            run.outcome = Outcome(Verdict.DONE, result=checked(result))
        except BaseException as error:  # a task may raise anything; the slot must live on
            retry = replace(run.task.retry, fatal=(*run.task.retry.fatal, *self._settings.fatal))
            run.outcome = judge(run.job, retry, error, stop=run.stop, timeout_s=run.timeout_s)
            if not isinstance(error, Cancelled):
                log.warning("job %d (%s): %s", run.job.id, run.job.kind, error, exc_info=error)

    def _perform(self, run: Run) -> Result:
        if run.task.isolate:
            return run_in_child(run, settings=self._settings.children, guard=self._guard)
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
        """Write the end of a run and free its slot; False when somebody did so before."""
        with self._lock:
            if run.concluded:
                return False
            run.concluded = True
        run.close()
        try:
            if run.stop is not Stop.LOST and run.outcome is not None:
                self._write(run.job, run.outcome)
                if run.outcome.verdict is Verdict.CANCELLED:
                    _remove_files(run.folder)
        except Exception:
            log.exception("job %d: its end cannot be written; its lease will end", run.job.id)
        finally:
            with self._lock:
                self._running.pop(run.job.id, None)
                self._lock.notify_all()
        return True

    def _give_up(self, run: Run) -> None:
        """End a run whose task does not answer; its thread is left behind and writes nothing more."""
        log.error("job %d (%s) does not stop; its thread is abandoned", run.job.id, run.job.kind)
        run.outcome = judge(
            run.job, run.task.retry, Cancelled(), stop=run.stop, timeout_s=run.timeout_s
        )
        if self._conclude(run):
            self._open_slot()

    # Writing about jobs

    def _write(self, job: ClaimedJob, outcome: Outcome) -> None:
        while True:
            try:
                mine = self._store.finish(job.id, attempt=job.attempt, outcome=outcome)
                break
            except StoreUnavailable as error:
                log.warning("job %d: cannot write its end yet: %s", job.id, error)
                # Not Event.wait: a signal handler that sets an event its own thread waits for can block.
                time.sleep(BACK_OFF_S)
                if self._at_once.is_set():
                    return  # the sweeper of another worker finds it
        log.info("job %d (%s): %s%s", job.id, job.kind, outcome.verdict, "" if mine else " (lost)")

    def _write_progress(self, job: ClaimedJob, fraction: float, text: str) -> None:
        try:
            self._store.progress(job.id, attempt=job.attempt, fraction=fraction, text=text)
        except StoreUnavailable as error:
            log.warning("job %d: progress not written: %s", job.id, error)

    # Leaving

    def _leave(self) -> None:
        self._wait_idle(self._settings.grace_s, unless=self._at_once)
        for run in self.runs():
            run.ask_to_stop(Stop.RELEASE)
        self._wait_idle(self._settings.children.kill_after_s + 2.0)
        for run in self.runs():
            self._give_up(run)
        for _ in range(self._settings.slots):
            self._ready.put(None)
        self._sweeper.stop()
        self._heart.stop()
        self._guard.close()
        log.info("worker %s has left", self._settings.name)

    def _wait_idle(self, seconds: float, *, unless: threading.Event | None = None) -> None:
        until = time.monotonic() + seconds
        with self._lock:
            while self._running and time.monotonic() < until:
                if unless is not None and unless.is_set():
                    return
                self._lock.wait(0.2)


def _remove_files(folder: Path) -> None:
    """Remove what a cancelled run left, except its log."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != "log.txt":
            path.unlink(missing_ok=True)
