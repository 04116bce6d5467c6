"""The six plots of loci: density, parallel coordinates, scatter, similarity, and two of the VAF."""

from typing import Any

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, ListedColormap

from jobs.engines.clonal.arrays import Ints, Reals
from jobs.engines.clonal.canvas import LINE, label, new_figure, notes_of
from jobs.engines.clonal.colours import cluster_style
from jobs.engines.clonal.figure_parts import (
    AXIS,
    MOST_PAIRED,
    MOST_PANELS,
    VECTOR_MARKS,
    colours,
    legend,
    legend_inches,
    margins,
    paired_side,
    pairs,
    parallel,
    sample_axis,
    some_samples,
)
from jobs.engines.clonal.figure_texts import Language, text
from jobs.engines.clonal.plots import LociPlot, loci_density, loci_plot, similarity_matrix
from jobs.engines.clonal.result import Clustering

BLUES = LinearSegmentedColormap.from_list("blues", ["#f7fbff", "#9ecae1", "#2171b5", "#08306b"])
IDS_SHOWN = 60
POINTS_DRAWN = 120
BINS = np.linspace(0, 1, 26)


def density(result: Clustering, language: Language, wanted: Language) -> Any:
    """A row for each mutation, a panel for each sample: the posterior of its prevalence."""
    plot = loci_density(result)
    order = np.argsort(plot.clusters, kind="stable")
    samples = plot.samples[:MOST_PANELS]
    notes = _part(len(order), plot.n_total, language)
    notes += some_samples(len(plot.samples), MOST_PANELS, language)
    figure = new_figure(
        min(2.3 * len(samples), 24) + 2.6,
        max(0.17 * len(order), 1.2) + 1.7,
        title=text("loci/density", language),
        notes=notes_of(language, wanted, notes=notes),
    )
    panels = figure.subplots(1, len(samples), sharey=True, squeeze=False)[0]
    # The finest grid has more points than a narrow panel has pixels.
    step = max(len(plot.grid) // POINTS_DRAWN, 1)
    n_points = len(plot.grid) // step
    grid = plot.grid[: n_points * step].reshape(n_points, step).mean(axis=1)
    for place, axes in enumerate(panels):
        heights = plot.densities[order, place, : n_points * step]
        axes.add_collection(
            _ridges(
                grid, heights.reshape(len(order), n_points, step).max(axis=2), plot.clusters[order]
            )
        )
        axes.set_title(label(samples[place]))
        axes.set_xlim(*AXIS)
        axes.set_ylim(len(order) - 0.4, -0.6)
        axes.set_xlabel(text("prevalence", language))
        axes.grid(axis="x", color=LINE, linewidth=0.5)
        axes.set_axisbelow(True)
    names = [label(plot.mutation_ids[locus]) for locus in order.tolist()]
    panels[0].set_yticks(range(len(order)), names, fontsize=6.5)
    margins(figure, wspace=0.06, right=0.15, top=0.75)
    width = figure.get_size_inches()[0]
    figure.subplots_adjust(left=(0.35 + 0.068 * max(map(len, names))) / width)
    return figure


def parallel_coordinates(result: Clustering, language: Language, wanted: Language) -> Any:
    """A line for each mutation at the prevalence of its cluster."""
    return _parallel(result, "parallel_coordinates", language, wanted)


def vaf_parallel_coordinates(result: Clustering, language: Language, wanted: Language) -> Any:
    """A line for each mutation at the share of reads that show it."""
    return _parallel(result, "vaf_parallel_coordinates", language, wanted)


def scatter(result: Clustering, language: Language, wanted: Language) -> Any:
    """Samples against each other: a point for each mutation at its prevalence."""
    return _scatter(result, "scatter", language, wanted)


def vaf_scatter(result: Clustering, language: Language, wanted: Language) -> Any:
    """Samples against each other: a point for each mutation at its VAF."""
    return _scatter(result, "vaf_scatter", language, wanted)


def similarity(result: Clustering, language: Language, wanted: Language) -> Any:
    """How probably two mutations share a cluster, alike ones side by side, clusters at the edges."""
    plot = similarity_matrix(result)
    n = len(plot.clusters)
    notes = _part(n, plot.n_total, language)
    shown = np.unique(plot.clusters)
    side = 6.2 if n <= IDS_SHOWN else 7.4
    figure = new_figure(
        side + 0.9 + legend_inches(len(shown)),
        side + 1.0,
        title=text("loci/similarity_matrix", language),
        notes=notes_of(language, wanted, notes=notes),
    )
    right = 0.95 + legend(figure, shown.tolist(), result.sizes, language)
    grid = figure.add_gridspec(
        2, 3, width_ratios=[0.025, 1, 0.03], height_ratios=[0.025, 1], wspace=0.03, hspace=0.02
    )
    axes = figure.add_subplot(grid[1, 1])
    image = axes.imshow(
        plot.values, cmap=BLUES, vmin=0, vmax=1, aspect="auto", interpolation="nearest"
    )
    axes.set_xticks([])
    axes.set_yticks([])
    for place, values in ((grid[1, 0], plot.clusters[:, None]), (grid[0, 1], plot.clusters[None])):
        _strip(figure.add_subplot(place), values, plot.clusters)
    bar = figure.colorbar(image, cax=figure.add_subplot(grid[1, 2]))
    bar.set_label(text("similarity", language))
    margins(figure, right=right)
    if n <= IDS_SHOWN:
        names = [label(name) for name in plot.mutation_ids]
        figure.axes[1].set_yticks(range(n), names, fontsize=min(7.0, 300 / n))
        left = 0.3 + 0.068 * max(map(len, names))
        figure.subplots_adjust(left=left / figure.get_size_inches()[0])
    return figure


def _parallel(result: Clustering, name: str, language: Language, wanted: Language) -> Any:
    plot = loci_plot(result)
    shown = np.unique(plot.clusters)
    figure = new_figure(
        min(max(1.1 * len(plot.samples), 4.5), 20) + legend_inches(len(shown)),
        5.2,
        title=text(f"loci/{name}", language),
        notes=notes_of(language, wanted, notes=_part(len(plot.clusters), plot.n_total, language)),
    )
    axes = figure.subplots()
    parallel(axes, _values(plot, name), plot.clusters)
    sample_axis(axes, plot.samples, language)
    axes.set_ylim(*AXIS)
    axes.set_ylabel(text(_quantity(name), language))
    margins(figure, right=0.2 + legend(figure, shown.tolist(), result.sizes, language))
    return figure


def _scatter(result: Clustering, name: str, language: Language, wanted: Language) -> Any:
    plot = loci_plot(result)
    shown = np.unique(plot.clusters)
    n = min(len(plot.samples), MOST_PAIRED)
    notes = _part(len(plot.clusters), plot.n_total, language)
    notes += some_samples(len(plot.samples), MOST_PAIRED, language)
    side = paired_side(n)
    figure = new_figure(
        side + legend_inches(len(shown)),
        side + 0.6,
        title=text(f"loci/{name}", language),
        notes=notes_of(language, wanted, notes=notes),
    )
    right = 0.2 + legend(figure, shown.tolist(), result.sizes, language)
    panels = pairs(figure, n, plot.samples, text(_quantity(name), language), right=right)
    values = _values(plot, name)
    n_marks = len(values) * n * (n - 1) // 2
    for (row, column), axes in panels.items():
        if row == column:
            _histogram(axes, values[:, row], plot.clusters)
        else:
            _points(axes, values[:, [column, row]], plot.clusters, flat=n_marks > VECTOR_MARKS)
    return figure


def _ridges(grid: Reals, heights: Reals, clusters: Ints) -> PolyCollection:
    """A filled curve for each row, all in one collection; heights (n_rows, n_points)."""
    outlines = []
    for row, values in enumerate(heights):
        curve = 0.9 * values / values.max()
        seen = slice(*_span(curve > 1e-3))
        x, y = grid[seen], row + 0.45 - curve[seen]
        ends = np.full(2, row + 0.45)
        outlines.append(
            np.column_stack(
                [np.concatenate([x[:1], x, x[-1:]]), np.concatenate([ends[:1], y, ends[:1]])]
            )
        )
    return PolyCollection(outlines, facecolors=colours(clusters), linewidths=0.4, alpha=0.85)


def _points(axes: Any, points: Reals, clusters: Ints, *, flat: bool) -> None:
    alpha = float(np.clip(300 / max(len(points), 1), 0.25, 0.9))
    for cluster in np.unique(clusters).tolist():
        style = cluster_style(cluster)
        rows = points[clusters == cluster]
        axes.scatter(
            *rows.T, c=style.colour, marker=style.marker, s=11, alpha=alpha, lw=0, rasterized=flat
        )


def _histogram(axes: Any, values: Reals, clusters: Ints) -> None:
    shown = np.unique(clusters)
    parts = [values[(clusters == cluster) & np.isfinite(values)] for cluster in shown.tolist()]
    # One outline for each cluster: a patch for every bar takes ten times as long.
    axes.hist(
        parts, bins=BINS, stacked=True, histtype="stepfilled", color=colours(shown), linewidth=0
    )


def _strip(axes: Any, values: Ints, clusters: Ints) -> None:
    shown = np.unique(clusters)
    axes.imshow(
        np.searchsorted(shown, values),
        cmap=ListedColormap(colours(shown)),
        vmin=-0.5,
        vmax=len(shown) - 0.5,
        aspect="auto",
        interpolation="nearest",
    )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _values(plot: LociPlot, name: str) -> Reals:
    return plot.vaf if name.startswith("vaf") else plot.prevalence


def _quantity(name: str) -> str:
    return "vaf" if name.startswith("vaf") else "prevalence"


def _part(shown: int, total: int, language: Language) -> list[str]:
    return [text("part", language, shown=shown, total=total)] if shown < total else []


def _span(mask: Any) -> tuple[int, int]:
    at = np.flatnonzero(mask)
    return max(int(at[0]) - 1, 0), int(at[-1]) + 2
