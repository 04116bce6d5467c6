"""Keeps the replicas that are wanted: starts, watches, restarts with back-off, replaces one by one.

One thread owns every process. `apply` says what is wanted, `status` how it stands; both may be called from anywhere.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from jobs.engines.scoring import processes
from jobs.engines.scoring.processes import Replica, Wanted
from jobs.engines.scoring.watch import resident_bytes

log = logging.getLogger(__name__)

TICK_S = 0.1
BACK_OFF_S, MAX_BACK_OFF_S = 0.5, 30.0
CALM_S = 60.0
"""A replica that lived this long is no longer held against its deployment."""


class Health(StrEnum):
    """How a deployment stands."""

    STARTING = "starting"
    READY = "ready"
    DEGRADED = "degraded"  # fewer replicas answer than are wanted
    FAILED = "failed"  # none answers, and the last one ended with an error
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Standing:
    """A deployment as it is."""

    health: Health
    n_ready: int
    n_wanted: int
    n_restarts: int
    revision: int | None
    """Of the replicas that answer; None when none does."""
    text: str = ""
    """Why the last replica ended, for people."""
    rss_bytes: int = 0
    pids: tuple[int, ...] = ()


@dataclass(slots=True)
class _Deployment:
    wanted: Wanted | None
    replicas: list[Replica] = field(default_factory=list)
    n_failures: int = 0
    n_restarts: int = 0
    start_at: float = 0.0
    text: str = ""


class Supervisor:
    """The replicas of all deployments of one portal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._deployments: dict[str, _Deployment] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Begin; sockets that a killed predecessor left are removed."""
        for old in self._folder.iterdir() if self._folder.exists() else ():
            shutil.rmtree(old, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._thread.start()

    def apply(self, wanted: Iterable[Wanted]) -> None:
        """From now on these, and no others."""
        table = {each.key: each for each in wanted}
        with self._lock:
            for key, deployment in self._deployments.items():
                self._want(deployment, table.get(key))
            for key in table.keys() - self._deployments.keys():
                self._deployments[key] = _Deployment(table[key])

    def status(self) -> dict[str, Standing]:
        """How every deployment stands that is wanted, or whose last replicas are still leaving."""
        with self._lock:
            return {key: _standing(each) for key, each in self._deployments.items()}

    def stop(self, *, timeout_s: float = 15.0) -> None:
        """Let every replica answer what it has, then end it; returns when no process is left."""
        self.apply([])
        until = time.monotonic() + timeout_s
        while time.monotonic() < until and self.status():
            time.sleep(TICK_S / 2)
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for deployment in self._deployments.values():
            for replica in deployment.replicas:
                processes.kill(replica)

    def _want(self, deployment: _Deployment, wanted: Wanted | None) -> None:
        if wanted != deployment.wanted:
            # Whatever was wrong with the old one, the new one gets its chance at once.
            deployment.n_failures, deployment.start_at, deployment.text = 0, 0.0, ""
        deployment.wanted = wanted

    def _run(self) -> None:
        while not self._stopping.wait(TICK_S):
            with self._lock:
                for key, deployment in list(self._deployments.items()):
                    try:
                        self._tend(deployment)
                    except (OSError, ValueError):
                        # No memory for a process, no descriptor left: the others are tended all the same.
                        log.exception("deployment %s could not be tended", key)
                        deployment.start_at = time.monotonic() + MAX_BACK_OFF_S
                    if deployment.wanted is None and not deployment.replicas:
                        shutil.rmtree(self._folder / key, ignore_errors=True)
                        del self._deployments[key]

    def _tend(self, deployment: _Deployment) -> None:
        now = time.monotonic()
        for replica in list(deployment.replicas):
            processes.listen(replica)
            if replica.process.poll() is not None:
                self._bury(deployment, replica, now)
            elif processes.is_hopeless(replica, now):
                replica.error = replica.error or "the replica did not answer: it was ended"
                self._bury(deployment, replica, now)
        wanted = deployment.wanted
        staying = [each for each in deployment.replicas if each.leaving_at is None]
        if wanted is None:
            for replica in staying:
                processes.dismiss(replica, now)
            return
        current = [each for each in staying if each.wanted.revision == wanted.revision]
        old = [each for each in staying if each.wanted.revision != wanted.revision]
        ready = [each for each in current if each.ready]
        if any(now - each.started_at > CALM_S for each in ready):
            deployment.n_failures = 0
        # One at a time beside the old ones: a roll needs the memory of one replica more, not of all.
        starting = len(current) - len(ready)
        if len(current) < wanted.replicas and now >= deployment.start_at and not (old and starting):
            self._start(deployment, wanted, now)
        for replica in old[: max(0, len(ready) + len(old) - wanted.replicas)]:
            processes.dismiss(replica, now)
        for replica in current[wanted.replicas :]:
            processes.dismiss(replica, now)

    def _start(self, deployment: _Deployment, wanted: Wanted, now: float) -> None:
        deployment.replicas.append(processes.start(wanted, self._folder / wanted.key, now))

    def _bury(self, deployment: _Deployment, replica: Replica, now: float) -> None:
        processes.kill(replica)  # what it may have started
        deployment.replicas.remove(replica)
        replica.socket.unlink(missing_ok=True)
        replica.socket.with_suffix(".new").unlink(missing_ok=True)
        if replica.leaving_at is not None:
            return
        deployment.text = replica.error or processes.why(replica)
        deployment.n_failures += 1
        deployment.n_restarts += 1
        wait_s = min(MAX_BACK_OFF_S, BACK_OFF_S * 2 ** (deployment.n_failures - 1))
        # The first time at once: most often it was a single bad request.
        deployment.start_at = now + (wait_s if deployment.n_failures > 1 else 0.0)


def _standing(deployment: _Deployment) -> Standing:
    ready = [each for each in deployment.replicas if each.ready and each.leaving_at is None]
    wanted = deployment.wanted
    n_wanted = wanted.replicas if wanted else 0
    if wanted is None:
        health = Health.STOPPED
    elif len(ready) >= n_wanted:
        health = Health.READY
    elif ready:
        health = Health.DEGRADED
    else:
        health = Health.FAILED if deployment.n_failures else Health.STARTING
    # What cannot start while the revision before still answers is told as well.
    revision = max((each.wanted.revision for each in ready), default=None)
    behind = wanted is not None and revision != wanted.revision and deployment.n_failures > 0
    rss = 0
    for each in ready:
        with contextlib.suppress(OSError):
            rss += resident_bytes(each.process.pid)
    return Standing(
        health=health,
        n_ready=len(ready),
        n_wanted=n_wanted,
        n_restarts=deployment.n_restarts,
        revision=revision,
        text=deployment.text if behind or health != Health.READY else "",
        rss_bytes=rss,
        pids=tuple(each.process.pid for each in ready),
    )
