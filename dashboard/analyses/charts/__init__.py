"""The nine plots of a result as plotly figures, and the tables behind them. No request, no table of the database."""

from collections.abc import Callable

from dashboard.analyses.charts import clusters, loci
from dashboard.analyses.charts.style import Chart, cluster_name
from dashboard.core.i18n import lazy
from jobs.engines.clonal import Clustering, similarity_matrix
from jobs.engines.clonal.colours import cluster_style as style_of

__all__ = ["LABELS", "NAMES", "Chart", "cluster_name", "draw", "style_of", "table"]

DRAW: dict[str, Callable[[Clustering], Chart]] = {
    "cluster/density": clusters.density,
    "cluster/parallel_coordinates": clusters.parallel_coordinates,
    "cluster/scatter": clusters.scatter,
    "loci/density": loci.density,
    "loci/parallel_coordinates": loci.parallel_coordinates,
    "loci/scatter": loci.scatter,
    "loci/similarity_matrix": loci.similarity,
    "loci/vaf_parallel_coordinates": loci.vaf_parallel_coordinates,
    "loci/vaf_scatter": loci.vaf_scatter,
}
NAMES = tuple(DRAW)
"""In the order of PyClone's folder of plots."""
LABELS = {
    "cluster/density": lazy("Clusters: density"),
    "cluster/parallel_coordinates": lazy("Clusters: parallel coordinates"),
    "cluster/scatter": lazy("Clusters: scatter"),
    "loci/density": lazy("Loci: density"),
    "loci/parallel_coordinates": lazy("Loci: parallel coordinates"),
    "loci/scatter": lazy("Loci: scatter"),
    "loci/similarity_matrix": lazy("Loci: similarity matrix"),
    "loci/vaf_parallel_coordinates": lazy("Loci: VAF, parallel coordinates"),
    "loci/vaf_scatter": lazy("Loci: VAF, scatter"),
}


def draw(name: str, result: Clustering) -> Chart:
    """One of the nine."""
    return DRAW[name](result)


def table(name: str, result: Clustering) -> str:
    """The data of a plot, every mutation of it, as tab-separated text for programs."""
    if name.startswith("cluster/density"):
        return _densities(result)
    if name.startswith("cluster/"):
        return result.cluster_tsv()
    if name == "loci/similarity_matrix":
        data = similarity_matrix(result, most=loci.MOST_IN_MATRIX)
        head = "\t".join(["mutation_id", *data.mutation_ids])
        rows = [
            "\t".join([id, *(f"{value:.4f}" for value in row)])
            for id, row in zip(data.mutation_ids, data.values.tolist(), strict=True)
        ]
        return "\n".join([head, *rows, ""])
    return result.loci_tsv()


def _densities(result: Clustering) -> str:
    lines = ["sample_id\tcluster_id\tcellular_prevalence\tprobability"]
    for k in range(result.n_clusters):
        for place, sample in enumerate(result.table.samples):
            lines += [
                f"{sample}\t{k}\t{x:.6f}\t{p:.6g}"
                for x, p in zip(
                    result.grid.tolist(), result.posterior[k, place].tolist(), strict=True
                )
            ]
    return "\n".join([*lines, ""])
