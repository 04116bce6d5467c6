"""The pages of whoever runs the portal: how the queue does, workers, what failed; and the metrics."""

from http import HTTPStatus

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from dashboard.core.i18n import _
from dashboard.job_queue import metrics as job_metrics
from dashboard.job_queue import queries, removal, services
from dashboard.job_queue.charts import queue_charts
from dashboard.job_queue.pages import viewer
from dashboard.job_queue.publishing import get_broker
from jobs.broker import BrokerUnavailable, DeadLetter

operations = Blueprint("job_operations", __name__)

DAY_MIN = 24 * 60
N_LETTERS = 50
MAX_BODY = 300


@operations.get("/jobs/queue")
def queue() -> str:
    """The last day in charts."""
    charts = queue_charts(queries.list_samples(minutes=DAY_MIN), queries.list_ends(minutes=DAY_MIN))
    return render_template("job_queue/queue.html", charts=charts)


@operations.get("/jobs/workers")
def workers() -> str:
    """Who runs jobs, and which."""
    return _workers("job_queue/workers.html")


@operations.get("/jobs/workers/list")
def worker_list() -> str:
    """The same without the page, for the script that keeps it up to date."""
    return _workers("job_queue/_workers.html")


@operations.post("/jobs/workers/drain")
def drain() -> AnyResponse:
    """Have a worker finish what it runs and take nothing more."""
    services.drain_worker(request.form.get("name", "")[:80], viewer=viewer())
    flash(_("The worker takes no more jobs until it is resumed."), "success")
    return redirect(url_for("job_operations.workers"))


@operations.post("/jobs/workers/resume")
def resume() -> AnyResponse:
    """Have a drained worker take jobs again."""
    services.resume_worker(request.form.get("name", "")[:80], viewer=viewer())
    flash(_("The worker takes jobs again within seconds."), "success")
    return redirect(url_for("job_operations.workers"))


@operations.get("/jobs/dead-letters")
def dead_letters() -> str:
    """What failed for good, and messages that nobody could read."""
    letters, unreachable = _letters()
    return render_template(
        "job_queue/dead_letters.html",
        failures=queries.list_failures(),
        letters=[(letter.queue, _shown(letter.body)) for letter in letters],
        unreachable=unreachable,
    )


@operations.post("/jobs/dead-letters/retry")
def retry_alike() -> AnyResponse:
    """Queue again the failed jobs of one kind with one reason."""
    kind, error = request.form.get("kind", ""), request.form.get("error", "")
    n_queued, n_left = services.retry_alike(kind=kind, error=error, viewer=viewer())
    if n_queued:
        flash(_("Jobs queued again: %(count)s", count=n_queued), "success")
    if n_left:
        text = _("Jobs left, because the same work waits or runs already: %(count)s", count=n_left)
        flash(text, "warning")
    return redirect(url_for("job_operations.dead_letters"))


@operations.post("/jobs/dead-letters/remove")
def remove_alike() -> AnyResponse:
    """Remove the failed jobs of one kind with one reason."""
    kind, error = request.form.get("kind", ""), request.form.get("error", "")
    n_removed = removal.remove_alike(kind=kind, error=error, viewer=viewer())
    flash(_("Jobs removed: %(count)s", count=n_removed), "success")
    return redirect(url_for("job_operations.dead_letters"))


@operations.post("/jobs/dead-letters/messages")
def settle_letters() -> AnyResponse:
    """Send the unreadable messages once more, or remove them."""
    broker, what = get_broker(), request.form.get("what")
    if what not in ("requeue", "purge"):
        abort(HTTPStatus.BAD_REQUEST)
    try:
        if what == "requeue":
            text = _("Messages sent again: %(count)s", count=broker.requeue_dead_letters())
        else:
            text = _("Messages removed: %(count)s", count=broker.purge_dead_letters())
        flash(text, "success")
    except BrokerUnavailable:
        flash(_("The message broker cannot be reached."), "warning")
    return redirect(url_for("job_operations.dead_letters"))


@operations.get("/metrics")
def metrics() -> Response:
    """For Prometheus, with an administrator's API token (Authorization: Bearer)."""
    return Response(job_metrics.text(), content_type=job_metrics.CONTENT_TYPE)


def _workers(template: str) -> str:
    live = {worker.name for worker in queries.list_live_workers()}
    return render_template(template, workers=queries.list_workers(), live=live)


def _letters() -> tuple[list[DeadLetter], bool]:
    try:
        return get_broker().dead_letters(limit=N_LETTERS), False
    except BrokerUnavailable:
        return [], True


def _shown(body: bytes) -> str:
    return body[:MAX_BODY].decode("utf-8", "backslashreplace")
