"""Pieces that several figures share: panels of samples, cluster colours, parallel lines, legends."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from jobs.engines.clonal.arrays import Ints, Reals
from jobs.engines.clonal.canvas import LINE, label
from jobs.engines.clonal.colours import cluster_style
from jobs.engines.clonal.figure_texts import Language, text

MOST_PANELS = 12
"""Samples drawn as panels beside each other."""
MOST_PAIRED = 6
"""Samples drawn against each other: 21 panels."""
MOST_CLUSTERS = 60
LEGEND_ROWS = 20
# Points or lines above which a vector file would be slow to open; a picture is put in their place.
VECTOR_MARKS = 2_500
AXIS = (-0.05, 1.05)
TOP_INCHES, BOTTOM_INCHES, LEFT_INCHES = 0.62, 0.72, 0.62


def margins(
    figure: Any,
    *,
    right: float = 0.15,
    top: float = TOP_INCHES,
    bottom: float = BOTTOM_INCHES,
    **gaps: float,
) -> None:
    """Room for title, notes and labels, in inches, whatever the size of the figure."""
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        left=LEFT_INCHES / width,
        right=1 - right / width,
        top=1 - top / height,
        bottom=bottom / height,
        **gaps,
    )


def colours(clusters: Ints) -> list[str]:
    """The colour of each cluster."""
    return [cluster_style(int(cluster)).colour for cluster in clusters]


def some_samples(total: int, most: int, language: Language) -> list[str]:
    """The note that only some of the samples are drawn."""
    shown = min(total, most)
    return [text("some_samples", language, shown=shown, total=total)] if shown < total else []


def legend(figure: Any, clusters: Sequence[int], sizes: Ints, language: Language) -> float:
    """A legend on the right with the size of each cluster; returns the inches it takes."""
    handles = []
    for cluster in clusters:
        style: Any = cluster_style(cluster)
        handles.append(
            Line2D(
                [],
                [],
                color=style.colour,
                marker=style.marker,
                linestyle=style.line,
                markersize=5,
                label=f"{cluster} (n={sizes[cluster]:,})",
            )
        )
    n_columns = -(-len(handles) // LEGEND_ROWS)
    height = figure.get_size_inches()[1]
    figure.legend(
        handles=handles,
        title=text("cluster", language),
        loc="upper right",
        bbox_to_anchor=(0.995, 1 - TOP_INCHES * 0.8 / height),
        fontsize=7.5,
        title_fontsize=8,
        frameon=False,
        ncols=n_columns,
    )
    return 1.25 * n_columns


def legend_inches(n_clusters: int) -> float:
    """The width that `legend` will need."""
    return 1.25 * -(-n_clusters // LEGEND_ROWS)


def sample_axis(axes: Any, samples: Sequence[str], language: Language) -> None:
    """The samples along x, and room at both sides."""
    turned = sum(len(label(name)) for name in samples) > 70
    axes.set_xticks(
        range(len(samples)),
        [label(name) for name in samples],
        rotation=30 if turned else 0,
        ha="right" if turned else "center",
    )
    room = 0.5 if len(samples) == 1 else 0.15
    axes.set_xlim(-room, len(samples) - 1 + room)
    axes.set_xlabel(text("sample", language))
    axes.grid(axis="y", color=LINE, linewidth=0.5)
    axes.set_axisbelow(True)


def parallel(axes: Any, values: Reals, clusters: Ints) -> None:
    """A line for each row of (n, n_samples), coloured by cluster; dots where there is one sample."""
    n, n_samples = values.shape
    flat = len(values) * n_samples > VECTOR_MARKS
    alpha = float(np.clip(60 / max(n, 1), 0.08, 0.8))
    if n_samples == 1:
        spread = np.linspace(-0.3, 0.3, n) if n > 1 else np.zeros(1)
        axes.scatter(
            spread,
            values[:, 0],
            c=colours(clusters),
            s=12,
            alpha=max(alpha, 0.4),
            lw=0,
            rasterized=flat,
        )
        return
    places = np.arange(n_samples)
    for cluster in np.unique(clusters).tolist():
        rows = values[clusters == cluster]
        style = cluster_style(cluster)
        lines = [
            np.column_stack([places[known], row[known]])
            for row in rows
            if (known := np.isfinite(row)).any()
        ]
        axes.add_collection(
            LineCollection(lines, colors=style.colour, linewidths=0.8, alpha=alpha, rasterized=flat)
        )


def paired_side(n_samples: int) -> float:
    """Inches of the square that the panels of `pairs` take."""
    return {1: 4.8, 2: 6.4, 3: 7.6}.get(n_samples, 2.1 * n_samples + 1)


def pairs(
    figure: Any, n_samples: int, samples: Sequence[str], axis_label: str, *, right: float
) -> dict[tuple[int, int], Any]:
    """Panels of the lower triangle, diagonal included: (row, column) to its axes."""
    grid = figure.add_gridspec(n_samples, n_samples)
    panels = {}
    for row in range(n_samples):
        for column in range(row + 1):
            axes = figure.add_subplot(grid[row, column])
            axes.set_xlim(*AXIS)
            axes.set_xticks([0, 0.5, 1])
            axes.tick_params(labelsize=7)
            if row == n_samples - 1:
                axes.set_xlabel(label(samples[column]), fontsize=8)
            else:
                axes.set_xticklabels([])
            if row != column:
                axes.set_ylim(*AXIS)
                axes.set_yticks([0, 0.5, 1])
                if column:
                    axes.set_yticklabels([])
            else:
                axes.set_yticks([])
                axes.set_title(label(samples[row]), fontsize=8, pad=3)
            if column == 0 and row:
                axes.set_ylabel(label(samples[row]), fontsize=8)
            panels[row, column] = axes
    margins(figure, right=right, top=0.8, bottom=0.9, wspace=0.1, hspace=0.18)
    width = figure.get_size_inches()[0]
    figure.text(
        (LEFT_INCHES + width - right) / 2 / width,
        0.26 / figure.get_size_inches()[1],
        axis_label,
        ha="center",
        va="bottom",
    )
    return panels
