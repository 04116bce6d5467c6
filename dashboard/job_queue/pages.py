"""The pages of jobs: one's own for everyone, all for administrators."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response

from dashboard.core.access import has_role
from dashboard.core.errors import Conflict
from dashboard.core.i18n import _
from dashboard.core.navigation import safe_target
from dashboard.job_queue import notices, queries, services
from dashboard.job_queue.expectations import expect
from dashboard.job_queue.kinds import label_of
from dashboard.job_queue.models import STATE_LABELS, JobState
from dashboard.job_queue.queries import Viewer
from dashboard.job_queue.reasons import reason_of
from dashboard.job_queue.result_pages import result_page_of
from dashboard.job_queue.status import status_of

pages = Blueprint("job_queue", __name__)

PER_PAGE = 25
MAX_PAGE = 1_000_000


@pages.app_context_processor
def _helpers() -> dict[str, Any]:
    return {"kind_label": label_of, "reason_of": reason_of, "own_notices": own_notices}


def own_notices() -> notices.Notices:
    """What is told to whoever looks."""
    return notices.list_notices(current_user.id)


def viewer() -> Viewer:
    """Whoever looks."""
    return Viewer(user_id=current_user.id, sees_all=has_role("admin"))


@pages.get("/jobs")
def job_list() -> str:
    """Jobs by state and kind, newest first."""
    state, kind = _wanted_state(), request.args.get("kind", "")[:80]
    number = min(request.args.get("page", 1, type=int), MAX_PAGE)
    found = queries.page_of_jobs(viewer(), state=state, kind=kind, page=number, per_page=PER_PAGE)
    return render_template(
        "job_queue/list.html",
        page=found,
        statuses={job.id: status_of(job) for job in found.items},
        owners=queries.names_of_owners(found.items) if viewer().sees_all else {},
        states=STATE_LABELS,
        kinds=queries.list_kinds(viewer()),
        wanted={"state": state, "kind": kind},
        sees_all=viewer().sees_all,
    )


@pages.get("/jobs/<int:job_id>", endpoint="job")
def job_detail(job_id: int) -> str:
    """Everything about one job."""
    job = queries.get_job(job_id, viewer())
    return render_template(
        "job_queue/detail.html",
        job=job,
        result_page=result_page_of(job),
        status=status_of(job),
        events=queries.list_events(job),
        expected=expect(job),
        log=queries.read_log(job),
        owners=queries.names_of_owners([job]),
        sees_all=viewer().sees_all,
    )


@pages.post("/jobs/<int:job_id>/cancel")
def cancel(job_id: int) -> Response:
    """End a job."""
    try:
        services.cancel_job(job_id, viewer=viewer())
        flash(_("The job is being cancelled."), "success")
    except Conflict as error:
        flash(error.message, "warning")
    return redirect(url_for("job_queue.job", job_id=job_id))


@pages.post("/jobs/<int:job_id>/retry")
def retry(job_id: int) -> Response:
    """Queue a job again."""
    try:
        services.retry_job(job_id, viewer=viewer())
        flash(_("The job is queued again."), "success")
    except Conflict as error:
        flash(error.message, "warning")
    return redirect(url_for("job_queue.job", job_id=job_id))


@pages.post("/jobs/clean-up")
def clean_up() -> Response:
    """Queue the job that removes old jobs."""
    job = services.request_clean_up(actor_id=current_user.id)
    return redirect(url_for("job_queue.job", job_id=job.id))


@pages.get("/notices", endpoint="notices")
def notice_list() -> str:
    """The bell of the header with what hangs on it, for the script that keeps it up to date."""
    return render_template("job_queue/notices.html")


@pages.post("/notices/<int:job_id>")
def read_notice(job_id: int) -> Response:
    """Go to what a job made; its notice is read then."""
    job = queries.get_job(job_id, viewer())
    notices.mark_read(job_id, owner_id=current_user.id)
    return redirect(result_page_of(job))


@pages.post("/notices/read")
def read_notices() -> Response:
    """Mark all notices as read, and go back to where she was."""
    notices.mark_all_read(current_user.id)
    came_from = urlsplit(request.referrer or "")
    back = came_from._replace(scheme="", netloc="").geturl()
    own = came_from.netloc == request.host
    return redirect((own and safe_target(back)) or url_for("job_queue.job_list"))


def _wanted_state() -> JobState | None:
    try:
        return JobState(request.args.get("state", ""))
    except ValueError:
        return None
