"""The portal's own architecture with its present state: the second thing that the 3D view shows."""

import shutil
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import current_app, url_for
from flask_babel import ngettext
from sqlalchemy import func, select, text

from dashboard.core import uploads
from dashboard.core.database import db, session, utcnow
from dashboard.core.i18n import _
from dashboard.job_queue import queries as job_queue
from dashboard.job_queue.models import STATE_LABELS, Job, JobState
from dashboard.serving import queries as serving
from dashboard.serving.models import HEALTH_LABELS, Deployment, Health

GIB = 2**30
HEALTH_STATES = {
    Health.STARTING: "busy",
    Health.READY: "ok",
    Health.DEGRADED: "failed",
    Health.FAILED: "failed",
    Health.STOPPED: "off",
}
# The process that keeps the replicas reports every 15 seconds.
SILENT_AFTER = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the portal. state: ok, busy, failed or off; fullness: 0 to 1."""

    key: str
    title: str
    state: str
    text: str
    fullness: float = 0.0
    url: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """Parts that do the same kind of work."""

    key: str
    name: str
    colour: str
    parts: list[Part] = field(default_factory=list)


def list_layers() -> list[Layer]:
    """The portal from what visitors meet down to what keeps the data."""
    return [
        Layer("web", _("Web"), "#2f7f9e", _web()),
        Layer("deployments", _("Deployments"), "#6a5a9c", _deployments()),
        Layer("workers", _("Workers"), "#8a6d1f", _workers()),
        Layer("queue", _("Queue"), "#a4552f", _queue()),
        Layer("data", _("Data"), "#4d6b8a", _data()),
    ]


def _web() -> list[Part]:
    threads = current_app.config["ATRIUM"].server.threads
    answer = ngettext("%(count)s thread", "%(count)s threads", threads, count=threads)
    return [
        Part("web:server", _("Web server"), "ok", answer, url=url_for("admin.index")),
        Part("web:api", "API v1", "ok", "OpenAPI 3.1", url=url_for("api_docs.page")),
    ]


def _deployments() -> list[Part]:
    parts = [_deployment(row) for row in serving.list_all_deployments()]
    url = url_for("serving.deployment_list")
    nothing = Part("deployment:none", _("No deployment"), "off", _("nothing is served"), url=url)
    return parts or [nothing]


def _deployment(row: Deployment) -> Part:
    """A deployment as it was last reported; silence is a fault unless it is paused."""
    health = Health.STOPPED if row.paused else Health(row.health)
    # One that was resumed just now has reported nothing since.
    heard_at = max(row.reported_at or row.updated_at, row.updated_at)
    silent = not row.paused and utcnow() - heard_at > SILENT_AFTER
    ready = _("%(ready)s of %(count)s replicas ready", ready=row.n_ready, count=row.replicas)
    words = ready if health is Health.READY else f"{HEALTH_LABELS[health]}, {ready}"
    age_s = round((utcnow() - heard_at).total_seconds())
    return Part(
        f"deployment:{row.id}",
        row.name,
        "failed" if silent else HEALTH_STATES[health],
        _("heard of %(seconds)s s ago", seconds=age_s) if silent else words,
        row.n_ready / row.replicas if row.replicas and not row.paused else 0.0,
        url_for("serving.deployment", deployment_id=row.id),
    )


def _workers() -> list[Part]:
    live = {worker.name for worker in job_queue.list_live_workers()}
    url = url_for("job_operations.workers")
    parts = [_worker(row, row.name in live, url) for row in job_queue.list_workers()]
    return parts or [Part("worker:none", _("No worker"), "failed", _("not running"), url=url)]


def _worker(row: Any, alive: bool, url: str) -> Part:
    age_s = max(0, round((utcnow() - row.seen_at).total_seconds()))
    n_running = len(row.running)
    words = _("%(running)s of %(slots)s at work", running=n_running, slots=row.slots)
    seen = _("heard of %(seconds)s s ago", seconds=age_s)
    state = ("busy" if n_running else "ok") if alive else "failed"
    fullness = n_running / row.slots if row.slots else 0.0
    if alive and row.drain_requested:
        words = f"{row.state_label}, {words}"
    return Part(f"worker:{row.name}", row.name, state, f"{words}, {seen}", fullness, url)


def _queue() -> list[Part]:
    counts = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
    embedded = current_app.config["ATRIUM"].broker.embedded
    broker = Part(
        "queue:broker",
        _("Message broker"),
        "ok" if job_queue.runner_alive() else "failed",
        _("embedded, no server") if embedded else "RabbitMQ",
        url=url_for("job_operations.queue"),
    )
    return [broker, *[_jobs(state, counts.get(state, 0)) for state in STATE_LABELS]]


def _jobs(state: JobState, count: int) -> Part:
    """One state's jobs; how full it is follows a curve, since a queue has no end."""
    wrong = state is JobState.FAILED and count
    busy = count and state in (JobState.QUEUED, JobState.RUNNING)
    return Part(
        f"queue:{state.value}",
        str(STATE_LABELS[state]),
        "failed" if wrong else "busy" if busy else "ok",
        ngettext("%(count)s job", "%(count)s jobs", count, count=count),
        count / (count + 20.0),
        url_for("job_queue.job_list", state=state.value),
    )


def _data() -> list[Part]:
    started = time.perf_counter()
    session.execute(text("SELECT 1"))
    took_ms = (time.perf_counter() - started) * 1000
    database = Part(
        "data:database",
        {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(db.engine.dialect.name, "MySQL"),
        "ok",
        _("answers in %(ms)s ms", ms=f"{took_ms:.1f}"),
        url=url_for("admin.index"),
    )
    disk = shutil.disk_usage(uploads.root())
    low = disk.free < 2 * uploads.settings().min_free_bytes
    files = Part(
        "data:files",
        _("Uploaded files"),
        "failed" if low else "ok",
        _("%(size)s GiB free", size=f"{disk.free / GIB:.1f}"),
        1.0 - disk.free / disk.total,
    )
    return [database, files]
