"""How charts of clusters look: a colour and a mark for each cluster, panels for samples."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from dashboard.core.i18n import _
from dashboard.core.plots import figure, figure_json, short
from jobs.engines.clonal.colours import cluster_style

RANGE = (-0.05, 1.05)
GAP_X, GAP_Y = 0.1, 0.22
MOST_PANELS = 6
"""Samples that are drawn side by side; more cannot be read."""


@dataclass(frozen=True)
class Chart:
    """One of the nine: its name for files, what it shows, the figure, and what it leaves out."""

    name: str
    label: str
    figure: go.Figure
    note: str = ""

    @property
    def json(self) -> str:
        return figure_json(self.figure)


@dataclass
class Panels:
    """Traces and axes of a figure made of panels."""

    traces: list[Any] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=dict)
    n_panels: int = 0

    def add_panel(self, *, row: int, column: int, shape: tuple[int, int], **axes: Any) -> str:
        """Room for one panel; the number that its traces name their axes by."""
        self.n_panels += 1
        number = "" if self.n_panels == 1 else str(self.n_panels)
        n_rows, n_columns = shape
        x = _domain(column, n_columns, GAP_X)
        y = _domain(n_rows - 1 - row, n_rows, GAP_Y)
        self.layout[f"xaxis{number}"] = {"domain": x, "anchor": f"y{number}", **axes.get("x", {})}
        self.layout[f"yaxis{number}"] = {"domain": y, "anchor": f"x{number}", **axes.get("y", {})}
        return number

    def add(self, trace: Any, number: str) -> None:
        """A trace in a panel."""
        trace.update(xaxis=f"x{number}", yaxis=f"y{number}")
        self.traces.append(trace)

    def title(self, text: str, number: str) -> None:
        """A heading above a panel."""
        x, y = (self.layout[f"{axis}axis{number}"]["domain"] for axis in ("x", "y"))
        self.layout.setdefault("annotations", []).append(
            {
                **{"text": short(text), "showarrow": False, "xref": "paper", "yref": "paper"},
                **{"x": sum(x) / 2, "y": y[1], "xanchor": "center", "yanchor": "bottom"},
            }
        )

    def built(self, **layout: Any) -> go.Figure:
        """The figure."""
        return plain(*self.traces, **self.layout, **layout)


def plain(*traces: Any, **layout: Any) -> go.Figure:
    """A figure without a legend: the buttons above the plots are the legend of all nine."""
    return figure(*traces, showlegend=False, **layout)


def of_cluster(cluster: int) -> dict[str, Any]:
    """What every trace of a cluster has: its name, and its number for the linked selection."""
    return {"name": cluster_name(cluster), "meta": {"cluster": cluster}}


def cluster_name(cluster: int) -> str:
    """What a cluster is called."""
    return _("Cluster %(n)s", n=cluster)


def colour_of(cluster: int) -> str:
    """The colour of a cluster."""
    return cluster_style(cluster).colour


def marker_of(cluster: int, **more: Any) -> dict[str, Any]:
    """The mark of a cluster."""
    style = cluster_style(cluster)
    return {"color": style.colour, "symbol": style.symbol, **more}


def line_of(cluster: int, **more: Any) -> dict[str, Any]:
    """The line of a cluster."""
    style = cluster_style(cluster)
    return {"color": style.colour, "dash": style.dash, **more}


def grid_shape(n: int) -> tuple[int, int]:
    """Rows and columns for n panels."""
    n_columns = 1 if n == 1 else 2 if n <= 4 else 3
    return -(-n // n_columns), n_columns


def titled(text: str, **more: Any) -> dict[str, Any]:
    """An axis with a title."""
    return {"title": {"text": text}, **more}


def many_samples(n: int) -> str:
    """What to say when not every sample has a panel."""
    if n <= MOST_PANELS:
        return ""
    return _("The first %(shown)s of %(total)s samples are drawn.", shown=MOST_PANELS, total=n)


def notes(parts: Iterable[str]) -> str:
    """Several remarks as one."""
    return " ".join(part for part in parts if part)


def pairs_of(samples: Sequence[str]) -> list[tuple[int, int]]:
    """The panels of a scatter plot: every two samples; one sample stands against itself."""
    n = min(len(samples), MOST_PANELS)
    return [(a, b) for b in range(n) for a in range(b)] or [(0, 0)]


def _domain(place: int, n: int, gap: float) -> list[float]:
    step = (1 + gap) / n
    return [round(place * step, 4), round(place * step + step - gap, 4)]
