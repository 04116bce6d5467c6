"""The three plots of clusters: density, parallel coordinates, scatter."""

from typing import Any

import numpy as np
from matplotlib.patches import Ellipse

from jobs.engines.clonal.arrays import Ints, Reals
from jobs.engines.clonal.canvas import LINE, label, new_figure, notes_of
from jobs.engines.clonal.colours import cluster_style
from jobs.engines.clonal.figure_parts import (
    AXIS,
    MOST_CLUSTERS,
    MOST_PAIRED,
    MOST_PANELS,
    legend,
    legend_inches,
    margins,
    paired_side,
    pairs,
    sample_axis,
    some_samples,
)
from jobs.engines.clonal.figure_texts import Language, text
from jobs.engines.clonal.plots import ClusterPlot, cluster_plot
from jobs.engines.clonal.result import Clustering

# Parts of the highest point below which a density is not drawn: a violin has no endless tails.
VISIBLE = 1e-3
NARROW = 0.04


def density(result: Clustering, language: Language, wanted: Language) -> Any:
    """A panel for each sample, a symmetric shape for each cluster; all of the same width."""
    plot = cluster_plot(result)
    shown, notes = _shown(plot, language)
    samples = plot.samples[:MOST_PANELS]
    notes += some_samples(len(plot.samples), MOST_PANELS, language)
    # A few samples of few clusters stand beside each other, more below.
    # Large numbers below the clusters need more room than the shapes.
    each = 0.42 if plot.sizes.max() < 1000 else 0.58
    panel = max(each * len(shown), 2.4)
    n_columns = min(len(samples), max(1, int(13 / panel)))
    n_rows = -(-len(samples) // n_columns)
    width = min(n_columns * panel + 1.1, 28.0)
    figure = new_figure(
        max(width, 4.5),
        2.9 * n_rows + 1.4,
        title=text("cluster/density", language),
        notes=notes_of(language, wanted, notes=notes),
    )
    panels = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False)
    for place, axes in enumerate(panels.flat):
        if place >= len(samples):
            axes.set_axis_off()
            continue
        _violins(axes, plot, shown, place)
        axes.set_title(label(samples[place]))
        axes.set_xticks(
            range(len(shown)), [f"{k}\n(n={plot.sizes[k]})" for k in shown.tolist()], fontsize=6.5
        )
        axes.set_xlim(-0.6, len(shown) - 0.4)
        axes.set_ylim(*AXIS)
        axes.grid(axis="y", color=LINE, linewidth=0.5)
        axes.set_axisbelow(True)
        if place % n_columns == 0:
            axes.set_ylabel(text("prevalence", language))
        if place >= len(samples) - n_columns:
            axes.set_xlabel(text("cluster", language))
    margins(figure, hspace=0.42, wspace=0.08, top=0.75)
    return figure


def parallel_coordinates(result: Clustering, language: Language, wanted: Language) -> Any:
    """Samples along x, a line for each cluster, its standard deviation as bars."""
    plot = cluster_plot(result)
    shown, notes = _shown(plot, language)
    figure = new_figure(
        min(max(1.1 * len(plot.samples), 4.5), 20) + legend_inches(len(shown)),
        5.2,
        title=text("cluster/parallel_coordinates", language),
        notes=notes_of(language, wanted, notes=notes),
    )
    axes = figure.subplots()
    places = np.arange(len(plot.samples))
    for cluster in shown.tolist():
        style = cluster_style(cluster)
        axes.errorbar(
            places,
            plot.means[cluster],
            yerr=plot.stds[cluster],
            color=style.colour,
            marker=style.marker,
            linestyle=style.line,
            markersize=6,
            capsize=2,
            linewidth=1.4,
        )
    sample_axis(axes, plot.samples, language)
    axes.set_ylim(*AXIS)
    axes.set_ylabel(text("prevalence", language))
    margins(figure, right=0.2 + legend(figure, shown.tolist(), plot.sizes, language))
    return figure


def scatter(result: Clustering, language: Language, wanted: Language) -> Any:
    """Samples against each other: a point for each cluster, an ellipse as wide as its deviation."""
    plot = cluster_plot(result)
    shown, notes = _shown(plot, language)
    n = min(len(plot.samples), MOST_PAIRED)
    notes += some_samples(len(plot.samples), MOST_PAIRED, language)
    side = paired_side(n)
    figure = new_figure(
        side + legend_inches(len(shown)),
        side + 0.6,
        title=text("cluster/scatter", language),
        notes=notes_of(language, wanted, notes=notes),
    )
    right = 0.2 + legend(figure, shown.tolist(), plot.sizes, language)
    panels = pairs(figure, n, plot.samples, text("prevalence", language), right=right)
    for (row, column), axes in panels.items():
        for order, cluster in enumerate(shown.tolist()):
            style = cluster_style(cluster)
            x, x_std = plot.means[cluster, column], plot.stds[cluster, column]
            if row == column:
                axes.errorbar(
                    x,
                    -order,
                    xerr=x_std,
                    color=style.colour,
                    marker=style.marker,
                    markersize=5,
                    capsize=2,
                )
                continue
            y, y_std = plot.means[cluster, row], plot.stds[cluster, row]
            axes.add_patch(Ellipse((x, y), x_std, y_std, color=style.colour, alpha=0.25, lw=0))
            axes.plot(x, y, color=style.colour, marker=style.marker, markersize=5)
    return figure


def _shown(plot: ClusterPlot, language: Language) -> tuple[Ints, list[str]]:
    """The clusters that are drawn, and the note about those that are not."""
    total = len(plot.sizes)
    if total <= MOST_CLUSTERS:
        return np.arange(total), []
    largest = np.sort(np.argsort(-plot.sizes, kind="stable")[:MOST_CLUSTERS])
    return largest, [text("some_clusters", language, shown=MOST_CLUSTERS, total=total)]


def _violins(axes: Any, plot: ClusterPlot, shown: Ints, sample: int) -> None:
    for place, cluster in enumerate(shown.tolist()):
        style = cluster_style(cluster)
        grid, height = _visible(plot.grid, plot.densities[cluster, sample])
        axes.fill_betweenx(
            grid, place - 0.4 * height, place + 0.4 * height, color=style.colour, alpha=0.85, lw=0.6
        )
        mean, is_narrow = plot.means[cluster, sample], np.ptp(grid) < NARROW
        # A very certain cluster would be a hairline: its marker shows where it is.
        sign, colour = (style.marker, style.colour) if is_narrow else ("_", "white")
        axes.plot(place, mean, marker=sign, color=colour, markersize=4 if is_narrow else 7)


def _visible(grid: Reals, height: Reals) -> tuple[Reals, Reals]:
    """The part of a density that can be seen, one point of the grid more at each side."""
    at = np.flatnonzero(height > VISIBLE)
    part = slice(max(int(at[0]) - 1, 0), int(at[-1]) + 2)
    return grid[part], height[part]
