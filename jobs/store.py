"""What the worker needs of the place that keeps the jobs; the truth about a job lives there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class StoreUnavailable(Exception):
    """The job store cannot be reached just now."""


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that this worker may run until its lease ends."""

    id: int
    kind: str
    args: dict[str, Any]
    owner_id: int | None
    attempt: int
    """The fence: every write about this run names it, so a worker that was given up writes nothing."""
    failures: int
    max_failures: int | None = None
    """None means what the task says."""
    timeout_s: float | None = None
    """None means what the task says."""


class Verdict(StrEnum):
    """How a run ended."""

    DONE = "done"
    FAILED = "failed"
    RETRY = "retry"  # failed, and is run again after a while
    CANCELLED = "cancelled"
    RELEASED = "released"  # handed back by a worker that stops; costs no try


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run, as it is written to the store."""

    verdict: Verdict
    result: dict[str, Any] | None = None
    error: str = ""
    """One line for the owner."""
    traceback: str = ""
    """For administrators."""
    delay_s: float = 0.0
    """Seconds until a retry."""


class Beat(StrEnum):
    """The answer to a heartbeat about one job."""

    KEEP = "keep"
    CANCEL = "cancel"
    LOST = "lost"  # the lease ended and the job is no longer this worker's


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """What a worker tells of itself."""

    name: str
    host: str
    pid: int
    queues: Sequence[str]
    slots: int
    running: Sequence[int]
    draining: bool


class Claims(Protocol):
    """How a job becomes this worker's: at most one caller gets each attempt."""

    def claim(self, job_id: int, *, worker: str, lease_s: float) -> ClaimedJob | None: ...

    def claim_next(
        self, *, queues: Sequence[str], worker: str, lease_s: float, limit: int
    ) -> list[ClaimedJob]: ...


class JobStore(Claims, Protocol):
    """Jobs and workers, kept. All writes about a run are fenced by its attempt."""

    def progress(self, job_id: int, *, attempt: int, fraction: float, text: str) -> bool: ...

    def finish(self, job_id: int, *, attempt: int, outcome: Outcome) -> bool:
        """Write the end of a run; False when the run is no longer the caller's."""
        ...

    def heartbeat(self, held: Sequence[tuple[int, int]], *, lease_s: float) -> dict[int, Beat]:
        """Extend the leases of (job id, attempt) pairs and hear what became of each job."""
        ...

    def reap(self, *, max_deaths: int) -> list[int]:
        """Give back jobs whose lease ended, or fail them when too many workers died; their ids."""
        ...

    def take_unpublished(self, *, limit: int) -> list[tuple[int, str]]:
        """Due jobs that have no message, marked published now: (id, queue)."""
        ...

    def count_overdue(self, *, older_than_s: float) -> dict[str, int]:
        """How many due jobs wait in each queue whose oldest message is older than this."""
        ...

    def take_overdue(self, queue: str, *, older_than_s: float, limit: int) -> list[int]:
        """The longest waiting of those jobs, marked published now."""
        ...

    def report_worker(self, status: WorkerStatus) -> None: ...

    def forget_worker(self, name: str) -> None: ...
