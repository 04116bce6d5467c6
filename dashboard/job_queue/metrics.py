"""The queue for Prometheus: read from the database when asked, so that every process tells the same."""

from collections import Counter
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from dashboard.core.database import session, utcnow
from dashboard.job_queue import queries
from dashboard.job_queue.models import READY, RUNNING, Job

__all__ = ["CONTENT_TYPE", "add_collector", "text"]

HOUR_MIN = 60
# What the domains above this one tell.
_collectors: list[Collector] = []


def add_collector(collector: Collector) -> None:
    """Tell what `collector` gathers beside the queue's own metrics."""
    _collectors.append(collector)


def text() -> str:
    """All metrics, each with what it means."""
    registry = CollectorRegistry()
    for collector in (_Queue(), *_collectors):
        registry.register(collector)
    return generate_latest(registry).decode()


class _Queue(Collector):
    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ()  # registering asks nothing of the database

    def collect(self) -> Iterable[GaugeMetricFamily]:
        yield from _jobs()
        yield from _workers()


def _jobs() -> Iterable[GaugeMetricFamily]:
    waiting = select(Job.queue, func.count()).where(READY).group_by(Job.queue)
    yield _gauge(
        "atrium_jobs_waiting",
        "Jobs that a worker could start now, by queue.",
        [((queue,), count) for queue, count in session.execute(waiting)],
        labels=["queue"],
    )
    running = select(Job.kind, func.count()).where(RUNNING).group_by(Job.kind)
    yield _gauge(
        "atrium_jobs_running",
        "Jobs that run now, by kind.",
        [((kind,), count) for kind, count in session.execute(running)],
        labels=["kind"],
    )
    oldest = session.scalar(select(func.min(Job.updated_at)).where(READY))
    wait_s = max(0.0, (utcnow() - oldest).total_seconds()) if oldest else 0.0
    yield _gauge("atrium_jobs_oldest_wait_seconds", "Wait of the oldest such job.", [((), wait_s)])
    ended = Counter((kind, state.value) for _at, kind, state in queries.list_ends(minutes=HOUR_MIN))
    yield _gauge(
        "atrium_jobs_ended_last_hour",
        "Jobs that ended in the last hour.",
        sorted(ended.items()),
        labels=["kind", "state"],
    )


def _workers() -> Iterable[GaugeMetricFamily]:
    live = queries.list_live_workers()
    yield _gauge("atrium_job_workers", "Workers heard of lately.", [((), len(live))])
    yield _gauge(
        "atrium_job_worker_slots",
        "Places of each.",
        [((worker.name,), worker.slots) for worker in live],
        labels=["worker"],
    )
    yield _gauge(
        "atrium_job_worker_busy",
        "Jobs that each runs.",
        [((worker.name,), len(worker.running)) for worker in live],
        labels=["worker"],
    )
    yield _gauge(
        "atrium_job_worker_drained",
        "1 while somebody wants it to take no jobs.",
        [((worker.name,), float(worker.drain_requested)) for worker in live],
        labels=["worker"],
    )


def _gauge(
    name: str,
    meaning: str,
    values: Iterable[tuple[Sequence[str], float]],
    *,
    labels: Iterable[str] = (),
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, meaning, labels=list(labels))
    for key, value in values:
        gauge.add_metric(list(key), value)
    return gauge
