"""The three charts of clusters."""

import numpy as np
import plotly.graph_objects as go

from dashboard.analyses.charts.style import (
    MOST_PANELS,
    RANGE,
    Chart,
    Panels,
    cluster_name,
    colour_of,
    grid_shape,
    line_of,
    many_samples,
    marker_of,
    of_cluster,
    pairs_of,
    plain,
    titled,
)
from dashboard.core.i18n import _
from dashboard.core.plots import short
from jobs.engines.clonal import Clustering, ClusterPlot, cluster_plot

N_SHAPE = 60
"""Points of a density's outline; the grid may have hundreds."""
HALF_WIDTH = 0.42
MOST_SIZED = 6
"""Clusters whose sizes find room under a panel."""


def density(result: Clustering) -> Chart:
    """A panel for each sample: the posterior of every cluster's prevalence as a symmetric shape."""
    data = cluster_plot(result)
    n = min(len(data.samples), MOST_PANELS)
    shape, panels = grid_shape(n), Panels()
    n_clusters = len(data.sizes)
    # Of many there is room for the numbers alone; the buttons above the plots have the sizes.
    is_short = n_clusters > MOST_SIZED
    sizes = enumerate(data.sizes.tolist())
    ticks = {
        "tickvals": list(range(n_clusters)),
        "ticktext": [str(k) if is_short else f"{k} (n={size})" for k, size in sizes],
        "tickangle": 0 if is_short or n_clusters <= 4 else -45,
    }
    for place in range(n):
        number = panels.add_panel(
            row=place // shape[1],
            column=place % shape[1],
            shape=shape,
            x=ticks,
            y=titled(_("Cellular prevalence"), range=RANGE)
            if place % shape[1] == 0
            else {"range": RANGE},
        )
        panels.title(data.samples[place], number)
        for k in range(len(data.sizes)):
            panels.add(_shape(data, k, place), number)
    built = panels.built(hovermode="closest")
    return Chart("cluster/density", _("Clusters: density"), built, many_samples(len(data.samples)))


def parallel_coordinates(result: Clustering) -> Chart:
    """A line for each cluster over the samples, with the posterior's standard deviation."""
    data = cluster_plot(result)
    traces = [
        go.Scatter(
            x=list(data.samples),
            y=data.means[k].astype(np.float32),
            error_y={"type": "data", "array": data.stds[k].astype(np.float32), "thickness": 1},
            mode="lines+markers" if len(data.samples) > 1 else "markers",
            line=line_of(k),
            marker=marker_of(k, size=9),
            **of_cluster(k),
        )
        for k in range(len(data.sizes))
    ]
    built = plain(
        *traces,
        xaxis=titled(_("Sample"), type="category"),
        yaxis=titled(_("Cellular prevalence"), range=RANGE),
    )
    return Chart("cluster/parallel_coordinates", _("Clusters: parallel coordinates"), built)


def scatter(result: Clustering) -> Chart:
    """Every two samples against each other: a point for each cluster, an ellipse of its deviation."""
    data = cluster_plot(result)
    pairs = pairs_of(data.samples)
    shape, panels = grid_shape(len(pairs)), Panels()
    for place, (a, b) in enumerate(pairs):
        number = panels.add_panel(
            row=place // shape[1],
            column=place % shape[1],
            shape=shape,
            x=titled(short(data.samples[a]), range=RANGE),
            y=titled(short(data.samples[b]), range=RANGE),
        )
        for k, size in enumerate(data.sizes.tolist()):
            panels.add(_ellipse(data, k, a, b), number)
            panels.add(
                go.Scatter(
                    x=[data.means[k, a]],
                    y=[data.means[k, b]],
                    mode="markers",
                    marker=marker_of(k, size=11),
                    text=[f"n={size}"],
                    **of_cluster(k),
                ),
                number,
            )
    built = panels.built(hovermode="closest")
    return Chart("cluster/scatter", _("Clusters: scatter"), built, many_samples(len(data.samples)))


def _shape(data: ClusterPlot, k: int, sample: int) -> go.Scatter:
    grid = np.linspace(0, 1, N_SHAPE)
    # The highest point of what is between two drawn ones, so that a narrow peak is not lost.
    height = _peaks(data.grid, data.densities[k, sample], grid)
    x = np.concatenate([k - HALF_WIDTH * height, (k + HALF_WIDTH * height)[::-1]])
    return go.Scatter(
        x=x.round(4).astype(np.float32),
        y=np.concatenate([grid, grid[::-1]]).round(4).astype(np.float32),
        mode="lines",
        fill="toself",
        fillcolor=colour_of(k),
        line={"color": colour_of(k), "width": 1},
        hoveron="fills",
        hoverinfo="text",
        text=f"{cluster_name(k)}: {data.means[k, sample]:.3f} ± {data.stds[k, sample]:.3f}",
        **of_cluster(k),
    )


def _peaks(grid: np.ndarray, values: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    found = np.interp(drawn, grid, values)
    at = np.clip(np.rint(grid * (len(drawn) - 1)).astype(int), 0, len(drawn) - 1)
    np.maximum.at(found, at, values)
    return np.asarray(found)


def _ellipse(data: ClusterPlot, k: int, a: int, b: int) -> go.Scatter:
    angle = np.linspace(0, 2 * np.pi, 33)
    return go.Scatter(
        x=(data.means[k, a] + data.stds[k, a] * np.cos(angle)).astype(np.float32),
        y=(data.means[k, b] + data.stds[k, b] * np.sin(angle)).astype(np.float32),
        mode="lines",
        line={"color": colour_of(k), "width": 1},
        hoverinfo="skip",
        **of_cluster(k),
    )
