"""Why a job waits, and when it will probably start and end, told from past runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import and_, func, or_, select

from dashboard.core.database import session, utcnow
from dashboard.core.i18n import _
from dashboard.job_queue import queries
from dashboard.job_queue.models import (
    READY,
    Job,
    JobState,
    WorkerRow,
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
    workers = _workers(job.queue)
    if job.after_id is not None or not workers:
        return Expectation(reason, start=None, end=None)
    wait_s = _wait_s(job, n_slots=sum(worker.slots for worker in workers))
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
    return _reason_without_worker(workers) or _reason_beside_workers(job, workers)


def _reason_without_worker(workers: Sequence[WorkerRow]) -> str:
    if not queries.runner_alive():
        return _("No job runner is running.")
    if not workers:
        return _("No job runner takes this kind of job.")
    if all(worker.draining for worker in workers):
        return _("The job runners are stopping and take no more jobs.")
    return ""


def _reason_beside_workers(job: Job, workers: Sequence[WorkerRow]) -> str:
    position = queries.queue_position(job) or 1
    if position > 1:
        return _("Jobs that start before it: %(n)s", n=position - 1)
    if all(len(worker.running) >= worker.slots for worker in workers):
        return _("All places of the job runners are taken; it is next.")
    if _owner_is_full(job) or queries.count_running(kind=job.kind):
        return _("Only so many jobs of one kind or owner run at once; it is next.")
    return _("It starts in a moment.")


def _owner_is_full(job: Job) -> bool:
    most = current_app.config["ATRIUM"].jobs.per_owner
    if not most or job.owner_id is None:
        return False
    return queries.count_running(owner_id=job.owner_id) >= most


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


def _wait_s(job: Job, *, n_slots: int) -> tuple[float, float]:
    before = or_(
        Job.priority < job.priority,
        and_(Job.priority == job.priority, Job.fair < job.fair),
        and_(Job.priority == job.priority, Job.fair == job.fair, Job.id < job.id),
    )
    ahead = session.execute(
        select(Job.kind, func.count()).where(READY, before).group_by(Job.kind)
    ).all()
    times = [(duration_s(kind), count) for kind, count in ahead]
    low, high = (sum(span[place] * count for span, count in times) for place in (0, 1))
    n_busy = queries.count_running()
    rest = duration_s(job.kind)[1] if n_busy >= n_slots else 0.0
    return low / max(1, n_slots), high / max(1, n_slots) + rest


def _workers(queue: str) -> list[WorkerRow]:
    return [worker for worker in queries.list_live_workers() if queue in worker.queues]


def _range(begin: datetime, span_s: tuple[float, float], *, now: datetime) -> Range:
    soonest, latest = (begin + timedelta(seconds=seconds) for seconds in span_s)
    return Range(max(now, soonest), max(now, latest))
