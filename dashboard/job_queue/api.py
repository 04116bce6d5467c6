"""Jobs over the API."""

from http import HTTPStatus
from typing import Any

from flask import jsonify, request
from flask.views import MethodView
from flask_security import current_user
from werkzeug.wrappers import Response

from dashboard.core.access import has_role
from dashboard.core.api import ApiBlueprint
from dashboard.core.database import Page
from dashboard.job_queue import queries, services
from dashboard.job_queue.models import Job
from dashboard.job_queue.queries import LogPart, Viewer
from dashboard.job_queue.schemas import (
    JobDetail,
    JobDetailSchema,
    JobListArgs,
    JobPageSchema,
    LogArgs,
    LogSchema,
    ProgressSchema,
    StatusArgs,
    StatusSchema,
)
from dashboard.job_queue.status import POLL_ACTIVE_S, POLL_IDLE_S, JobStatus, status_of

api = ApiBlueprint(
    "job_queue_api",
    __name__,
    description="Your jobs: state, progress, log, cancel and retry. Administrators see all.",
)


def viewer() -> Viewer:
    """Whoever asks."""
    return Viewer(user_id=current_user.id, sees_all=has_role("admin"))


@api.route("/jobs")
class Jobs(MethodView):
    """Your jobs, newest first."""

    @api.arguments(JobListArgs, location="query")
    @api.response(HTTPStatus.OK, JobPageSchema)
    def get(self, wanted: dict[str, Any]) -> Page[Job]:
        """A page of your jobs."""
        return queries.page_of_jobs(viewer(), **wanted)


@api.route("/jobs/status")
class JobsStatus(MethodView):
    """How far several jobs are: one request for everything a page shows."""

    @api.arguments(StatusArgs, location="query")
    @api.response(HTTPStatus.OK, StatusSchema)
    @api.alt_response(HTTPStatus.NOT_MODIFIED, description="Nothing changed since that ETag.")
    def get(self, wanted: dict[str, Any]) -> Response:
        """How far these jobs are; 304 when nothing changed since the ETag you name."""
        items = [status_of(job) for job in queries.list_jobs(wanted["ids"], viewer())]
        poll_s = POLL_ACTIVE_S if any(item.active for item in items) else POLL_IDLE_S
        response = jsonify(StatusSchema().dump({"items": items, "poll_s": poll_s}))
        response.add_etag(weak=True)
        return response.make_conditional(request)


@api.route("/jobs/<int:job_id>")
class JobById(MethodView):
    """One job."""

    @api.response(HTTPStatus.OK, JobDetailSchema)
    @api.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    def get(self, job_id: int) -> JobDetail:
        """The job with its timeline and result."""
        return _detail(queries.get_job(job_id, viewer()))


@api.route("/jobs/<int:job_id>/progress.json")
class JobProgress(MethodView):
    """How far one job is."""

    @api.response(HTTPStatus.OK, ProgressSchema)
    @api.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    def get(self, job_id: int) -> JobStatus:
        """State, fraction and message."""
        return status_of(queries.get_job(job_id, viewer()))


@api.route("/jobs/<int:job_id>/log")
class JobLog(MethodView):
    """What a job has logged."""

    @api.arguments(LogArgs, location="query")
    @api.response(HTTPStatus.OK, LogSchema)
    @api.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    def get(self, wanted: dict[str, Any], job_id: int) -> LogPart:
        """Whole lines from `offset` on; ask again from `next_offset`."""
        return queries.read_log(queries.get_job(job_id, viewer()), **wanted)


@api.route("/jobs/<int:job_id>/cancel")
class JobCancel(MethodView):
    """Ends a job."""

    @api.response(HTTPStatus.ACCEPTED, JobDetailSchema)
    @api.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    @api.alt_response(HTTPStatus.CONFLICT, "CONFLICT")
    def post(self, job_id: int) -> JobDetail:
        """Cancel: at once while it waits, within seconds while it runs."""
        return _detail(services.cancel_job(job_id, viewer=viewer()))


@api.route("/jobs/<int:job_id>/retry")
class JobRetry(MethodView):
    """Queues a job again."""

    @api.response(HTTPStatus.ACCEPTED, JobDetailSchema)
    @api.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    @api.alt_response(HTTPStatus.CONFLICT, "CONFLICT")
    def post(self, job_id: int) -> JobDetail:
        """Try a failed or cancelled job again."""
        return _detail(services.retry_job(job_id, viewer=viewer()))


def _detail(job: Job) -> JobDetail:
    return JobDetail(job, queries.queue_position(job), queries.list_events(job))
