"""What goes on beside the jobs of a worker: the heart keeps their leases, the sweeper mends the queue."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from jobs.broker import Broker
from jobs.runs import Run, Stop
from jobs.store import Beat, JobStore, StoreUnavailable, WorkerStatus

log = logging.getLogger(__name__)

BEAT_S = 1.0
"""A cancelled job must be gone within 5 s, so running jobs are asked after every second."""
REPORT_EVERY_S = 5.0
STUCK_AFTER_S = 4.0
"""A task in a thread that has not stopped this long after it was asked is given up."""


class Heart:
    """Extends the leases of the running jobs, and hears which were cancelled or lost."""

    def __init__(
        self,
        store: JobStore,
        *,
        runs: Callable[[], list[Run]],
        status: Callable[[], WorkerStatus],
        lease_s: float,
    ) -> None:
        self._store = store
        self._runs = runs
        self._status = status
        self._lease_s = lease_s
        self._stopped = threading.Event()
        self._reported_at = -REPORT_EVERY_S
        self._give_up: Callable[[Run], None] = lambda run: None
        self._thread = threading.Thread(target=self._loop, name="job-heart", daemon=True)

    def start(self, *, give_up: Callable[[Run], None]) -> None:
        """Beat until `stop`; `give_up` ends a run whose task does not answer."""
        self._give_up = give_up
        self._thread.start()

    def stop(self) -> None:
        """Stop beating and sign off."""
        self._stopped.set()
        self._thread.join(timeout=5.0)
        try:
            self._store.forget_worker(self._status().name)
        except StoreUnavailable as error:
            log.warning("worker row not removed: %s", error)

    def _loop(self) -> None:
        while True:
            try:
                self._beat()
            except StoreUnavailable as error:
                log.warning("heartbeat: %s", error)
            except Exception:
                log.exception("heartbeat")
            if self._stopped.wait(min(BEAT_S, self._lease_s / 3)):
                return

    def _beat(self) -> None:
        runs = self._runs()
        self._look_after(runs)
        if runs:
            held = [(run.job.id, run.job.attempt) for run in runs if not run.concluded]
            beats = self._store.heartbeat(held, lease_s=self._lease_s)
            for run in runs:
                _obey(run, beats.get(run.job.id, Beat.KEEP))
        if time.monotonic() - self._reported_at >= REPORT_EVERY_S:
            self._store.report_worker(self._status())
            self._reported_at = time.monotonic()

    def _look_after(self, runs: list[Run]) -> None:
        for run in runs:
            if run.overdue:
                run.ask_to_stop(Stop.TIMEOUT)
            stuck_s = time.monotonic() - run.stop_asked_at if run.stopping.is_set() else 0.0
            if stuck_s > STUCK_AFTER_S and not run.task.isolate:
                self._give_up(run)
            else:
                run.flush_progress()


def _obey(run: Run, beat: Beat) -> None:
    if beat is Beat.CANCEL:
        run.ask_to_stop(Stop.CANCEL)
    elif beat is Beat.LOST and not run.concluded:
        # Between the list and the answer the run may have ended by itself.
        run.ask_to_stop(Stop.LOST)


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """How the queue is mended."""

    every_s: float = 2.0
    max_deaths: int = 3
    """Workers that may die over a job before it is failed: it may be what kills them."""
    republish_after_s: float = 10.0
    """A job that waits longer than this although the broker holds fewer messages than jobs wait has
    lost its message."""


class Sweeper:
    """Gives back the jobs of dead workers and rings again for jobs whose message was lost.

    Every worker has one; they do not fight, because each of their writes is conditional.
    """

    def __init__(
        self,
        store: JobStore,
        broker: Broker,
        *,
        settings: SweepSettings,
    ) -> None:
        self._store = store
        self._broker = broker
        self._settings = settings
        self._stopped = threading.Event()
        self._checked_at = time.monotonic()
        self._thread = threading.Thread(target=self._loop, name="job-sweeper", daemon=True)

    def start(self) -> None:
        """Sweep until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Sweep no more."""
        self._stopped.set()
        self._thread.join(timeout=5.0)

    def sweep(self) -> None:
        """Mend once."""
        self._store.reap(max_deaths=self._settings.max_deaths)
        for job_id, queue in self._store.take_unpublished(limit=500):
            self._broker.publish(job_id, queue=queue)
        now = time.monotonic()
        if now - self._checked_at >= self._settings.republish_after_s:
            self._checked_at = now
            self._ring_again()

    def _ring_again(self) -> None:
        older_than_s = self._settings.republish_after_s
        for queue, n_waiting in self._store.count_overdue(older_than_s=older_than_s).items():
            depth = self._broker.depth(queue)
            if depth is None or depth >= n_waiting:
                continue
            missing = n_waiting - depth
            for job_id in self._store.take_overdue(queue, older_than_s=older_than_s, limit=missing):
                self._broker.publish(job_id, queue=queue)

    def _loop(self) -> None:
        while not self._stopped.wait(self._settings.every_s):
            try:
                self.sweep()
            except StoreUnavailable as error:
                log.warning("sweep: %s", error)
            except Exception:
                log.exception("sweep")
