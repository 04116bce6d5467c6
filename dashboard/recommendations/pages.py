"""Pages: a learner's list and its reasons, the analysts' charts."""

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response as AnyResponse

from dashboard.catalogue import queries as catalogue
from dashboard.core.access import has_role
from dashboard.core.errors import NotFound
from dashboard.core.i18n import _
from dashboard.core.navigation import safe_target
from dashboard.core.plots import csv_text, json_text
from dashboard.recommendations import charts, queries, services
from dashboard.recommendations.charts import Chart
from dashboard.recommendations.models import STATE_LABELS, TrainingRun
from dashboard.recommendations.services.artefacts import find_model

pages = Blueprint("recommendations", __name__)

N_LIST, N_PANEL, N_RELATED, N_RUNS = 24, 8, 4, 20
MIME = {"csv": "text/csv", "json": "application/json"}


@pages.get("/recommendations")
def own_list() -> str:
    """Recommended for you, each with its reason."""
    own = queries.signals_of(current_user.id)
    return render_template(
        "recommendations/list.html",
        found=services.recommendations_for(current_user.id, n=N_LIST),
        dismissed=catalogue.list_items_by_id(list(own.dismissed)),
    )


@pages.get("/recommendations/panel")
def panel() -> str:
    """The part of the home page: for you, or what is popular."""
    found = (
        services.recommendations_for(current_user.id, n=N_PANEL)
        if current_user.is_authenticated
        else services.popular_items(n=N_PANEL)
    )
    return render_template("recommendations/panel.html", found=found)


@pages.get("/recommendations/related/<int:item_id>")
def related(item_id: int) -> str:
    """The part of an item's page: what people take as well."""
    found = services.related_items(item_id, n=N_RELATED, drafts=has_role("admin"))
    return render_template("recommendations/related.html", found=found)


@pages.get("/recommendations/<int:item_id>/why")
def why(item_id: int) -> str:
    """What of the reader's own behaviour speaks for an item."""
    explanation = services.explain(current_user.id, item_id)
    return render_template(
        "recommendations/why.html",
        explanation=explanation,
        chart=charts.contributions(explanation.reasons) if explanation.reasons else None,
    )


@pages.post("/recommendations/<int:item_id>/dismiss")
def dismiss(item_id: int) -> AnyResponse:
    """Not interested."""
    services.dismiss(user_id=current_user.id, item_id=item_id)
    flash(_("You will not see it among your recommendations again."), "success")
    return redirect(safe_target(request.form.get("next")) or url_for("recommendations.own_list"))


@pages.post("/recommendations/<int:item_id>/restore")
def restore(item_id: int) -> AnyResponse:
    """Interested after all."""
    services.restore(user_id=current_user.id, item_id=item_id)
    flash(_("It may be recommended to you again."), "success")
    return redirect(safe_target(request.form.get("next")) or url_for("recommendations.own_list"))


@pages.get("/workspace/recommendations")
def workspace() -> str:
    """How the recommender is doing: charts, metrics, runs."""
    runs = queries.list_done_runs(limit=N_RUNS)
    return render_template(
        "recommendations/workspace.html",
        run=queries.find_current_run(),
        charts=_charts(runs),
        runs=queries.list_runs(page=1, per_page=N_RUNS).items,
        model_label=charts.model_label,
        split_label=charts.split_label,
        state_labels=STATE_LABELS,
    )


@pages.post("/workspace/recommendations/train")
def train() -> AnyResponse:
    """Ask for a training and go to its job."""
    job = services.request_training(actor_id=current_user.id)
    flash(_("Training is queued."), "success")
    return redirect(url_for("job_queue.job", job_id=job.id))


@pages.get("/workspace/recommendations/recipe.json")
def recipe() -> AnyResponse:
    """What it takes to train the current run again."""
    run = queries.find_current_run()
    if run is None:
        raise NotFound()
    response = jsonify({"run": run.id, "job_id": run.job_id, **run.recipe})
    return _download(response, f"recommendations-{run.id}-recipe.json")


@pages.get(
    "/workspace/recommendations/<any(similarity,popularity,coverage,metrics,runs,people):name>.<any(csv,json):form>"
)
def chart_data(name: str, form: str) -> AnyResponse:
    """The table behind a chart."""
    chart = next((c for c in _charts(queries.list_done_runs(limit=N_RUNS)) if c.name == name), None)
    if chart is None:
        raise NotFound()
    text = (csv_text if form == "csv" else json_text)(chart.header, chart.rows)
    return _download(Response(text, mimetype=MIME[form]), f"{name}.{form}")


def _charts(runs: list[TrainingRun]) -> list[Chart]:
    """The charts of the current run; none before the first one."""
    model = find_model(queries.find_current_run())
    if model is None:
        return []
    titles = queries.titles_of(int(item) for item in model.item_ids.tolist())
    return charts.workspace(model, titles=titles, runs=runs)


def _download(response: AnyResponse, name: str) -> AnyResponse:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
