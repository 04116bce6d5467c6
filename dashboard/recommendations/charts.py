"""Plain results -> plotly figures, each with the table that it draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard.core.i18n import _
from dashboard.core.plots import PALETTE, SCALE, figure, figure_json, short
from dashboard.recommendations.models import TrainingRun
from dashboard.recommendations.services import Reason
from jobs.engines.collaborative_filtering import Coverage, PopularityCurve, TrainedModel

# Items on the heat map's axes: more titles than this cannot be read.
N_HEAT = 24
HEIGHT = 420
# Names that the engine gives its models; the first is what the portal serves, the second the baseline.
SERVED, BASELINE = "blend with trend", "popularity"


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with its name for files, its label for everybody and its data."""

    name: str
    label: str
    figure: go.Figure
    header: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    @property
    def json(self) -> str:
        return figure_json(self.figure)


def workspace(
    model: TrainedModel, *, titles: Mapping[int, str], runs: Sequence[TrainingRun]
) -> list[Chart]:
    """The charts of the analysts' page; `titles` names the items that may be named."""
    curve = model.popularity_curve()
    top = [int(i) for i in curve.item_ids[: 2 * N_HEAT].tolist() if int(i) in titles][:N_HEAT]
    return [
        similarity(model.similarity_block(top), [titles[item] for item in top]),
        popularity(curve, titles),
        coverage(model.coverage()),
        metrics(runs[-1].metrics if runs else []),
        metrics_over_runs(runs),
        people(np.diff(model.user_neighbours.indptr)),
    ]


def similarity(block: Any, titles: Sequence[str]) -> Chart:
    """Heat map of the cosine of every two of the most popular items."""
    shown = np.array(block, dtype=np.float32)
    # The diagonal is 1 by definition and would take the whole scale.
    np.fill_diagonal(shown, np.nan)
    # Two items of one title must not share a row: rows go by number, titles are only their names.
    places = list(range(len(titles)))
    axis = {"tickvals": places, "ticktext": [short(each) for each in titles]}
    drawn = figure(
        go.Heatmap(
            z=shown,
            customdata=[[[a, b] for b in titles] for a in titles],
            colorscale=[list(step) for step in SCALE],
            colorbar={"title": {"text": _("Similarity")}, "thickness": 12},
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{z:.3f}<extra></extra>",
        ),
        height=640,
        xaxis={**axis, "tickangle": -50},
        yaxis={**axis, "autorange": "reversed"},
    )
    rows = [
        (titles[a], titles[b], round(float(block[a][b]), 6))
        for a in places
        for b in places
        if a < b
    ]
    header = (_("Item"), _("Other item"), _("Similarity"))
    return Chart("similarity", _("Similarity of the most popular items"), drawn, header, rows)


def popularity(curve: PopularityCurve, titles: Mapping[int, str]) -> Chart:
    """The long tail: people per item, and the share that the items up to here have."""
    places = np.arange(1, len(curve.n_users) + 1, dtype=np.int32)
    drawn = figure(
        go.Scatter(
            x=places,
            y=curve.n_users.astype(np.int32),
            name=_("People"),
            mode="lines",
            fill="tozeroy",
            line={"color": PALETTE[0]},
        ),
        go.Scatter(
            x=places,
            y=(100 * curve.cumulative_share).astype(np.float32),
            name=_("Share of all interactions (percent)"),
            mode="lines",
            yaxis="y2",
            line={"color": PALETTE[1], "dash": "dot"},
        ),
        height=HEIGHT,
        xaxis={"title": {"text": _("Items, most popular first")}},
        yaxis={"title": {"text": _("People")}, "rangemode": "tozero"},
        # Its own round ticks: in step with the left axis they would read 22.9 and 45.8.
        yaxis2={
            **{"overlaying": "y", "side": "right", "range": [0, 100], "showgrid": False},
            **{"tickmode": "linear", "tick0": 0, "dtick": 20},
        },
    )
    rows = [
        (place, item, titles.get(item, ""), people_, round(share, 6))
        for place, item, people_, share in zip(
            places.tolist(),
            [int(i) for i in curve.item_ids.tolist()],
            curve.n_users.tolist(),
            curve.cumulative_share.tolist(),
            strict=True,
        )
    ]
    header = (_("Place"), _("Item id"), _("Item"), _("People"), _("Cumulative share"))
    return Chart("popularity", _("Popularity: the long tail"), drawn, header, rows)


def coverage(found: Coverage) -> Chart:
    """How much of the catalogue has neighbours, and how much is in somebody's list."""
    rows = [
        (_("Items with behaviour"), found.n_items),
        (_("Items with similar items"), found.n_with_neighbours),
        (_("Items in somebody's list"), found.n_listed),
    ]
    drawn = figure(
        go.Bar(
            x=[count for _label, count in rows],
            y=[label for label, _count in rows],
            orientation="h",
            marker={"color": list(PALETTE[:3])},
            text=[count for _label, count in rows],
            textposition="auto",
        ),
        height=260,
        xaxis={"title": {"text": _("Items")}, "rangemode": "tozero"},
        yaxis={"autorange": "reversed"},
    )
    return Chart("coverage", _("Coverage of the catalogue"), drawn, (_("What"), _("Items")), rows)


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
        *(_("Recall"), _("Recall, low"), _("Recall, high"), "NDCG", "MAP", _("Coverage")),
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


def people(n_similar: Any) -> Chart:
    """How many people have how many similar people: counts, never who."""
    counts = np.bincount(np.minimum(np.asarray(n_similar), 200)) if len(n_similar) else np.zeros(1)
    edges = list(range(0, len(counts), 10)) or [0]
    rows = [(f"{start} – {start + 9}", int(counts[start : start + 10].sum())) for start in edges]
    drawn = figure(
        go.Bar(x=[r[0] for r in rows], y=[r[1] for r in rows], marker={"color": PALETTE[2]}),
        height=HEIGHT,
        xaxis={"title": {"text": _("Similar people found")}, "type": "category"},
        yaxis={"title": {"text": _("People")}, "rangemode": "tozero"},
    )
    header = (_("Similar people found"), _("People"))
    return Chart("people", _("How many similar people each one has"), drawn, header, rows)


def contributions(reasons: Sequence[Reason]) -> Chart:
    """What each of the learner's own signals adds to a recommendation."""
    rows = [(each.title, round(100 * each.share, 1)) for each in reasons[:20]]
    places = list(range(len(rows)))
    drawn = figure(
        go.Bar(
            x=[share for _title, share in rows],
            y=places,
            orientation="h",
            width=0.6,
            marker={"color": PALETTE[0]},
            text=[f"{share} %" for _title, share in rows],
            textposition="auto",
            customdata=[title for title, _share in rows],
            hovertemplate="%{customdata}: %{x} %<extra></extra>",
        ),
        height=120 + 36 * len(rows),
        xaxis={"title": {"text": _("Share of the score (percent)")}, "rangemode": "tozero"},
        yaxis={
            "autorange": "reversed",
            "tickvals": places,
            "ticktext": [short(title, length=36) for title, _share in rows],
        },
    )
    header = (_("What you did"), _("Share of the score (percent)"))
    return Chart("why", _("What speaks for it"), drawn, header, rows)


def model_label(name: str) -> str:
    """The engine's name of a model in the reader's language."""
    labels = {
        BASELINE: _("Popularity (baseline)"),
        "recent popularity": _("Recent popularity (baseline)"),
        "item-item": _("Similar items"),
        "window co-view": _("Viewed soon after"),
        SERVED: _("Served: blend with trend"),
        "user-user": _("Similar people"),
    }
    return labels.get(name, name)


def split_label(name: str) -> str:
    """The engine's name of a split in the reader's language."""
    labels = {
        "leave-last-out": _("Last item of everybody"),
        "by-time": _("Everything after a moment"),
    }
    return labels.get(name, name)


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
        *(
            round(value, 4)
            for value in (row["ndcg"]["value"], row["map"]["value"], row["coverage"])
        ),
    )
