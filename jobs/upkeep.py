"""What goes on beside the jobs of a worker: the heart keeps their leases, the sweeper mends the queue."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from jobs.runs import Run, Stop
from jobs.store import Beat, JobStore, Lease, StoreUnavailable, WorkerStatus

log = logging.getLogger(__name__)

BEAT_S = 0.75
"""A cancelled job must be gone within 5 s, so running jobs are asked after about every second."""
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
        pause: Callable[[bool], bool],
    ) -> None:
        self._store = store
        self._runs = runs
        self._status = status
        self._pause = pause
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
            if self._stopped.wait(beat_every_s(self._lease_s)):
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
            is_new = self._pause(self._store.report_worker(self._status()))
            # What is new is reported with the next beat.
            self._reported_at = time.monotonic() - (REPORT_EVERY_S if is_new else 0.0)

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


def beat_every_s(lease_s: float) -> float:
    """How often leases are prolonged."""
    return min(BEAT_S, lease_s / 4)


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """How the queue is mended."""

    every_s: float = 1.0
    max_deaths: int = 3
    """Workers that may die over a job before it is failed: it may be what kills them."""


class Sweeper:
    """Looks now and then: for jobs whose bell was lost, for what has become due, for dead workers.

    Every worker has one; they do not fight, because each of their writes is conditional.
    """

    def __init__(
        self,
        store: JobStore,
        *,
        settings: SweepSettings,
        lease_s: float,
        ring: Callable[[], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._lease_s = lease_s
        self._ring = ring
        self._stopped = threading.Event()
        self._doubts: dict[Lease, float] = {}
        self._patience_s = 1.2 * beat_every_s(lease_s)
        self._minute = -1
        self._thread = threading.Thread(target=self._loop, name="job-sweeper", daemon=True)

    def start(self) -> None:
        """Sweep until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Sweep no more."""
        self._stopped.set()
        self._thread.join(timeout=5.0)

    def sweep(self) -> None:
        """Look once, and mend what is amiss."""
        seen = self._store.look(lease_s=self._lease_s)
        n_started = self._store.start_due() if seen.due else 0
        if not seen.doubtful:
            self._doubts = {}
        n_given_back = self._mend() if seen.doubtful else 0
        if seen.waiting or n_started or n_given_back:
            self._ring()
        minute = int(time.time() // 60)
        if minute != self._minute:
            self._minute = minute
            self._store.sample()

    def _mend(self) -> int:
        """Give back the jobs of leases that stayed as they were for longer than a living worker leaves them.

        A lease that is only seen to have ended proves nothing: the clock may have jumped.
        """
        now = time.monotonic()
        doubtful = self._store.list_doubtful(lease_s=self._lease_s)
        self._doubts = {lease: self._doubts.get(lease, now) for lease in doubtful}
        dead = [lease for lease, since in self._doubts.items() if now - since >= self._patience_s]
        given_back = [
            self._store.give_back(lease, max_deaths=self._settings.max_deaths) for lease in dead
        ]
        return sum(given_back)

    def _loop(self) -> None:
        every_s = self._settings.every_s
        due = time.monotonic() + every_s
        while not self._stopped.wait(due - time.monotonic()):
            due = time.monotonic() + every_s
            try:
                self.sweep()
            except StoreUnavailable as error:
                log.warning("sweep: %s", error)
            except Exception:
                log.exception("sweep")
            if self._doubts:
                # The second look at a silent worker comes as soon as it proves something.
                due = min(due, time.monotonic() + self._patience_s)
