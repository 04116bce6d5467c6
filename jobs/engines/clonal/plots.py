"""The data of the nine plots as plain arrays; drawing them is left to whoever shows them.

Clusters: density, parallel coordinates, scatter. Loci: density, parallel coordinates, scatter,
similarity matrix, and the last two again for the VAF. Where there are too many loci to draw, a
sample of each cluster stands for them, and `n_total` says so."""

from dataclasses import dataclass

import numpy as np

from jobs.engines.clonal.arrays import Ints, Reals
from jobs.engines.clonal.result import Clustering

MOST_LOCI = 2_000
MOST_IN_MATRIX = 600
MOST_DENSITIES = 60


@dataclass(frozen=True)
class ClusterPlot:
    """Density, parallel coordinates and scatter of clusters."""

    samples: tuple[str, ...]
    sizes: Ints
    """(n_clusters,)"""
    means: Reals
    """(n_clusters, n_samples)"""
    stds: Reals
    densities: Reals
    """(n_clusters, n_samples, n_points): posterior, the highest point of each scaled to 1."""
    grid: Reals


@dataclass(frozen=True)
class LociPlot:
    """Parallel coordinates and scatter of loci, by prevalence or VAF."""

    samples: tuple[str, ...]
    mutation_ids: tuple[str, ...]
    clusters: Ints
    """(n_loci,)"""
    prevalence: Reals
    """(n_loci, n_samples)"""
    vaf: Reals
    """(n_loci, n_samples), NaN where there are no reads."""
    n_total: int


@dataclass(frozen=True)
class LociDensity:
    """The posterior of single loci: that of the clusters they may belong to."""

    samples: tuple[str, ...]
    mutation_ids: tuple[str, ...]
    clusters: Ints
    densities: Reals
    """(n_loci, n_samples, n_points), adding up to 1."""
    grid: Reals
    n_total: int


@dataclass(frozen=True)
class SimilarityMatrix:
    """Chance that two mutations share a cluster; alike mutations stand side by side."""

    mutation_ids: tuple[str, ...]
    clusters: Ints
    values: Reals
    """(n_loci, n_loci), 0 to 1."""
    n_total: int


def cluster_plot(result: Clustering) -> ClusterPlot:
    """What the three plots of clusters show."""
    highest = result.posterior.max(axis=2, keepdims=True)
    return ClusterPlot(
        result.table.samples,
        result.sizes,
        result.prevalence,
        result.prevalence_std,
        result.posterior / highest,
        result.grid,
    )


def loci_plot(result: Clustering, *, most: int = MOST_LOCI) -> LociPlot:
    """What the four plots of loci as lines or points show."""
    rows = thinned(result, most=most)
    return LociPlot(
        result.table.samples,
        _ids(result, rows),
        result.labels[rows],
        result.loci_prevalence[rows],
        result.table.vaf[rows],
        result.table.n_mutations,
    )


def loci_density(result: Clustering, *, most: int = MOST_DENSITIES) -> LociDensity:
    """The mixture of cluster posteriors for each locus (an engine without sampling)."""
    rows = thinned(result, most=most)
    r = _certain(result)[rows]
    return LociDensity(
        result.table.samples,
        _ids(result, rows),
        result.labels[rows],
        np.einsum("nk,kdg->ndg", r, result.posterior),
        result.grid,
        result.table.n_mutations,
    )


def similarity_matrix(result: Clustering, *, most: int = MOST_IN_MATRIX) -> SimilarityMatrix:
    """Pairwise chances, ordered by average linkage on one minus the chance."""
    rows = thinned(result, most=most)
    r = _certain(result)[rows]
    values = np.clip(r @ r.T, 0, 1)
    np.fill_diagonal(values, 1)
    order = _linkage_order(values)
    rows = rows[order]
    return SimilarityMatrix(
        _ids(result, rows),
        result.labels[rows],
        values[np.ix_(order, order)],
        result.table.n_mutations,
    )


def thinned(result: Clustering, *, most: int) -> Ints:
    """Rows of at most about `most` mutations, spread evenly over each cluster, none forgotten."""
    if result.table.n_mutations <= most:
        return np.arange(result.table.n_mutations)
    part = most / result.table.n_mutations
    chosen = []
    for cluster, size in enumerate(result.sizes.tolist()):
        members = np.flatnonzero(result.labels == cluster)
        n_kept = max(int(size * part), 1)
        chosen.append(members[np.linspace(0, size - 1, n_kept).astype(np.int64)])
    return np.sort(np.concatenate(chosen))


def _linkage_order(similarity: Reals) -> Ints:
    if len(similarity) < 3:
        return np.arange(len(similarity))
    # Imported late: a run that draws nothing does not need it.
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    distance = squareform(1 - similarity, checks=False)
    return np.asarray(leaves_list(linkage(np.maximum(distance, 0), method="average")))


def _certain(result: Clustering) -> Reals:
    r = result.responsibilities
    return np.asarray(r / r.sum(axis=1, keepdims=True))


def _ids(result: Clustering, rows: Ints) -> tuple[str, ...]:
    return tuple(result.table.mutation_ids[row] for row in rows.tolist())
