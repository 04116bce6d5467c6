"""The worker: hears of a job, claims it, runs it in a thread or a child process, writes its end.

The same for every broker. What it promises: each attempt of a job is run by one worker at most,
and every write about it is refused once the job is no longer this worker's.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from jobs.broker import Broker, Consumer
from jobs.children import ChildSettings
from jobs.logs import logging_job
from jobs.messages import BadMessage
from jobs.runs import UNKNOWN, Run, Stop
from jobs.slots import Context, Slots
from jobs.store import (
    ClaimedJob,
    JobStore,
    Outcome,
    StoreUnavailable,
    Verdict,
    Wanted,
    WorkerStatus,
)
from jobs.tasks import TaskRegistry
from jobs.upkeep import Heart, Sweeper, SweepSettings

log = logging.getLogger(__name__)

LOOK_S = 0.2
"""How long the worker waits before it looks whether it should stop."""
BACK_OFF_S = 1.0
STREAM_S, GATHER_S = 0.006, 0.001
"""In a stream of jobs turns are so many seconds apart, or `GATHER_S` while more wait than there are
slots: each transaction then serves several jobs, and the enqueuing processes meet it less often."""


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
    per_owner: int | None = None
    """Jobs that one owner may have running at once, over all workers."""
    sweep: SweepSettings = field(default_factory=SweepSettings)
    fatal: tuple[type[BaseException], ...] = ()
    """Errors of the tasks' own domain: another try would meet the same rule."""


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
        # What the main thread waits for: a run that ended, or None for a bell. A SimpleQueue, because
        # a signal handler of the very thread that waits may put into it.
        self._inbox: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._slots = Slots(
            settings.slots,
            children=settings.children,
            context=context,
            fatal=settings.fatal,
            on_end=self._inbox.put,
        )
        self._rung = False
        self._turned_at = 0.0
        self._backlog = False
        """Whether the last claim left jobs waiting, as far as it could see."""
        self._ended: list[Run] = []
        """Runs whose end is not written yet."""
        self._paused = False
        self._draining = False
        self._at_once = False
        self._heart = Heart(
            store,
            runs=self.runs,
            status=self.status,
            lease_s=settings.lease_s,
            pause=self.pause,
        )
        self._sweeper = Sweeper(
            store, settings=settings.sweep, lease_s=settings.lease_s, ring=self.ring
        )
        self._wanted = Wanted(
            queues=tasks.queues(),
            worker=settings.name,
            lease_s=settings.lease_s,
            limit=settings.slots,
            per_kind=tasks.caps(),
            per_minute=tasks.rates(),
            per_owner=settings.per_owner,
        )

    def run(self) -> int:
        """Serve until `shutdown`, then drain: returns the exit code when no job is left here.

        In the main thread SIGTERM and SIGINT call `shutdown`.
        """
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda _number, _frame: self.shutdown())
        self._slots.open()
        self._heart.start(give_up=self._slots.give_up)
        self._sweeper.start()
        try:
            while not self._draining:
                self._serve()
                self._rest()
        finally:
            self._leave()
        return 0

    def ring(self) -> None:
        """Say that a job may be waiting; from any thread."""
        if not self._rung:
            self._rung = True
            self._inbox.put(None)

    def pause(self, paused: bool) -> bool:
        """Take no more jobs until the opposite is said; those that run go on. Whether that is new."""
        if paused == self._paused or self._draining:
            return False
        log.info("asked to drain" if paused else "asked to take jobs again")
        self._paused = paused
        self._inbox.put(None)
        return True

    def drain(self) -> None:
        """Take no more jobs, let the running ones end, and leave."""
        self._draining = True
        self._inbox.put(None)

    def shutdown(self) -> None:
        """Drain; called again: hand the running jobs back at once. Safe in a signal handler."""
        if self._draining:
            self._at_once = True
        self.drain()

    def runs(self) -> list[Run]:
        """The jobs that run here now."""
        return self._slots.runs()

    def status(self) -> WorkerStatus:
        """What this worker tells of itself."""
        return WorkerStatus(
            name=self._settings.name,
            host=self._settings.host,
            pid=self._settings.pid,
            queues=self._tasks.queues(),
            slots=self._settings.slots,
            running=[run.job.id for run in self.runs()],
            draining=self._draining or self._paused,
        )

    # Taking jobs

    @property
    def _takes_jobs(self) -> bool:
        return not (self._draining or self._paused)

    def _serve(self) -> None:
        """Take jobs until told otherwise."""
        consumer = self._broker.consume(
            self._tasks.queues(),
            worker=self._settings.name,
            slots=self._settings.slots,
            ring=self.ring,
        )
        self.ring()  # what waits already has rung before this worker could hear
        log.info("worker %s takes %s", self._settings.name, ", ".join(self._tasks.queues()))
        try:
            while self._takes_jobs:
                self._turn(consumer)
        finally:
            consumer.close()

    def _rest(self) -> None:
        """Take no jobs while paused, and hear no bells that others should."""
        while self._paused and not self._draining:
            self._collect(timeout_s=LOOK_S)
            self._try_to_write()

    def _turn(self, consumer: Consumer) -> None:
        """Wait until something happens, then write what ended and claim what waits, in one transaction."""
        self._collect(timeout_s=LOOK_S)
        free = self._settings.slots - len(self._slots) + len(self._ended)
        # Asked again: it may have been told to stop while it waited.
        claims = self._takes_jobs and self._rung and free > 0
        wanted = replace(self._wanted, limit=free) if claims else None
        if wanted is None and not self._ended:
            return
        if wanted is not None:
            self._rung = False  # before the claim: a bell from now on asks for another one
        try:
            claimed = self._write_ends(wanted)
            self._turned_at = time.monotonic()
        except StoreUnavailable as error:
            log.warning("job store unavailable: %s", error)
            self._rung = self._rung or wanted is not None
            time.sleep(BACK_OFF_S)
            return
        for job in claimed:
            self._begin(job)
        if wanted is not None:
            self._backlog = full = len(claimed) == free
            self._rung = self._rung or full  # there may be more, for the next slot that is free
            consumer.settle(len(claimed), all_heard=not full)

    def _collect(self, *, timeout_s: float) -> None:
        """Take the inbox's content, waiting for the first."""
        try:
            # A bell that could not be heeded for want of a slot is still in `_rung`.
            run = self._inbox.get(timeout=timeout_s)
            self._gather(until=self._turned_at + STREAM_S)
            while True:
                if run is not None:
                    self._ended.append(run)
                run = self._inbox.get_nowait()
        except queue.Empty:
            pass

    def _gather(self, *, until: float) -> None:
        """Give others the chance to come into the inbox, but do not keep the slots waiting."""
        if not self._backlog:
            time.sleep(max(0.0, until - time.monotonic()))
            return
        until = time.monotonic() + GATHER_S
        while self._inbox.qsize() + 1 < len(self._slots) and time.monotonic() < until:
            time.sleep(GATHER_S / 5)

    def _begin(self, job: ClaimedJob) -> None:
        folder = self._settings.runs_dir / str(job.id) / str(job.attempt)
        try:
            task = self._tasks.get(job.kind)
        except BadMessage as error:
            run = Run(job, UNKNOWN, folder=folder, write_progress=self._write_progress)
            run.outcome = Outcome(Verdict.FAILED, error=str(error))
            self._ended.append(run)
            self._inbox.put(None)
            return
        self._slots.begin(Run(job, task, folder=folder, write_progress=self._write_progress))

    # Writing about jobs

    def _write_ends(self, wanted: Wanted | None) -> list[ClaimedJob]:
        """Write the ends of the runs that ended, and claim. Raises StoreUnavailable; the runs are kept then."""
        told = [run for run in self._ended if run.stop is not Stop.LOST and run.outcome is not None]
        try:
            mine, claimed = self._store.turn([run.end for run in told], wanted)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("ends of %d jobs cannot be written together", len(told))
            mine, claimed = [self._write_end(run) for run in told], []
        for run, was_mine in zip(told, mine, strict=True):
            self._follow(run, was_mine)
        self._slots.forget(self._ended)
        self._ended = []
        return claimed

    def _write_end(self, run: Run) -> bool:
        try:
            return self._store.turn([run.end], None)[0][0]
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("job %d: its end cannot be written; its lease will end", run.job.id)
            return False

    def _follow(self, run: Run, was_mine: bool) -> None:
        """Do what belongs to an end once it is written."""
        job, outcome = run.end
        lost = "" if was_mine else " (lost)"
        with logging_job(job.id, attempt=job.attempt, kind=job.kind):
            log.info("%s%s", outcome.verdict, lost)
        if outcome.verdict is Verdict.CANCELLED:
            # One that completed in its task's own transaction just before keeps what it made.
            if was_mine:
                run.remove_files()
        elif job.followed or outcome.verdict is Verdict.RELEASED:
            self._broker.publish(job.id, queue=run.task.kind.queue)

    def _write_progress(self, job: ClaimedJob, fraction: float, text: str) -> None:
        try:
            self._store.progress(job.id, attempt=job.attempt, fraction=fraction, text=text)
        except StoreUnavailable as error:
            log.warning("job %d: progress not written: %s", job.id, error)

    def _try_to_write(self) -> bool:
        """Write the ends of the runs that ended; later, when the store is away."""
        try:
            if self._ended:
                self._write_ends(None)
        except StoreUnavailable as error:
            log.warning("job store unavailable: %s", error)
            time.sleep(BACK_OFF_S)
            return False
        return True

    # Leaving

    def _leave(self) -> None:
        self._finish(self._settings.grace_s, patient=True)
        for run in self.runs():
            run.ask_to_stop(Stop.RELEASE)
        self._finish(self._settings.children.kill_after_s + 2.0)
        for run in self.runs():
            self._slots.give_up(run)
        self._finish(BACK_OFF_S)
        self._sweeper.stop()
        self._heart.stop()
        self._slots.close()
        self._broker.close()
        self._store.close()
        log.info("worker %s has left", self._settings.name)

    def _finish(self, seconds: float, *, patient: bool = False) -> None:
        """Write the ends of runs until none runs here or the time is over."""
        until = time.monotonic() + seconds
        while len(self._slots) and time.monotonic() < until:
            if patient and self._at_once:
                return
            self._collect(timeout_s=LOOK_S)
            if not self._try_to_write() and self._at_once:
                return  # the sweeper of another worker finds them
