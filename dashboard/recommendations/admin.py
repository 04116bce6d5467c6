"""Training runs in the dashboard: how good each was, and the button for the next."""

from typing import Any

from flask import flash, redirect, url_for
from flask_admin import expose
from flask_admin.actions import action
from flask_admin.form import BaseForm
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import DateTimeLocalField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from dashboard.catalogue import queries as catalogue
from dashboard.core.admin import AdminPage, AtriumModelView, Figure
from dashboard.core.admin.filters import Choice
from dashboard.core.admin.markup import state_tag
from dashboard.core.i18n import _, lazy
from dashboard.core.ids import MAX_ID
from dashboard.recommendations import queries, services
from dashboard.recommendations.charts import model_label, split_label
from dashboard.recommendations.models import (
    RecommendationRule,
    RuleEffect,
    RunState,
    TrainingRun,
)

STATES: dict[str, Any] = {
    RunState.RUNNING: lazy("Running"),
    RunState.DONE: lazy("Completed"),
    RunState.REFUSED: lazy("Refused"),
    RunState.HELD: lazy("Held back"),
    RunState.FAILED: lazy("Failed"),
}
# The tag's colour is named after the states of jobs.
COLOURS = {RunState.REFUSED: "queued", RunState.HELD: "queued"}
EFFECTS: dict[str, Any] = {
    RuleEffect.PIN.value: lazy("Put first"),
    RuleEffect.EXCLUDE.value: lazy("Leave out"),
}
AUDIENCES: dict[str, Any] = {
    "": lazy("Everybody"),
    "learner": lazy("Learners"),
    "analyst": lazy("Analysts"),
    "admin": lazy("Administrators"),
}
LANGUAGES: dict[str, Any] = {"": lazy("Every language"), "en": "English", "zh": "中文"}
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
        return [(url_for("recommendations_workspace.overview"), "chart", _("Charts"))]

    def page_buttons(self) -> list[tuple[str, str, Any]]:
        return [(self.get_url(".train"), "play", _("Train now"))]

    @expose("/train/", methods=("POST",))
    def train(self) -> Response:
        """Queue a training and go to its job."""
        job = services.request_training(actor_id=self.actor_id)
        flash(_("Training is queued."), "success")
        return redirect(url_for("job_queue.job", job_id=job.id))

    @action(
        "use",
        lazy("Show this run"),
        lazy("Do you want to show the lists of this run from now on?"),
    )
    def action_use(self, rows: list[TrainingRun]) -> None:
        """Go back, or forward, to a run by one click."""
        if len(rows) != 1:
            flash(_("Select exactly one run."), "danger")
            return
        self.each(
            rows,
            lambda run: services.use_run(run.id, actor_id=self.actor_id),
            lambda _count: flash(_("Run #%(run)s is shown now.", run=rows[0].id), "success"),
        )

    def figures(self) -> list[Figure]:
        run = queries.find_current_run()
        value = f"{run.finished_at:%Y-%m-%d}" if run and run.finished_at else _("none yet")
        href = self.get_url("admin_recommendations.index_view")
        return [Figure(_("Recommendations trained"), value, href)]


class RuleForm(BaseForm):
    """A rule about one item."""

    effect = SelectField(lazy("Effect"), choices=list(EFFECTS.items()))
    item_id = IntegerField(
        lazy("Course or position"),
        description=lazy("Its number, as the lists of courses and positions show it."),
        validators=[InputRequired(message=lazy("Enter a number.")), NumberRange(1, MAX_ID)],
    )
    audience = SelectField(lazy("For whom"), choices=list(AUDIENCES.items()))
    language = SelectField(lazy("Readers of"), choices=list(LANGUAGES.items()))
    ends_at = DateTimeLocalField(
        lazy("Until (UTC)"), validators=[Optional()], description=lazy("Empty: without an end.")
    )
    note = StringField(lazy("Note"), validators=[Length(max=200)])


class Rules(AtriumModelView):
    """Items that come first, and items that are never recommended."""

    model = RecommendationRule
    slug, label, group, icon = (
        "recommendation-rules",
        lazy("Recommendation rules"),
        lazy("Work"),
        "spark",
    )
    description_text = lazy("Up to three pinned items open a list; excluded ones are in none.")
    empty_text = lazy("Lists follow behaviour alone.")
    can_create = can_edit = can_delete = True
    create_fields = edit_fields = RuleForm
    column_list = ("id", "effect", "item_id", "audience", "language", "ends_at", "note")
    column_details_list = (*column_list, "created_at")
    column_export_list = (*column_list,)
    column_labels = {
        "id": lazy("Number"),
        "effect": lazy("Effect"),
        "item_id": lazy("Course or position"),
        "audience": lazy("For whom"),
        "language": lazy("Readers of"),
        "ends_at": lazy("Until (UTC)"),
        "note": lazy("Note"),
        "created_at": lazy("Created"),
    }
    column_formatters = {
        "effect": lambda _view, _context, rule, _name: EFFECTS[rule.effect],
        "audience": lambda _view, _context, rule, _name: AUDIENCES[rule.audience],
        "language": lambda _view, _context, rule, _name: LANGUAGES[rule.language],
        "item_id": lambda _view, _context, rule, _name: _item_name(rule.item_id),
    }
    column_filters = (Choice("effect", lazy("Effect"), RecommendationRule.effect, EFFECTS),)

    def row_name(self, row: RecommendationRule) -> str:
        return f"{EFFECTS[row.effect]}: {_item_name(row.item_id)}"

    def create(self, form: Any) -> RecommendationRule:
        return services.create_rule(_fields(form), actor_id=self.actor_id)

    def update(self, row: RecommendationRule, form: Any) -> None:
        services.update_rule(row.id, _fields(form), actor_id=self.actor_id)

    def delete(self, row: RecommendationRule) -> None:
        services.delete_rule(row.id, actor_id=self.actor_id)


VIEWS: list[type[AdminPage]] = [Runs, Rules]


def _fields(form: Any) -> services.RuleFields:
    return services.RuleFields(
        effect=form.effect.data,
        item_id=form.item_id.data,
        audience=form.audience.data,
        language=form.language.data,
        ends_at=form.ends_at.data,
        note=form.note.data or "",
    )


def _item_name(item_id: int) -> str:
    found = catalogue.list_items_by_id([item_id], drafts=True)
    return f"{found[0].title} (#{item_id})" if found else f"#{item_id}"


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
    figures = [_interval(row[name]) for name in ("recall", "ndcg", "map")]
    cells = (split_label(row["split"]), *figures, f"{row['coverage']:.0%}")
    rest = Markup().join(Markup("<td>{}</td>").format(cell) for cell in cells)
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(model_label(row["model"]), rest)


def _interval(figure: dict[str, float]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f} – {figure['high']:.3f})"


def _lines(recipe: dict[str, Any]) -> Markup:
    entries = [
        Markup("<li><b>{}</b>: {}</li>").format(name, value) for name, value in recipe.items()
    ]
    return Markup('<ul class="dash-changes">{}</ul>').format(Markup().join(entries))
