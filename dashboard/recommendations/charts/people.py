"""Charts about people: counts only, and a learner's own reasons."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard.core.i18n import _
from dashboard.core.plots import PALETTE, figure, short
from dashboard.recommendations.charts.chart import HEIGHT, Chart
from dashboard.recommendations.services import Reason


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
