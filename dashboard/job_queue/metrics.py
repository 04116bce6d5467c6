"""The queue in Prometheus' text format."""

from collections.abc import Iterable

from sqlalchemy import func, select

from dashboard.core.database import session, utcnow
from dashboard.job_queue import queries
from dashboard.job_queue.models import (
    READY,
    RUNNING,
    Job,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HOUR = 60


def text() -> str:
    """All metrics, each with what it means."""
    oldest = session.scalar(select(func.min(Job.updated_at)).where(READY))
    wait_s = max(0.0, (utcnow() - oldest).total_seconds()) if oldest else 0.0
    workers = queries.list_live_workers()
    ended: dict[tuple[str, str], int] = {}
    for _at, kind, state in queries.list_ends(minutes=HOUR):
        ended[kind, state.value] = ended.get((kind, state.value), 0) + 1
    parts = [
        _metric("atrium_jobs_waiting", "Jobs that a worker could start now, by queue.", _waiting()),
        _metric("atrium_jobs_running", "Jobs that run now, by kind.", _running()),
        _metric("atrium_jobs_oldest_wait_seconds", "Wait of the oldest such job.", [("", wait_s)]),
        _metric(
            "atrium_jobs_ended_last_hour",
            "Jobs that ended in the last hour.",
            [(_labels(kind=kind, state=state), n) for (kind, state), n in sorted(ended.items())],
        ),
        _metric("atrium_job_workers", "Workers heard of lately.", [("", len(workers))]),
        _metric(
            "atrium_job_worker_slots",
            "Places of each.",
            [(_labels(worker=w.name), w.slots) for w in workers],
        ),
        _metric(
            "atrium_job_worker_busy",
            "Jobs that each runs.",
            [(_labels(worker=worker.name), len(worker.running)) for worker in workers],
        ),
    ]
    return "".join(parts)


def _waiting() -> list[tuple[str, float]]:
    query = select(Job.queue, func.count()).where(READY).group_by(Job.queue)
    return [(_labels(queue=queue), count) for queue, count in session.execute(query)]


def _running() -> list[tuple[str, float]]:
    query = select(Job.kind, func.count()).where(RUNNING).group_by(Job.kind)
    return [(_labels(kind=kind), count) for kind, count in session.execute(query)]


def _metric(name: str, meaning: str, values: Iterable[tuple[str, float]]) -> str:
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} gauge"]
    lines += [f"{name}{labels} {value:g}" for labels, value in values]
    return "\n".join(lines) + "\n"


def _labels(**labels: str) -> str:
    quoted = (f'{name}="{_escape(value)}"' for name, value in labels.items())
    return "{" + ",".join(quoted) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
