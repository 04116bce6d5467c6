"""Jobs in the dashboard: everybody's, with their state; to cancel and to try again."""

from collections.abc import Sequence
from typing import Any

from flask import flash, url_for
from flask_admin.actions import action
from markupsafe import Markup
from sqlalchemy import func, select

from dashboard.accounts.models import User
from dashboard.core.admin import AdminPage, AtriumModelView, Figure, goes_with
from dashboard.core.admin.filters import Choice, Day
from dashboard.core.admin.markup import state_tag
from dashboard.core.database import session
from dashboard.core.i18n import _, lazy
from dashboard.job_queue import queries, services
from dashboard.job_queue.kinds import label_of
from dashboard.job_queue.models import STATE_LABELS, Job, JobState, WorkerState
from dashboard.job_queue.queries import Viewer
from dashboard.job_queue.reasons import reason_of
from dashboard.job_queue.status import progress_text

WORK = lazy("Work")


class Jobs(AtriumModelView):
    """Everybody's jobs, newest first."""

    model = Job
    slug, label, group, icon = "jobs", lazy("Jobs"), WORK, "job"
    empty_text = lazy("Jobs appear here when somebody starts one, such as a training.")
    column_list = ("id", "kind", "state", "progress", "owner", "attempt", "created_at")
    column_details_list = (
        *("id", "kind", "state", "error", "owner", "queue", "args", "attempt", "failures"),
        *("worker", "created_at", "started_at", "finished_at"),
    )
    column_export_list = (
        *("id", "kind", "state", "owner_id", "queue", "attempt", "failures", "error"),
        *("created_at", "started_at", "finished_at"),
    )
    column_labels = {
        "id": lazy("Number"),
        "kind": lazy("Kind"),
        "state": lazy("State"),
        "progress": lazy("Progress"),
        "owner": lazy("Owner"),
        "owner_id": lazy("Number of the owner"),
        "queue": lazy("Queue"),
        "args": lazy("Arguments"),
        "attempt": lazy("Attempt"),
        "failures": lazy("Failures"),
        "error": lazy("Reason"),
        "worker": lazy("Worker"),
        "created_at": lazy("Created"),
        "started_at": lazy("Started"),
        "finished_at": lazy("Finished"),
    }
    column_sortable_list = ("id",)
    column_searchable_list = ("kind",)
    column_formatters = {
        "id": lambda _view, _context, job, _name: f"#{job.id}",
        "kind": lambda _view, _context, job, _name: label_of(job.kind),
        "state": lambda _view, _context, job, _name: state_tag(job.state, job.state_label),
        "progress": lambda _view, _context, job, _name: _progress(job),
        "owner": lambda _view, _context, job, _name: _owner(job),
        "args": lambda _view, _context, job, _name: _arguments(job),
        "error": lambda _view, _context, job, _name: reason_of(job.error),
    }
    column_filters = (
        Choice("state", lazy("State"), Job.state, STATE_LABELS),
        Choice("kind", lazy("Kind"), Job.kind, lambda: _kinds()),  # noqa: PLW0108 - defined below
        Day("from", lazy("From"), Job.created_at),
        Day("to", lazy("To"), Job.created_at, until=True),
    )

    def row_name(self, row: Job) -> str:
        return f"{label_of(row.kind)} #{row.id}"

    def row_links(self, row: Job) -> list[tuple[str, str, Any]]:
        return [(url_for("job_queue.job", job_id=row.id), "job", _("Page of this job"))]

    def get_list(self, *args: Any, **kwargs: Any) -> tuple[int, list[Job]]:
        count, jobs = super().get_list(*args, **kwargs)
        # Into the session at once, where each row then finds its owner without a query.
        owners = {job.owner_id for job in jobs if job.owner_id}
        self._template_args["owners"] = list(
            session.scalars(select(User).where(User.id.in_(owners)))
        )
        return count, jobs

    @action("cancel", lazy("Cancel jobs"), lazy("Do you want to cancel these jobs?"))
    def action_cancel(self, rows: Sequence[Job]) -> None:
        self.each(
            rows, lambda job: services.cancel_job(job.id, viewer=self._viewer), _say_cancelled
        )

    @action("retry", lazy("Try again"))
    def action_retry(self, rows: Sequence[Job]) -> None:
        self.each(rows, lambda job: services.retry_job(job.id, viewer=self._viewer), _say_queued)

    def figures(self) -> list[Figure]:
        counts = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
        states = [
            Figure(
                _("Jobs: %(state)s", state=label),
                counts.get(state, 0),
                url_for("admin_jobs.index_view", flt_state=state.value),
                "failed" if state is JobState.FAILED and counts.get(state) else "",
            )
            for state, label in STATE_LABELS.items()
        ]
        return [*states, _runner()]

    @property
    def _viewer(self) -> Viewer:
        return Viewer(user_id=self.actor_id, sees_all=True)


VIEWS: list[type[AdminPage]] = [Jobs]


@goes_with("user")
def count_jobs(ids: Sequence[int]) -> dict[int, str]:
    """How many jobs lose their owner."""
    query = select(Job.owner_id, func.count()).where(Job.owner_id.in_(ids)).group_by(Job.owner_id)
    return {
        owner_id: _("the ownership of jobs: %(count)s", count=count)
        for owner_id, count in session.execute(query)
        if owner_id
    }


def _kinds() -> dict[str, str]:
    names = session.scalars(select(Job.kind).distinct().order_by(Job.kind))
    return {name: label_of(name) for name in names}


def _runner() -> Figure:
    workers = queries.list_live_workers()
    alive = any(worker.state is WorkerState.ALIVE for worker in workers)
    words = workers[0].state_label if workers and not alive else _("alive")
    return Figure(
        _("Job runner"),
        words if workers else _("not running"),
        url_for("job_operations.workers"),
        "done" if alive else "failed",
    )


def _progress(job: Job) -> Markup:
    text = f"{job.progress:.0%}" if job.state is not JobState.QUEUED else ""
    return Markup('<span class="num">{}</span> <span class="muted">{}</span>').format(
        text, progress_text(job) if job.active else ""
    )


def _owner(job: Job) -> Any:
    owner = session.get(User, job.owner_id) if job.owner_id else None
    return owner.display_name if owner else _("the portal")


def _arguments(job: Job) -> Markup:
    return Markup("<code>{}</code>").format(", ".join(f"{k}={v!r}" for k, v in job.args.items()))


def _say_cancelled(count: int) -> None:
    flash(_("Jobs cancelled or asked to stop: %(count)s", count=count), "success")


def _say_queued(count: int) -> None:
    flash(_("Jobs queued again: %(count)s", count=count), "success")
