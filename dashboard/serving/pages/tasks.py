"""Prediction tasks: of one deployment, of all, one task, its result, batches by file."""

from flask import flash, redirect, render_template, request, send_file, url_for
from flask_security import current_user
from werkzeug.wrappers import Response

from dashboard.core.database import session
from dashboard.core.errors import Conflict, DomainError
from dashboard.core.i18n import _
from dashboard.job_queue import queries as job_queue
from dashboard.job_queue.models import Job
from dashboard.job_queue.queries import Viewer as JobViewer
from dashboard.job_queue.result_pages import show_results_at
from dashboard.job_queue.status import JobStatus, status_of
from dashboard.serving import queries, services
from dashboard.serving.callers import sent_file
from dashboard.serving.models import TASK_LABELS, PredictionTask, Right
from dashboard.serving.pages.blueprint import PER_PAGE, page_number, pages, viewer
from dashboard.serving.services import fields

MIME = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}
SHOWN_RECORDS = 20


@pages.get("/predictions")
def task_list() -> str:
    """Every task one may see, newest first."""
    return _list(None)


@pages.get("/deployments/<int:deployment_id>/tasks")
def deployment_tasks(deployment_id: int) -> str:
    """The tasks of one deployment, newest first."""
    return _list(deployment_id)


@pages.post("/deployments/<int:deployment_id>/batch")
def batch_new(deployment_id: int) -> Response:
    """Predict every row of a file."""
    deployment = queries.get_deployment(deployment_id, viewer(), right=Right.USE)
    try:
        with sent_file() as (source, name):
            task = services.submit_batch(
                deployment,
                source,
                original_name=name,
                result_format=request.form.get("result_format", ""),
                outputs=request.form.getlist("outputs"),
                owner_id=current_user.id,
            )
        return redirect(url_for("serving.task", public_id=task.public_id))
    except DomainError as error:
        texts = [f"{each.field}: {each.message}" for each in error.problems] or [error.message]
        flash(" ".join(texts), "warning")
        return redirect(
            url_for(
                "serving.deployment_test",
                deployment_id=deployment_id,
                # What came in pieces need not come again.
                upload=request.form.get("upload") or None,
                _anchor="batch",
            )
        )


@pages.get("/predictions/<public_id>")
def task(public_id: str) -> str:
    """Everything about one task."""
    found = queries.get_task(public_id, viewer())
    jobs = _jobs([found])
    rows = services.first_results(found, n=SHOWN_RECORDS)
    records = [row.get("outputs") or {"error": row["error"]} for row in rows]
    return render_template(
        "serving/task.html",
        task=found,
        job=jobs.get(found.job_id),
        status=_statuses(jobs).get(found.job_id),
        records=records,
        columns=fields.columns_of_records(records),
    )


@pages.get("/predictions/<public_id>/result")
def task_result(public_id: str) -> Response:
    """The result as a file."""
    found = queries.get_task(public_id, viewer())
    return send_file(
        services.result_path(found),
        mimetype=MIME[found.result_format],
        as_attachment=True,
        download_name=f"{found.public_id}.{found.result_format}",
    )


@pages.post("/predictions/<public_id>/cancel")
def task_cancel(public_id: str) -> Response:
    """End a task."""
    found = queries.get_task(public_id, viewer())
    try:
        services.cancel_task(found)
        flash(_("The task is cancelled."), "success")
    except Conflict as error:
        flash(error.message, "warning")
    return redirect(url_for("serving.task", public_id=public_id))


def _list(deployment_id: int | None) -> str:
    deployment = (
        queries.get_deployment(deployment_id, viewer()) if deployment_id is not None else None
    )
    state = request.args.get("state", "")
    found = queries.page_of_tasks(
        viewer(), deployment_id=deployment_id, state=state, page=page_number(), per_page=PER_PAGE
    )
    jobs = _jobs(found.items)
    return render_template(
        "serving/tasks.html",
        page=found,
        deployment=deployment,
        jobs=jobs,
        statuses=_statuses(jobs),
        states=TASK_LABELS,
        wanted=state,
    )


def _jobs(tasks: list[PredictionTask]) -> dict[int | None, Job]:
    """The jobs of the tasks by id: whoever may see a task may see how its job stands."""
    ids = [each.job_id for each in tasks if each.job_id is not None]
    everybody = JobViewer(user_id=None, sees_all=True)
    found: dict[int | None, Job] = {}
    if ids:
        found |= {job.id: job for job in job_queue.list_jobs(ids, everybody)}
    # After the jobs: beside a job that has ended no task may seem to run, for nothing would change that on the page.
    services.catch_up(tasks)
    return found


def _statuses(jobs: dict[int | None, Job]) -> dict[int | None, JobStatus]:
    return {job_id: status_of(job) for job_id, job in jobs.items()}


def _page_of_job(job: Job) -> str | None:
    found = session.get(PredictionTask, job.args["task_id"])
    return url_for("serving.task", public_id=found.public_id) if found else None


for _kind in ("serving.predict", "serving.predict_batch"):
    show_results_at(_kind, _page_of_job)
