"""Why a job waits, and when it will probably start and end, told from past runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import func, select

from dashboard.core.database import session, utcnow
from dashboard.core.i18n import _
from dashboard.job_queue import queries
from dashboard.job_queue.kinds import max_per_minute, max_running
from dashboard.job_queue.models import (
    READY,
    Job,
    JobState,
    WorkerRow,
    WorkerState,
)

N_PAST_RUNS = 50
UNKNOWN_S = (1.0, 60.0)
"""Assumed for a kind that has never run."""


@dataclass(frozen=True, slots=True)
class Range:
    """From the middle of what was seen to what nine in ten kept to."""

    soonest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class Expectation:
    """What to expect of a job that has not ended."""

    reason: str
    """Why it waits; empty when it runs."""
    start: Range | None
    """None when it runs, or when nobody can say."""
    end: Range | None


def expect(job: Job) -> Expectation | None:
    """What to expect of the job; None when it has ended."""
    if not job.active:
        return None
    takes_s = duration_s(job.kind)
    if job.state is JobState.RUNNING:
        begun = job.started_at or utcnow()
        return Expectation("", start=None, end=_range(begun, takes_s, now=utcnow()))
    reason = reason_for_waiting(job)
    takers = _takers(_workers(job.queue))
    if job.after_id is not None or not takers:
        return Expectation(reason, start=None, end=None)
    wait_s = _wait_s(job, takers)
    begin = max(utcnow(), job.run_at or utcnow())
    start = _range(begin, wait_s, now=utcnow())
    both_s = (wait_s[0] + takes_s[0], wait_s[1] + takes_s[1])
    return Expectation(reason, start=start, end=_range(begin, both_s, now=utcnow()))


def reason_for_waiting(job: Job) -> str:
    """Why a queued job does not run yet, in the reader's language."""
    if job.after_id is not None:
        return _("It begins when job %(id)s has completed.", id=job.after_id)
    if job.run_at is not None and job.run_at > utcnow():
        again = _("It failed and is tried again at the time below.")
        return again if job.failures else _("It was set for a later time.")
    workers = _workers(job.queue)
    takers = _takers(workers)
    return _reason_beside(job, takers) if takers else _reason_without_taker(workers)


def _reason_without_taker(workers: Sequence[WorkerRow]) -> str:
    if not queries.runner_alive():
        return _("No job runner is running.")
    if not workers:
        return _("No job runner takes this kind of job.")
    if any(worker.drain_requested for worker in workers):
        return _("The job runners are drained: they take no jobs until they are resumed.")
    return _("The job runners are stopping and take no more jobs.")


def _reason_beside(job: Job, takers: Sequence[WorkerRow]) -> str:
    position = queries.queue_position(job) or 1
    if position > 1:
        return _("Jobs before it in its queue: %(n)s", n=position - 1)
    limit = _reason_of_limit(job)
    if limit:
        return limit
    n_before = queries.count_before(job, queues=_queues(takers))
    if n_before:
        return _("It is the next of its queue; jobs of other queues before it: %(n)s", n=n_before)
    if all(len(worker.running) >= worker.slots for worker in takers):
        return _("All places of the job runners are taken; it is next.")
    return _("It starts in a moment.")


def _reason_of_limit(job: Job) -> str:
    """Which limit holds the next job of a queue back; empty when none does."""
    most = max_running(job.kind)
    if most and queries.count_running(kind=job.kind) >= most:
        return _("Jobs of this kind that may run at once: %(n)s; it is next.", n=most)
    most = current_app.config["ATRIUM"].jobs.per_owner
    if most and job.owner_id and queries.count_running(owner_id=job.owner_id) >= most:
        return _("Jobs of one owner that may run at once: %(n)s; it is next.", n=most)
    most = max_per_minute(job.kind)
    if most and queries.count_started(job.kind) >= most:
        return _("Jobs of this kind that may start in a minute: %(n)s; it is next.", n=most)
    return ""


def duration_s(kind: str) -> tuple[float, float]:
    """How long runs of the kind take: the median and the 90th percentile of the last ones."""
    done = (
        select(Job.started_at, Job.finished_at)
        .where(Job.kind == kind, Job.finished_at.is_not(None), Job.state == JobState.DONE)
        .order_by(Job.finished_at.desc())
        .limit(N_PAST_RUNS)
    )
    taken = [(end - start).total_seconds() for start, end in session.execute(done) if start and end]
    return percentiles(taken) if taken else UNKNOWN_S


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """The median and the 90th percentile (nearest rank) of at least one value."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2], ordered[max(0, -(-9 * len(ordered) // 10) - 1)]


def _wait_s(job: Job, takers: Sequence[WorkerRow]) -> tuple[float, float]:
    n_slots = max(1, sum(worker.slots for worker in takers))
    ahead = select(Job.kind, func.count()).where(READY, queries.comes_before(job))
    rows = session.execute(ahead.where(Job.queue.in_(_queues(takers))).group_by(Job.kind)).all()
    times = [(duration_s(kind), count) for kind, count in rows]
    low, high = (sum(span[place] * count for span, count in times) for place in (0, 1))
    n_busy = queries.count_running()
    rest = duration_s(job.kind)[1] if n_busy >= n_slots else 0.0
    return low / n_slots, high / n_slots + rest


def _takers(workers: Sequence[WorkerRow]) -> list[WorkerRow]:
    """Those that take jobs."""
    return [worker for worker in workers if worker.state is WorkerState.ALIVE]


def _queues(workers: Sequence[WorkerRow]) -> list[str]:
    """What jobs of one queue share their workers with."""
    return sorted({queue for worker in workers for queue in worker.queues})


def _workers(queue: str) -> list[WorkerRow]:
    return [worker for worker in queries.list_live_workers() if queue in worker.queues]


def _range(begin: datetime, span_s: tuple[float, float], *, now: datetime) -> Range:
    soonest, latest = (begin + timedelta(seconds=seconds) for seconds in span_s)
    return Range(max(now, soonest), max(now, latest))
