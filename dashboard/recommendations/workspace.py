"""Pages of analysts: charts, runs, comparison, experiments; how lists are made."""

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response as AnyResponse

from dashboard.core.errors import DomainError, NotFound
from dashboard.core.i18n import _
from dashboard.core.plots import csv_text, json_text
from dashboard.recommendations import board, charts, queries, services
from dashboard.recommendations.forms import ExperimentForm, ListSettingsForm
from dashboard.recommendations.models import STATE_LABELS
from jobs.engines.collaborative_filtering import FEWEST_RATINGS

workspace = Blueprint(
    "recommendations_workspace", __name__, url_prefix="/workspace/recommendations"
)

N_RUNS = 20
MIME = {"csv": "text/csv", "json": "application/json"}


@workspace.get("")
def overview() -> str:
    """How the recommender is doing: charts and metrics of the run in use."""
    return render_template(
        "recommendations/workspace.html",
        run=queries.find_current_run(),
        charts=board.list_charts(n_runs=N_RUNS),
        tables=board.segment_tables(),
        rating_table=board.rating_table,
        fewest_ratings=FEWEST_RATINGS,
        model_label=charts.model_label,
        split_label=charts.split_label,
    )


@workspace.get("/runs")
def runs() -> str:
    """Every training, what is served, and what people did with it."""
    return render_template(
        "recommendations/runs.html",
        runs=queries.list_runs(page=1, per_page=N_RUNS).items,
        usable=board.usable_runs(),
        online=board.online_tables(),
        experiments=board.list_outcomes(),
        form=ExperimentForm.of_runs(board.usable_runs()),
        state_labels=STATE_LABELS,
        figures=board.figures_of,
        rating_table=board.rating_table,
        served_label=charts.served_label,
    )


@workspace.post("/train")
def train() -> AnyResponse:
    """Ask for a training and go to its job."""
    job = services.request_training(actor_id=current_user.id, model=request.form.get("model", ""))
    flash(_("Training is queued."), "success")
    return redirect(url_for("job_queue.job", job_id=job.id))


@workspace.post("/runs/<int:run_id>/use")
def use(run_id: int) -> AnyResponse:
    """Show this run from now on: back to an older one, or on to one that was held back."""
    services.use_run(run_id, actor_id=current_user.id)
    flash(_("Run #%(run)s is shown now.", run=run_id), "success")
    return redirect(url_for(".runs"))


@workspace.post("/experiment")
def experiment() -> AnyResponse:
    """Show two runs side by side."""
    form = ExperimentForm.of_runs(board.usable_runs())
    if not form.validate_on_submit():
        for errors in form.errors.values():
            flash(errors[0], "danger")
        return redirect(url_for(".runs"))
    try:
        services.start_experiment(**form.wanted(), actor_id=current_user.id)
        flash(_("The experiment is running."), "success")
    except DomainError as error:
        flash(error.message, "danger")
    return redirect(url_for(".runs"))


@workspace.post("/experiment/stop")
def stop_experiment() -> AnyResponse:
    """End the experiment; its figures stay."""
    services.stop_experiment(actor_id=current_user.id)
    flash(_("The experiment has ended; everybody sees the run in use again."), "success")
    return redirect(url_for(".runs"))


@workspace.route("/lists", methods=("GET", "POST"))
def lists() -> AnyResponse | str:
    """How lists are made: variety, popularity, content, language."""
    form = ListSettingsForm(obj=queries.get_settings())
    if form.validate_on_submit():
        services.set_list_settings(**form.wanted(), actor_id=current_user.id)
        flash(_("Saved. The next list of everybody follows it."), "success")
        return redirect(url_for(".lists"))
    return render_template("recommendations/lists.html", form=form, weights=board.weights_table())


@workspace.get("/recipe.json")
def recipe() -> AnyResponse:
    """What it takes to train the current run again."""
    run = queries.find_current_run()
    if run is None:
        raise NotFound()
    times = {
        name: f"{moment.isoformat(timespec='seconds')}Z" if moment else None
        for name, moment in (("started_at", run.started_at), ("finished_at", run.finished_at))
    }
    response = jsonify({"run": run.id, "job_id": run.job_id, **times, **run.recipe})
    return _download(response, f"recommendations-{run.id}-recipe.json")


@workspace.get("/<name>.<any(csv,json):form>")
def chart_data(name: str, form: str) -> AnyResponse:
    """The table behind a chart."""
    chart = next((c for c in board.list_charts(n_runs=N_RUNS) if c.name == name), None)
    if chart is None:
        raise NotFound()
    text = (csv_text if form == "csv" else json_text)(chart.header, chart.rows)
    return _download(Response(text, mimetype=MIME[form]), f"{name}.{form}")


def _download(response: AnyResponse, name: str) -> AnyResponse:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
