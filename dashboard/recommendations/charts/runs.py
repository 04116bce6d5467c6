"""Charts about training runs: how good each is, and how that went from run to run."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard.core.i18n import _
from dashboard.core.plots import PALETTE, figure
from dashboard.recommendations.charts.chart import (
    HEIGHT,
    Chart,
    model_label,
    split_label,
)
from dashboard.recommendations.models import TrainingRun
from dashboard.recommendations.services.publishing import BASELINE, SERVED
from jobs.engines.collaborative_filtering import SegmentRow


def metrics(rows: Sequence[Mapping[str, Any]]) -> Chart:
    """Recall of every model on held-out data, with the interval that chance allows."""
    splits = list(dict.fromkeys(row["split"] for row in rows))
    drawn = figure(
        *[_recall_bars([r for r in rows if r["split"] == split], split) for split in splits],
        height=HEIGHT,
        barmode="group",
        yaxis={"title": {"text": _("Recall")}, "rangemode": "tozero"},
    )
    header = (
        *(_("Model"), _("Split"), "k", _("Judged people")),
        *(_("Recall"), _("Recall, low"), _("Recall, high")),
        *("NDCG", _("NDCG, low"), _("NDCG, high"), "MAP", _("MAP, low"), _("MAP, high")),
        *(_("Coverage"), _("Share of popular items"), _("Novelty (bits)")),
    )
    return Chart(
        "metrics", _("Held-out data: models and baselines"), drawn, header, [_flat(r) for r in rows]
    )


def metrics_over_runs(runs: Sequence[TrainingRun]) -> Chart:
    """How recall went from run to run, what is served beside the popularity baseline."""
    lines = {name: _series(runs, name) for name in (SERVED, BASELINE)}
    drawn = figure(
        *[
            _line(points, model_label(name), PALETTE[n])
            for n, (name, points) in enumerate(lines.items())
        ],
        height=HEIGHT,
        xaxis={"title": {"text": _("Training run")}, "type": "category"},
        yaxis={"title": {"text": _("Recall")}, "rangemode": "tozero"},
    )
    rows = [
        (run, model_label(name), *values) for name, all_ in lines.items() for run, *values in all_
    ]
    header = (_("Training run"), _("Model"), _("Recall"), _("Recall, low"), _("Recall, high"))
    return Chart(
        "runs", _("Recall from run to run, with 95 percent intervals"), drawn, header, rows
    )


def coverage_over_runs(runs: Sequence[TrainingRun]) -> Chart:
    """How much of the catalogue the judged lists of every run show."""
    rows = [
        (f"#{run.id}", round(row["coverage"], 6), round(row["popularity_share"], 6))
        for run in runs
        for row in run.metrics
        if row["model"] == SERVED and row["split"] == "leave-last-out"
    ]
    drawn = figure(
        *[
            go.Scatter(
                x=[row[0] for row in rows],
                y=[100 * row[column] for row in rows],
                name=name,
                mode="lines+markers",
                line={"color": PALETTE[column - 1]},
            )
            for column, name in (
                (1, _("Items in somebody\u2019s list")),
                (2, _("Places taken by the most popular tenth")),
            )
        ],
        height=320,
        xaxis={"title": {"text": _("Training run")}, "type": "category"},
        yaxis={"title": {"text": "%"}, "range": [0, 100]},
    )
    header = (_("Training run"), _("Coverage"), _("Share of popular items"))
    return Chart("coverage_runs", _("Coverage from run to run"), drawn, header, rows)


def segments(found: Sequence[SegmentRow]) -> Chart:
    """How good the lists are for short and for long histories."""
    rows = [
        (
            *(each.segment, each.n_users),
            *(round(v, 4) for v in (each.recall.value, each.recall.low, each.recall.high)),
            *(round(v, 4) for v in (each.ndcg.value, each.ndcg.low, each.ndcg.high)),
        )
        for each in found
    ]
    figures = [{"value": e.recall.value, "low": e.recall.low, "high": e.recall.high} for e in found]
    drawn = figure(
        go.Bar(
            x=[each.segment for each in found],
            y=[each["value"] for each in figures],
            marker={"color": PALETTE[0]},
            error_y=_interval(figures),
            text=[_("%(n)s people", n=each.n_users) for each in found],
            textposition="none",
            hovertemplate="%{y:.3f}<br>%{text}<extra></extra>",
        ),
        height=320,
        xaxis={"title": {"text": _("Items met before")}, "type": "category"},
        yaxis={"title": {"text": _("Recall")}, "rangemode": "tozero"},
    )
    header = (
        *(_("Items met before"), _("Judged people")),
        *(_("Recall"), _("Recall, low"), _("Recall, high")),
        *("NDCG", _("NDCG, low"), _("NDCG, high")),
    )
    label = _("Recall by length of history, with 95 percent intervals")
    return Chart("segments", label, drawn, header, rows)


def _recall_bars(rows: Sequence[Mapping[str, Any]], split: str) -> go.Bar:
    recall = [row["recall"] for row in rows]
    return go.Bar(
        x=[model_label(row["model"]) for row in rows],
        y=[each["value"] for each in recall],
        name=split_label(split),
        error_y=_interval(recall),
    )


def _interval(figures: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [each["high"] - each["value"] for each in figures],
        "arrayminus": [each["value"] - each["low"] for each in figures],
    }


def _series(runs: Sequence[TrainingRun], model: str) -> list[tuple[str, float, float, float]]:
    return [
        (f"#{run.id}", row["recall"]["value"], row["recall"]["low"], row["recall"]["high"])
        for run in runs
        for row in run.metrics
        if row["model"] == model and row["split"] == "leave-last-out"
    ]


def _line(points: Sequence[tuple[str, float, float, float]], name: str, colour: str) -> go.Scatter:
    figures = [{"value": value, "low": low, "high": high} for _run, value, low, high in points]
    return go.Scatter(
        x=[run for run, *_rest in points],
        y=[each["value"] for each in figures],
        name=name,
        mode="lines+markers",
        line={"color": colour},
        error_y=_interval(figures),
    )


def _flat(row: Mapping[str, Any]) -> tuple[Any, ...]:
    recall = row["recall"]
    return (
        *(model_label(row["model"]), split_label(row["split"]), row["k"], row["n_users"]),
        *(round(recall[part], 4) for part in ("value", "low", "high")),
        *(round(row["ndcg"][part], 4) for part in ("value", "low", "high")),
        *(round(row["map"][part], 4) for part in ("value", "low", "high")),
        *(round(row.get(name, 0.0), 4) for name in ("coverage", "popularity_share")),
        round(row.get("novelty", 0.0), 4),
    )
