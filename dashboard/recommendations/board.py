"""What the analysts' pages show: charts and tables put together from runs, files and counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import current_app

from dashboard.catalogue import labels
from dashboard.core.database import utcnow
from dashboard.core.i18n import _
from dashboard.recommendations import charts, queries, services
from dashboard.recommendations.charts import Chart
from dashboard.recommendations.models import Source, TrainingRun
from dashboard.recommendations.queries import Shown
from dashboard.recommendations.services import artefacts
from dashboard.recommendations.services.config import event_weights
from dashboard.recommendations.services.publishing import BASELINE, SERVED

ONLINE_DAYS = 30
N_EXPERIMENTS = 5


@dataclass(frozen=True, slots=True)
class Table:
    """A table of counts."""

    name: str
    label: str
    header: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def list_charts(*, n_runs: int) -> list[Chart]:
    """The charts of the run in use; none before the first one."""
    run = queries.find_current_run()
    model = artefacts.find_model(run)
    if model is None or run is None:
        return []
    titles = queries.titles_of(int(item) for item in model.item_ids.tolist())
    # What is shown may be an older run: the figures of the current one stand last.
    runs = [each for each in queries.list_done_runs(limit=n_runs) if each.id != run.id]
    return charts.workspace(model, titles=titles, runs=[*runs, run])


def segment_tables() -> list[Table]:
    """Items, people and lists by kind, language and level of the items."""
    model = artefacts.find_model(queries.find_current_run())
    if model is None:
        return []
    ids = [int(each) for each in model.item_ids.tolist()]
    met = dict(zip(ids, model.item_counts.tolist(), strict=True))
    listed = dict(zip(ids, model.list_counts.tolist(), strict=True))
    facts = queries.facts_of(ids)
    header = (
        _("Items"),
        _("Interactions"),
        _("Share of the interactions"),
        _("In somebody’s list"),
    )
    tables = []
    for place, (name, label, words) in enumerate(
        (
            ("kind", _("Kind"), labels.KINDS),
            ("language", _("Language"), labels.LANGUAGES),
            ("level", _("Level"), labels.LEVELS),
        )
    ):
        groups: dict[str, list[int]] = {}
        for item_id, values in facts.items():
            groups.setdefault(values[place] or "", []).append(item_id)
        total = max(sum(met[item] for item in facts), 1)
        rows = [
            (
                words.get(value, "–"),
                len(items),
                sum(met[item] for item in items),
                f"{sum(met[item] for item in items) / total:.1%}",
                f"{sum(listed[item] > 0 for item in items) / len(items):.0%}",
            )
            for value, items in sorted(groups.items())
        ]
        tables.append(Table(name, label, (label, *header), rows))
    return tables


def usable_runs() -> list[TrainingRun]:
    """Runs that one click can show, newest first."""
    kept = queries.list_kept_runs(limit=current_app.config["ATRIUM"].recommendations.kept_runs)
    return [run for run in kept if artefacts.has_file(run)]


def figures_of(run: TrainingRun) -> dict[str, Mapping[str, float]]:
    """Figures of the served model and of popularity on the last item of everybody."""
    rows = {row["model"]: row for row in run.metrics if row["split"] == "leave-last-out"}
    return {
        name: rows[key] for name, key in (("served", SERVED), ("popular", BASELINE)) if key in rows
    }


def rating_table(run: TrainingRun) -> Table | None:
    """RMSE of foretold ratings, the best first; no rows for too few ratings, None where it was not measured."""
    found = run.recipe.get("ratings")
    if found is None:
        return None
    label = _("Ratings foretold")
    header = (_("Foretold from"), _("RMSE (stars)"), _("95 percent interval"))
    # Runs of former versions hold no intervals.
    intervals = found.get("rmse_intervals", {})
    errors = sorted(found["rmse"].items(), key=lambda each: each[1])
    rows = [
        (charts.rating_label(name), f"{error:.3f}", _interval(intervals.get(name)))
        for name, error in errors
    ]
    return Table("ratings", label, header, rows)


def _interval(bounds: Sequence[float] | None) -> str:
    return f"{bounds[0]:.3f} – {bounds[1]:.3f}" if bounds else "–"


def online_tables() -> list[Table]:
    """Shown, opened and watched in the last weeks, by place and by what spoke for the item."""
    since = utcnow() - timedelta(days=ONLINE_DAYS)
    header = (
        *(_("People"), _("Shown"), _("Opened"), _("Opened (percent)")),
        *(_("Watched after that"), _("Watched (percent of opened)")),
    )
    grounds = {
        "behaviour": _("Behaviour"),
        "content": _("Content"),
        "popular": _("Popular"),
        "pin": _("Picked for you"),
    }
    places = {
        Source.HOME.value: _("Home"),
        Source.LIST.value: _("Recommended for you"),
        Source.RELATED.value: _("People also took"),
    }
    return [
        Table(name, label, (label, *header), [_counts(row, words) for row in found])
        for name, label, words, found in (
            ("source", _("Where"), places, queries.shown_by("source", since=since)),
            ("ground", _("Why"), grounds, queries.shown_by("ground", since=since)),
        )
        if found
    ]


def list_outcomes() -> list[services.Outcome]:
    """The newest experiments with their figures, the running one first."""
    return [services.outcome_of(each) for each in queries.list_experiments(limit=N_EXPERIMENTS)]


def _counts(row: Shown, words: Mapping[str, str]) -> tuple[Any, ...]:
    return (
        words.get(row.group, row.group),
        row.n_people,
        row.n_shown,
        row.n_clicked,
        f"{100 * row.n_clicked / row.n_shown:.1f}" if row.n_shown else "–",
        row.n_watched,
        f"{100 * row.n_watched / row.n_clicked:.1f}" if row.n_clicked else "–",
    )


def weights_table() -> Table:
    """What an event of each kind says of a learner."""
    weights = event_weights()
    rows: list[tuple[Any, ...]] = [
        (_("Introduction page opened"), f"{weights.view:g}"),
        (_("Video downloaded"), f"{weights.download:g}"),
        (_("Video watched to its end; a part counts as much as its share"), f"{weights.watch:g}"),
        (_("Five stars; each star less takes a third away"), f"{weights.rating:g}"),
        (_("Favourite"), f"{weights.favourite:g}"),
        (_("One or two stars, left out, not interested"), _("takes the item out")),
    ]
    return Table("weights", _("What counts how much"), (_("Event"), _("Weight")), rows)
