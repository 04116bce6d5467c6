"""Training a model from a table, and what came of it."""

from flask import Response as FlaskResponse
from flask import flash, jsonify, redirect, render_template, url_for
from werkzeug.wrappers import Response

from dashboard.core.database import session
from dashboard.core.errors import DomainError
from dashboard.core.i18n import _
from dashboard.job_queue import queries as job_queue
from dashboard.job_queue.models import Job
from dashboard.job_queue.queries import Viewer as JobViewer
from dashboard.job_queue.result_pages import show_results_at
from dashboard.job_queue.status import status_of
from dashboard.serving import charts, queries, services
from dashboard.serving.callers import sent_file
from dashboard.serving.forms import TrainForm
from dashboard.serving.models import ModelTraining
from dashboard.serving.pages.blueprint import page_number, pages, viewer
from dashboard.serving.services.training import MAX_TABLE_BYTES

N_TRAININGS = 10


@pages.route("/models/train", methods=["GET", "POST"])
def train() -> str | Response:
    """Learn a model from a table."""
    form = TrainForm()
    if form.validate_on_submit():
        try:
            with sent_file() as (source, name):
                training = services.request_training(
                    source,
                    original_name=name,
                    name=form.name.data or "",
                    target=form.target.data or "",
                    algorithms=form.algorithms.data or [],
                    viewer=viewer(),
                )
            flash(_("Training is queued."), "success")
            return redirect(url_for("serving.training", training_id=training.id))
        except DomainError as error:
            form.show(error)
    trainings = queries.page_of_trainings(viewer(), page=page_number(), per_page=N_TRAININGS)
    return render_template(
        "serving/train.html", form=form, page=trainings, max_table_bytes=MAX_TABLE_BYTES
    )


@pages.get("/models/trainings/<int:training_id>")
def training(training_id: int) -> str:
    """How a training stands, or how good what it made is."""
    found = queries.get_training(training_id, viewer())
    jobs = (
        job_queue.list_jobs([found.job_id], JobViewer(user_id=None, sees_all=True))
        if found.job_id
        else []
    )
    # After its job: beside one that has ended no training may be without its result.
    session.refresh(found)
    return render_template(
        "serving/training.html",
        training=found,
        job=jobs[0] if jobs else None,
        status=status_of(jobs[0]) if jobs else None,
        charts=charts.training(found.metrics) if found.metrics else [],
        score_label=charts.score_label(found.metrics["task"]) if found.metrics else "",
    )


@pages.get("/models/trainings/<int:training_id>/recipe.json")
def training_recipe(training_id: int) -> FlaskResponse:
    """What it takes to train the same model again."""
    found: ModelTraining = queries.get_training(training_id, viewer())
    response = jsonify({"training": found.id, "job_id": found.job_id, **found.recipe})
    response.headers["Content-Disposition"] = (
        f'attachment; filename="training-{found.id}-recipe.json"'
    )
    return response


def _page_of_job(job: Job) -> str | None:
    found = session.get(ModelTraining, job.args["training_id"])
    return url_for("serving.training", training_id=found.id) if found else None


show_results_at("serving.train", _page_of_job)
