"""Monitoring, drift and trainings -> plotly figures, each with the table that it draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import plotly.graph_objects as go

from dashboard.core.i18n import _
from dashboard.core.plots import PALETTE, SCALE, figure, figure_json, short
from dashboard.serving.drift import Drift
from dashboard.serving.monitoring import Span, step_table
from dashboard.serving.services.training import algorithm_label

HEIGHT = 380


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with its name for files and its label for everybody."""

    name: str
    label: str
    figure: go.Figure

    @property
    def json(self) -> str:
        return figure_json(self.figure)


def monitor(spans: Sequence[Span], whole: Span, *, back: int, hours: int) -> list[Chart]:
    """Requests and errors, response times, and the steps: `back` hours looked back, `hours` put together."""
    drawn = [requests(spans, back=back, hours=hours)]
    return [*drawn, times(spans, back=back), steps(whole)] if whole.steps else drawn


def requests(spans: Sequence[Span], *, back: int, hours: int) -> Chart:
    """Requests of each hour or day, what failed on top."""
    x = [_moment(span) for span in spans]
    # From the beginning of the span to its end, which plotly counts in milliseconds.
    bars = {"x": x, "offset": 0, "width": hours * 3_600_000}
    drawn = figure(
        go.Bar(
            **bars,
            y=[span.n_requests - span.n_errors for span in spans],
            name=_("Answered"),
            marker={"color": PALETTE[0]},
        ),
        go.Bar(
            **bars,
            y=[span.n_errors for span in spans],
            name=_("Errors"),
            marker={"color": PALETTE[1]},
        ),
        height=HEIGHT,
        barmode="stack",
        xaxis=_time_axis(back),
        yaxis={"title": {"text": _("Requests")}, "rangemode": "tozero"},
    )
    return Chart("requests", _("Requests and errors"), drawn)


def times(spans: Sequence[Span], *, back: int) -> Chart:
    """Least, mean, p50, p95, p99 and longest response time of each hour or day."""
    x = [_moment(span) for span in spans]
    quantiles = [span.quantiles() for span in spans]
    lines: list[tuple[str, list[float | None], str, str]] = [
        (_("Shortest"), [span.min_ms for span in spans], PALETTE[7], "dot"),
        (_("Mean"), [span.mean_ms for span in spans], PALETTE[2], "solid"),
        ("p50", [each[0] for each in quantiles], PALETTE[0], "solid"),
        ("p95", [each[1] for each in quantiles], PALETTE[3], "solid"),
        ("p99", [each[2] for each in quantiles], PALETTE[1], "solid"),
        (_("Longest"), [span.max_ms for span in spans], PALETTE[7], "dash"),
    ]
    drawn = figure(
        *[
            go.Scatter(
                x=x, y=y, name=name, mode="lines+markers", line={"color": colour, "dash": dash}
            )
            for name, y, colour, dash in lines
        ],
        height=HEIGHT,
        xaxis=_time_axis(back),
        yaxis={"title": {"text": _("Response time (ms)")}, "type": "log"},
    )
    return Chart("times", _("Response time"), drawn)


def steps(whole: Span) -> Chart:
    """Where the time goes: p50, p95 and p99 of each step."""
    table = step_table(whole)
    labels = [step_label(step) for step, _n, _q in table]
    drawn = figure(
        *[
            go.Bar(
                x=labels,
                y=[quantiles[place] for _step, _n, quantiles in table],
                name=name,
                marker={"color": PALETTE[colour]},
            )
            for place, (name, colour) in enumerate((("p50", 0), ("p95", 3), ("p99", 1)))
        ],
        height=HEIGHT,
        barmode="group",
        yaxis={"title": {"text": _("Milliseconds")}, "rangemode": "tozero"},
    )
    return Chart("steps", _("Where the time goes"), drawn)


def drift(found: Drift) -> Chart:
    """The shares of one input's values now beside those of the baseline."""
    known = (
        [go.Bar(x=found.labels, y=found.expected, name=_("Baseline"), marker={"color": PALETTE[7]})]
        if found.expected
        else []
    )
    drawn = figure(
        *known,
        go.Bar(x=found.labels, y=found.found, name=_("Now"), marker={"color": PALETTE[0]}),
        height=300,
        barmode="group",
        xaxis={"type": "category"},
        yaxis={"title": {"text": _("Share")}, "rangemode": "tozero", "tickformat": ".0%"},
    )
    return Chart(f"drift-{found.field}", _("Input %(name)s", name=found.field), drawn)


def step_label(step: str) -> str:
    """A step in the reader's language."""
    labels = {
        "validate": _("Validate"),
        "prepare": _("Preprocess"),
        "predict": _("Predict"),
        "total": _("In all"),
    }
    return labels.get(step, step)


def face_label(face: str) -> str:
    """A way of calling a deployment in the reader's language."""
    labels = {
        "sync": _("Synchronous"),
        "task": _("Asynchronous"),
        "batch": _("Batch"),
        "v2": _("Open Inference Protocol"),
    }
    return labels.get(face, face)


# --------------------------------------------------------------------------------------------- trainings


def training(metrics: Mapping[str, Any]) -> list[Chart]:
    """Everything about a training: the algorithms compared, how the best one errs, what it looks at."""
    held_out = metrics["held_out"]
    judged = (
        [confusion(held_out), roc(held_out)]
        if metrics["task"] == "classification"
        else [fit(held_out), residuals(held_out)]
    )
    return [algorithms(metrics), *judged, importance(metrics["importance"])]


def algorithms(metrics: Mapping[str, Any]) -> Chart:
    """The score of each algorithm: its mean, and every fold."""
    scores = sorted(metrics["scores"], key=lambda score: score["mean"])
    names = [algorithm_label(score["algorithm"]) for score in scores]
    drawn = figure(
        go.Bar(
            x=[score["mean"] for score in scores],
            y=names,
            orientation="h",
            name=_("Mean"),
            marker={"color": PALETTE[0]},
            text=[f"{score['mean']:.3f}" for score in scores],
            textposition="auto",
        ),
        go.Scatter(
            x=[fold for score in scores for fold in score["folds"]],
            y=[name for name, score in zip(names, scores, strict=True) for _f in score["folds"]],
            mode="markers",
            name=_("Fold"),
            marker={"color": PALETTE[1], "size": 7},
        ),
        height=120 + 48 * len(scores),
        xaxis={"title": {"text": score_label(metrics["task"])}},
    )
    return Chart("algorithms", _("Algorithms compared by cross-validation"), drawn)


def score_label(task: str) -> str:
    """What the score of a task is."""
    return _("Accuracy") if task == "classification" else _("R² (share of the variance explained)")


def confusion(held_out: Mapping[str, Any]) -> Chart:
    """True classes against predicted ones, on rows that the model had not seen."""
    names = [short(name) for name in held_out["classes"]]
    counts = held_out["confusion"]
    drawn = figure(
        go.Heatmap(
            z=counts,
            x=names,
            y=names,
            text=counts,
            texttemplate="%{text}",
            colorscale=[list(step) for step in SCALE],
            colorbar={"thickness": 12},
        ),
        height=120 + max(260, 40 * len(names)),
        xaxis={"title": {"text": _("Predicted")}, "type": "category"},
        yaxis={"title": {"text": _("True")}, "type": "category", "autorange": "reversed"},
    )
    return Chart("confusion", _("Confusion matrix"), drawn)


def roc(held_out: Mapping[str, Any]) -> Chart:
    """The ROC curve of each class against the rest."""
    lines = [
        go.Scatter(
            x=[point[0] for point in points],
            y=[point[1] for point in points],
            mode="lines",
            name=short(name),
            line={"color": PALETTE[place % len(PALETTE)]},
        )
        for place, (name, points) in enumerate(held_out["roc"].items())
    ]
    chance = go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", name=_("Chance"), line={"color": "#999", "dash": "dot"}
    )
    drawn = figure(
        *lines,
        chance,
        height=HEIGHT,
        xaxis={"title": {"text": _("False positive rate")}, "range": [0, 1]},
        yaxis={"title": {"text": _("True positive rate")}, "range": [0, 1.02]},
    )
    return Chart("roc", _("ROC, one class against the rest"), drawn)


def fit(held_out: Mapping[str, Any]) -> Chart:
    """Predicted against true values."""
    points = held_out["points"]
    low, high = min(map(min, points)), max(map(max, points))
    drawn = figure(
        go.Scatter(
            x=[point[0] for point in points],
            y=[point[1] for point in points],
            mode="markers",
            name=_("Rows"),
            marker={"color": PALETTE[0], "size": 6, "opacity": 0.6},
        ),
        go.Scatter(
            x=[low, high],
            y=[low, high],
            mode="lines",
            name=_("Exact"),
            line={"color": "#999", "dash": "dot"},
        ),
        height=HEIGHT,
        xaxis={"title": {"text": _("True")}},
        yaxis={"title": {"text": _("Predicted")}},
    )
    return Chart("fit", _("Predicted and true values"), drawn)


def residuals(held_out: Mapping[str, Any]) -> Chart:
    """How the errors are spread."""
    drawn = figure(
        go.Histogram(
            x=[point[1] - point[0] for point in held_out["points"]],
            marker={"color": PALETTE[2]},
            name=_("Rows"),
        ),
        height=HEIGHT,
        xaxis={"title": {"text": _("Predicted minus true")}},
        yaxis={"title": {"text": _("Rows")}},
    )
    return Chart("residuals", _("Residuals"), drawn)


def importance(pairs: Sequence[Sequence[Any]]) -> Chart:
    """How much the score falls when the values of an input are shuffled."""
    shown = list(reversed(pairs[:30]))
    drawn = figure(
        go.Bar(
            x=[value for _name, value in shown],
            y=[short(name, length=36) for name, _value in shown],
            orientation="h",
            marker={"color": PALETTE[0]},
        ),
        height=120 + 30 * len(shown),
        xaxis={"title": {"text": _("Loss of score when shuffled")}},
        yaxis={"type": "category"},
    )
    return Chart("importance", _("What the model looks at"), drawn)


def _time_axis(back: int) -> dict[str, Any]:
    # The whole time that is looked at: a single hour alone would fill the chart.
    now = datetime.now(UTC).replace(tzinfo=None, minute=0, second=0, microsecond=0)
    ends = [now - timedelta(hours=back - 1), now + timedelta(hours=1)]
    return {
        "title": {"text": _("Time (UTC)")},
        "type": "date",
        "range": [end.isoformat() for end in ends],
    }


def _moment(span: Span) -> str:
    return span.start.isoformat() if span.start else ""
