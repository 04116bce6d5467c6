"""Training runs in the dashboard: how good each was, and the button for the next."""

from typing import Any

from flask import flash, redirect, url_for
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response

from dashboard.core.admin import AdminPage, AtriumModelView, Figure
from dashboard.core.admin.filters import Choice
from dashboard.core.admin.markup import state_tag
from dashboard.core.i18n import _, lazy
from dashboard.recommendations import queries, services
from dashboard.recommendations.charts import model_label, split_label
from dashboard.recommendations.models import RunState, TrainingRun

STATES: dict[str, Any] = {
    RunState.RUNNING: lazy("Running"),
    RunState.DONE: lazy("Completed"),
    RunState.REFUSED: lazy("Refused"),
    RunState.FAILED: lazy("Failed"),
}
# The tag's colour is named after the states of jobs.
COLOURS = {RunState.REFUSED: "queued"}
HEADS = (lazy("Model"), lazy("Split"), lazy("Recall"), "NDCG", "MAP", lazy("Coverage"))


class Runs(AtriumModelView):
    """Every training of the recommender."""

    model = TrainingRun
    slug, label, group, icon = "recommendations", lazy("Training runs"), lazy("Work"), "spark"
    description_text = lazy("Each run learns from all activity events and replaces the lists.")
    empty_text = lazy("Nothing has been trained yet.")
    column_list = ("id", "state", "is_current", "events", "started_at", "finished_at", "message")
    column_details_list = (*column_list, "metrics", "recipe", "artefact")
    column_export_list = (*("id", "state", "is_current", "started_at", "finished_at", "message"),)
    column_labels = {
        "id": lazy("Number"),
        "state": lazy("State"),
        "is_current": lazy("In use"),
        "events": lazy("Activity events"),
        "started_at": lazy("Started"),
        "finished_at": lazy("Finished"),
        "message": lazy("Message"),
        "metrics": lazy("Metrics"),
        "recipe": lazy("Recipe"),
        "artefact": lazy("File"),
    }
    column_sortable_list = ("started_at",)
    column_formatters = {
        "id": lambda _view, _context, run, _name: f"#{run.id}",
        "state": lambda _view, _context, run, _name: state_tag(
            COLOURS.get(run.state, run.state), STATES[run.state]
        ),
        "is_current": lambda _view, _context, run, _name: _("Yes") if run.is_current else "",
        "events": lambda _view, _context, run, _name: run.recipe.get("n_events", "–"),
        "metrics": lambda _view, _context, run, _name: _table(run.metrics),
        "recipe": lambda _view, _context, run, _name: _lines(run.recipe),
    }
    column_filters = (Choice("state", lazy("State"), TrainingRun.state, STATES),)

    def row_name(self, row: TrainingRun) -> str:
        return _("Run #%(number)s", number=row.id)

    def row_links(self, row: TrainingRun) -> list[tuple[str, str, Any]]:
        if row.job_id is None:
            return []
        return [(url_for("job_queue.job", job_id=row.job_id), "job", _("Page of this job"))]

    def page_links(self) -> list[tuple[str, str, Any]]:
        return [(url_for("recommendations.workspace"), "chart", _("Charts"))]

    def page_buttons(self) -> list[tuple[str, str, Any]]:
        return [(self.get_url(".train"), "play", _("Train now"))]

    @expose("/train/", methods=("POST",))
    def train(self) -> Response:
        """Queue a training and go to its job."""
        job = services.request_training(actor_id=self.actor_id)
        flash(_("Training is queued."), "success")
        return redirect(url_for("job_queue.job", job_id=job.id))

    def figures(self) -> list[Figure]:
        run = queries.find_current_run()
        value = f"{run.finished_at:%Y-%m-%d}" if run and run.finished_at else _("none yet")
        href = self.get_url("admin_recommendations.index_view")
        return [Figure(_("Recommendations trained"), value, href)]


VIEWS: list[type[AdminPage]] = [Runs]


def _table(metrics: list[dict[str, Any]]) -> Markup:
    """The metrics of a run, a line for each model and split."""
    heads = Markup().join(Markup('<th scope="col">{}</th>').format(head) for head in HEADS)
    lines = Markup().join(map(_line, metrics))
    # A page of details breaks words where it must; figures stay whole, and the table scrolls in its box.
    table = Markup(
        '<div class="table-responsive" tabindex="0" role="group" aria-label="{}">'
        '<table class="table text-nowrap"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    )
    return table.format(_("Metrics"), heads, lines) if metrics else Markup("–")


def _line(row: dict[str, Any]) -> Markup:
    figures = [f"{row[name]['value']:.3f}" for name in ("recall", "ndcg", "map")]
    cells = (split_label(row["split"]), *figures, f"{row['coverage']:.0%}")
    rest = Markup().join(Markup("<td>{}</td>").format(cell) for cell in cells)
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(model_label(row["model"]), rest)


def _lines(recipe: dict[str, Any]) -> Markup:
    entries = [
        Markup("<li><b>{}</b>: {}</li>").format(name, value) for name, value in recipe.items()
    ]
    return Markup('<ul class="dash-changes">{}</ul>').format(Markup().join(entries))
