"""The six charts of loci. Where there are too many to draw, a sample of each cluster stands for them, and it is said."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go

from dashboard.analyses.charts.style import (
    MOST_PANELS,
    RANGE,
    Chart,
    Panels,
    grid_shape,
    line_of,
    many_samples,
    marker_of,
    notes,
    of_cluster,
    pairs_of,
    plain,
    titled,
)
from dashboard.core.i18n import _
from dashboard.core.plots import SCALE, short
from jobs.engines.clonal import (
    Clustering,
    LociPlot,
    loci_density,
    loci_plot,
    similarity_matrix,
)

# What SVG draws without stuttering, in points of all panels together.
MOST_POINTS = 6_000
MOST_LINES = 1_500
MOST_ROWS = 60
# Of the rows so many bear their name: more would run into each other.
MOST_NAMES = 20
MOST_IN_MATRIX = 300
N_GRID = 101
IDS_SHOWN = 5
# An axis of places that mean nothing by themselves.
BARE = {"showticklabels": False, "showgrid": False, "showline": False, "ticks": ""}
LARGEST_MARK = 22.0
BLUES = [list(step) for step in SCALE]


def density(result: Clustering) -> Chart:
    """A row for each locus: where its prevalence may lie, sample by sample."""
    data = loci_density(result, most=MOST_ROWS)
    n = min(len(data.samples), MOST_PANELS)
    order = np.argsort(data.clusters, kind="stable")
    places = np.arange(len(order))
    names = [short(data.mutation_ids[row], length=16) for row in order]
    step = -(-len(order) // MOST_NAMES)
    axis = {
        "tickvals": places[::step].tolist(),
        "ticktext": names[::step],
        "autorange": "reversed",
    }
    panels = Panels()
    grid = np.linspace(0, 1, min(N_GRID, len(data.grid)))
    for sample in range(n):
        number = panels.add_panel(
            row=0,
            column=sample,
            shape=(1, n),
            x=titled(short(data.samples[sample], length=14), range=(0, 1)),
            y=axis if sample == 0 else {**axis, "showticklabels": False},
        )
        for k in np.unique(data.clusters).tolist():
            rows = order[data.clusters[order] == k]
            values = np.stack([np.interp(grid, data.grid, data.densities[r, sample]) for r in rows])
            values /= values.max(axis=1, keepdims=True)
            panels.add(
                go.Heatmap(
                    x=grid.round(3).astype(np.float32),
                    y=places[data.clusters[order] == k],
                    z=(values * 100).round().astype(np.uint8),
                    zmin=0,
                    zmax=100,
                    colorscale=BLUES,
                    showscale=False,
                    hovertemplate="%{x:.2f}<extra>" + of_cluster(k)["name"] + "</extra>",
                    meta={"cluster": k},
                ),
                number,
            )
    label = _("Loci: density")
    note = notes([many_samples(len(data.samples)), _thinned(len(order), data.n_total)])
    return Chart("loci/density", label, panels.built(), note)


def parallel_coordinates(result: Clustering) -> Chart:
    """A line for each locus over the samples: cellular prevalence."""
    return _lines(
        result,
        "loci/parallel_coordinates",
        _("Loci: parallel coordinates"),
        _("Cellular prevalence"),
        lambda data: data.prevalence,
    )


def vaf_parallel_coordinates(result: Clustering) -> Chart:
    """A line for each locus over the samples: share of reads that show the variant."""
    return _lines(
        result,
        "loci/vaf_parallel_coordinates",
        _("Loci: VAF, parallel coordinates"),
        _("Variant allele frequency (VAF)"),
        lambda data: data.vaf,
    )


def scatter(result: Clustering) -> Chart:
    """Every two samples against each other: cellular prevalence of the loci."""
    return _points(result, "loci/scatter", _("Loci: scatter"), lambda data: data.prevalence)


def vaf_scatter(result: Clustering) -> Chart:
    """Every two samples against each other: share of reads that show the variant."""
    return _points(result, "loci/vaf_scatter", _("Loci: VAF, scatter"), lambda data: data.vaf)


def similarity(result: Clustering) -> Chart:
    """How likely every two loci belong to one cluster, alike ones side by side."""
    data = similarity_matrix(result, most=MOST_IN_MATRIX)
    n = len(data.mutation_ids)
    strip = [
        go.Scatter(
            x=[-0.02 * n - 1] * int((data.clusters == k).sum()),
            y=np.flatnonzero(data.clusters == k),
            mode="markers",
            marker=marker_of(k, size=6, symbol="square"),
            **of_cluster(k),
        )
        for k in np.unique(data.clusters).tolist()
    ]
    drawn = plain(
        go.Heatmap(
            z=(data.values * 100).round().astype(np.uint8),
            zmin=0,
            zmax=100,
            colorscale=BLUES,
            colorbar={"title": {"text": "%"}, "thickness": 12},
            hovertemplate="%{x} × %{y}: %{z} %<extra></extra>",
        ),
        *strip,
        xaxis={**BARE, "constrain": "domain"},
        yaxis={**BARE, "autorange": "reversed", "scaleanchor": "x", "constrain": "domain"},
    )
    note = _thinned(n, data.n_total)
    return Chart("loci/similarity_matrix", _("Loci: similarity matrix"), drawn, note)


Values = Callable[[LociPlot], np.ndarray]


def _lines(result: Clustering, name: str, label: str, axis: str, values: Values) -> Chart:
    data = loci_plot(result, most=MOST_LINES)
    traces = []
    n_samples = len(data.samples)
    for k in np.unique(data.clusters).tolist():
        mine = values(data)[data.clusters == k]
        # A gap after each locus: thousands of lines are one trace.
        y = np.concatenate([mine, np.full((len(mine), 1), np.nan)], axis=1).astype(np.float32)
        traces.append(
            go.Scatter(
                x=[*data.samples, data.samples[-1]] * len(mine),
                y=y.ravel(),
                mode="lines" if n_samples > 1 else "markers",
                opacity=max(0.15, min(0.9, 20 / max(1, len(mine)))),
                line=line_of(k, width=1.2, dash="solid"),
                marker=marker_of(k, size=6),
                hoverinfo="name",
                connectgaps=False,
                **of_cluster(k),
            )
        )
    built = plain(
        *traces,
        xaxis=titled(_("Sample"), type="category", categoryarray=list(data.samples)),
        yaxis=titled(axis, range=RANGE),
    )
    return Chart(name, label, built, _thinned(len(data.mutation_ids), data.n_total))


def _points(result: Clustering, name: str, label: str, values: Values) -> Chart:
    pairs = pairs_of(result.table.samples)
    data = loci_plot(result, most=max(200, MOST_POINTS // len(pairs)))
    shape, panels = grid_shape(len(pairs)), Panels()
    for place, (a, b) in enumerate(pairs):
        number = panels.add_panel(
            row=place // shape[1],
            column=place % shape[1],
            shape=shape,
            x=titled(short(data.samples[a]), range=RANGE),
            y=titled(short(data.samples[b]), range=RANGE),
        )
        for k in np.unique(data.clusters).tolist():
            rows = np.flatnonzero(data.clusters == k)
            panels.add(_cloud(data, values(data), rows, (k, a, b)), number)
    note = notes([many_samples(len(data.samples)), _thinned(len(data.mutation_ids), data.n_total)])
    return Chart(name, label, panels.built(hovermode="closest"), note)


def _cloud(
    data: LociPlot, values: np.ndarray, rows: np.ndarray, where: tuple[int, int, int]
) -> go.Scatter:
    """The loci of a cluster in a panel; those at one point are one mark, as large as they are many."""
    k, a, b = where
    points = values[rows][:, [a, b]].round(3)
    rows, points = rows[~np.isnan(points).any(axis=1)], points[~np.isnan(points).any(axis=1)]
    unique, group, counts = np.unique(points, axis=0, return_inverse=True, return_counts=True)
    group = group.ravel()
    texts = [_names(data, rows[group == n][:IDS_SHOWN], int(counts[n])) for n in range(len(unique))]
    sizes = np.minimum(5 + 3 * np.log2(counts), LARGEST_MARK)
    return go.Scatter(
        x=unique[:, 0].astype(np.float32),
        y=unique[:, 1].astype(np.float32),
        mode="markers",
        marker=marker_of(k, size=sizes.round(1).tolist(), opacity=0.7, line={"width": 0}),
        # A large mark at 0 or 1 is drawn whole.
        cliponaxis=False,
        text=texts,
        hovertemplate="%{text}<br>%{x:.3f}, %{y:.3f}",
        **of_cluster(k),
    )


def _names(data: LociPlot, rows: np.ndarray, count: int) -> str:
    # Plotly reads tags in texts: an id is shown as it is.
    ids = [data.mutation_ids[row].replace("<", "‹").replace(">", "›")[:60] for row in rows]
    more = count - len(ids)
    return ", ".join(ids) + (f" +{more}" if more > 0 else "")


def _thinned(n_shown: int, n_total: int) -> str:
    if n_shown >= n_total:
        return ""
    return _(
        "%(shown)s of %(total)s mutations are drawn, chosen evenly from every cluster.",
        shown=n_shown,
        total=n_total,
    )
