"""What the worker needs of the place that keeps the jobs; the truth about a job lives there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class StoreUnavailable(Exception):
    """The job store cannot be reached just now."""


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that this worker may run until its lease ends."""

    id: int
    kind: str
    args: dict[str, Any] | None
    """None when they cannot be read."""
    owner_id: int | None
    attempt: int
    """The fence: every write about this run names it, so a worker that was given up writes nothing."""
    failures: int
    max_failures: int | None = None
    """None means what the task says."""
    timeout_s: float | None = None
    """None means what the task says."""
    followed: bool = False
    """Whether another step waits for this one."""


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a worker with free slots asks the store for."""

    queues: Sequence[str]
    worker: str
    lease_s: float
    limit: int
    per_kind: Mapping[str, int] = field(default_factory=dict)
    """Kinds of which no more than so many may run at once, counted over all workers."""
    per_minute: Mapping[str, int] = field(default_factory=dict)
    """Kinds of which no more than so many may start in a minute."""
    per_owner: int | None = None
    """Jobs that one owner may have running at once."""

    @property
    def limited(self) -> bool:
        """Whether the claim has to count what runs already."""
        return bool(self.per_kind or self.per_minute or self.per_owner)


End = tuple[ClaimedJob, Outcome]
"""How a run ended."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that ought to have been prolonged. Of two equal ones the later shows that nobody did."""

    job_id: int
    attempt: int
    until: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a worker finds when it looks by itself; one query, because idle workers look every second."""

    waiting: bool
    """A job could be claimed."""
    doubtful: bool
    """A running job's lease ended, or ends later than any lease can."""
    due: bool
    """The time of a later job, a retry or a schedule has come."""


class JobStore(Protocol):
    """Jobs and workers, kept. All writes about a run are fenced by its attempt."""

    def turn(
        self, ends: Sequence[End], wanted: Wanted | None
    ) -> tuple[list[bool], list[ClaimedJob]]:
        """Write the ends of runs and claim waiting jobs, all in one transaction.

        The answers say of each end whether the run was still this worker's. At most one caller gets
        each attempt of a job.
        """
        ...

    def progress(self, job_id: int, *, attempt: int, fraction: float, text: str) -> bool: ...

    def heartbeat(self, held: Sequence[tuple[int, int]], *, lease_s: float) -> dict[int, Beat]:
        """Extend the leases of (job id, attempt) pairs and hear what became of each job."""
        ...

    def look(self, *, lease_s: float) -> Look: ...

    def list_doubtful(self, *, lease_s: float) -> list[Lease]:
        """The leases that `look` found doubtful."""
        ...

    def give_back(self, lease: Lease, *, max_deaths: int) -> bool:
        """Queue the job again, or fail it when too many workers died over it; False when its lease
        has changed meanwhile."""
        ...

    def start_due(self) -> int:
        """Make ready what is due now: later jobs, retries, and one job for every schedule; how many."""
        ...

    def sample(self) -> None:
        """Note how the queue stands, once a minute whatever the number of callers."""
        ...

    def report_worker(self, status: WorkerStatus) -> bool:
        """Keep what a worker tells of itself; whether somebody wants it drained."""
        ...

    def forget_worker(self, name: str) -> None: ...

    def close(self) -> None:
        """Let go of what this thread holds."""
        ...
