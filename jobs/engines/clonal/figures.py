"""The nine plots of a result as files: SVG, PNG or PDF, in English or Chinese.

    from jobs.engines.clonal import figures

    figures.draw_figure(result, "cluster/density", format="svg", language="zh")   # bytes
    figures.write_figures(result, folder)          # folder/{cluster,loci}/<plot>.svg

Usable from 1 to 20,000 mutations: of many a sample is drawn, and the figure says so. Not imported by
the package itself: matplotlib takes as long to import as a small run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.engines.clonal import canvas, figures_of_clusters, figures_of_loci
from jobs.engines.clonal.canvas import FORMATS
from jobs.engines.clonal.figure_texts import Language
from jobs.engines.clonal.result import Clustering

__all__ = ["FORMATS", "PLOTS", "draw_figure", "write_figures"]

_DRAW: dict[str, Callable[[Clustering, Language, Language], Any]] = {
    "cluster/density": figures_of_clusters.density,
    "cluster/parallel_coordinates": figures_of_clusters.parallel_coordinates,
    "cluster/scatter": figures_of_clusters.scatter,
    "loci/density": figures_of_loci.density,
    "loci/parallel_coordinates": figures_of_loci.parallel_coordinates,
    "loci/scatter": figures_of_loci.scatter,
    "loci/similarity_matrix": figures_of_loci.similarity,
    "loci/vaf_parallel_coordinates": figures_of_loci.vaf_parallel_coordinates,
    "loci/vaf_scatter": figures_of_loci.vaf_scatter,
}
PLOTS = tuple(_DRAW)
"""The names of the nine plots, as PyClone's files are called."""


def draw_figure(
    result: Clustering, plot: str, *, format: str = "svg", language: Language = "en"
) -> bytes:
    """One plot as the bytes of a file.

    Chinese is drawn only where a font has it; elsewhere the figure is in English and says so.
    Raises KeyError for a plot or format that does not exist. Safe to call from several threads."""
    if format not in FORMATS:
        raise KeyError(format)
    with canvas.drawing():
        return canvas.saved(make_figure(result, plot, language=language), format)


def make_figure(result: Clustering, plot: str, *, language: Language = "en") -> Any:
    """One plot as a matplotlib figure; to be used inside `canvas.drawing()`."""
    return _DRAW[plot](result, canvas.spoken(language), language)


def write_figures(
    result: Clustering,
    folder: Path,
    *,
    format: str = "svg",
    language: Language = "en",
    tick: Callable[[float], None] = lambda _: None,
) -> list[Path]:
    """All nine plots below a folder; tick gets the fraction done and may raise to cancel."""
    paths = []
    for number, plot in enumerate(PLOTS):
        tick(number / len(PLOTS))
        path = folder / f"{plot}.{format}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw_figure(result, plot, format=format, language=language))
        paths.append(path)
    return paths
