"""What a run gives: clusters, the place of each mutation, and the tables of PyClone."""

from dataclasses import dataclass
from math import isnan
from typing import Self

import numpy as np

from jobs.engines.clonal.arrays import Floats, Ints, Reals
from jobs.engines.clonal.config import ClusteringConfig
from jobs.engines.clonal.likelihood import ReadModel
from jobs.engines.clonal.mixture import Mixture, State
from jobs.engines.clonal.mutations import MutationTable

CLUSTER_COLUMNS = ("sample_id", "cluster_id", "size", "mean", "std")
LOCI_COLUMNS = (
    "mutation_id",
    "sample_id",
    "cluster_id",
    "cellular_prevalence",
    "cellular_prevalence_std",
    "variant_allele_frequency",
    "cluster_assignment_prob",
)


@dataclass(frozen=True)
class Clustering:
    """Clusters 0..n_clusters-1, highest mean prevalence first; each holds one mutation at least."""

    table: MutationTable
    """Mutations and samples in the order of their names."""
    config: ClusteringConfig
    model: ReadModel
    """With the precision that was used, estimated or given."""
    labels: Ints
    """(n_mutations,): the most probable cluster."""
    responsibilities: Reals
    """(n_mutations, n_clusters): probability of each cluster, 0 to 1."""
    sizes: Ints
    """(n_clusters,): mutations that have it as most probable cluster."""
    prevalence: Reals
    """(n_clusters, n_samples): posterior mean of the share of cancer cells, 0 to 1."""
    prevalence_std: Reals
    """As prevalence: posterior standard deviation."""
    posterior: Reals
    """(n_clusters, n_samples, n_points): posterior on the grid, adding up to 1."""
    grid: Reals
    """(n_points,): 0 to 1."""
    elbo: float
    """Gillis and Roth 2020, in nats; compare at the same clusters, grid, density and precision."""
    restart_elbos: tuple[float, ...]
    """Of the starts that were made; of a sample of the mutations when there are very many."""

    @classmethod
    def of(
        cls,
        table: MutationTable,
        config: ClusteringConfig,
        model: ReadModel,
        mixture: Mixture,
        state: State,
        *,
        elbos: tuple[float, ...],
    ) -> Self:
        """The result that a state of inference stands for."""
        kept, labels = _ordered(mixture, state)
        means, stds = prevalence_of(mixture, state.theta[kept])
        return cls(
            table=table,
            config=config,
            model=model,
            labels=labels,
            responsibilities=state.r[:, kept].astype(np.float64),
            sizes=np.bincount(labels, minlength=len(kept)),
            prevalence=means,
            prevalence_std=stds,
            posterior=mixture.by_sample(state.theta[kept]).astype(np.float64),
            grid=_axis(mixture),
            elbo=state.elbo,
            restart_elbos=elbos,
        )

    @property
    def n_clusters(self) -> int:
        return len(self.sizes)

    @property
    def probability(self) -> Reals:
        """(n_mutations,): that a mutation belongs to its cluster."""
        return np.asarray(self.responsibilities.max(axis=1))

    @property
    def loci_prevalence(self) -> Reals:
        """(n_mutations, n_samples): the prevalence of each mutation's cluster."""
        return self.prevalence[self.labels]

    @property
    def loci_std(self) -> Reals:
        """(n_mutations, n_samples): how far a mutation's prevalence may be from that.

        Counts the clusters it may belong to as well, so it is wider than its cluster's."""
        r = self.responsibilities / self.responsibilities.sum(axis=1, keepdims=True)
        first = r @ self.prevalence
        second = r @ (self.prevalence**2 + self.prevalence_std**2)
        shown = self.loci_prevalence
        return np.asarray(np.sqrt(np.maximum(second - 2 * shown * first + shown**2, 0)))

    def cluster_rows(self) -> list[tuple[str, int, int, float, float]]:
        """Rows of cluster.tsv: every cluster in every sample."""
        return [
            (sample, cluster, int(size), float(means[place]), float(stds[place]))
            for cluster, (size, means, stds) in enumerate(
                zip(self.sizes, self.prevalence, self.prevalence_std, strict=True)
            )
            for place, sample in enumerate(self.table.samples)
        ]

    def cluster_tsv(self) -> str:
        """The table of clusters, in PyClone's columns."""
        lines = [
            f"{sample}\t{cluster}\t{size}\t{mean:.6f}\t{std:.6f}"
            for sample, cluster, size, mean, std in self.cluster_rows()
        ]
        return "\n".join(["\t".join(CLUSTER_COLUMNS), *lines, ""])

    def loci_tsv(self) -> str:
        """The table of mutations, in PyClone's columns and the probability of the cluster.

        The VAF is empty where there are no reads."""
        samples = self.table.samples
        columns = zip(
            self.table.mutation_ids,
            self.labels.tolist(),
            self.loci_prevalence.tolist(),
            self.loci_std.tolist(),
            self.table.vaf.tolist(),
            self.probability.tolist(),
            strict=True,
        )
        lines = ["\t".join(LOCI_COLUMNS)]
        for name, label, means, stds, vafs, probability in columns:
            lines += [
                f"{name}\t{sample}\t{label}\t{mean:.6f}\t{std:.6f}\t"
                f"{'' if isnan(vaf) else format(vaf, '.6f')}\t{probability:.6f}"
                for sample, mean, std, vaf in zip(samples, means, stds, vafs, strict=True)
            ]
        return "\n".join([*lines, ""])


@dataclass(frozen=True)
class ForeignClustering(Clustering):
    """What another program found, as far as its tables tell.

    Posteriors are beta distributions of the mean and deviation in its table; the ELBO may be NaN."""

    own_prevalence: Reals
    """(n_mutations, n_samples): PyClone has a prevalence of its own for every mutation."""
    own_std: Reals

    @property
    def loci_prevalence(self) -> Reals:
        return self.own_prevalence

    @property
    def loci_std(self) -> Reals:
        return self.own_std


def prevalence_of(mixture: Mixture, theta: Floats) -> tuple[Reals, Reals]:
    """Posterior means and standard deviations, (n, n_samples) each."""
    parts = mixture.by_sample(theta.astype(np.float64))
    axis = _axis(mixture)
    mean = parts @ axis
    return mean, np.sqrt(np.maximum(parts @ axis**2 - mean**2, 0))


def _axis(mixture: Mixture) -> Reals:
    return np.linspace(0, 1, mixture.likelihood.n_points)


def _ordered(mixture: Mixture, state: State) -> tuple[Ints, Ints]:
    """The columns of clusters that hold a mutation, in order, and each mutation's place there."""
    # Rounded, so that a difference in the last digit between two machines decides nothing.
    chosen = state.r[:, :-1].argmax(axis=1)
    columns, sizes = np.unique(chosen, return_counts=True)
    means = prevalence_of(mixture, state.theta[columns])[0].round(4)
    keys = [(-means[at].mean().round(4), -sizes[at], *means[at]) for at in range(len(columns))]
    order = sorted(range(len(columns)), key=keys.__getitem__)
    place = np.empty(state.r.shape[1], dtype=np.int64)
    place[columns[order]] = np.arange(len(order))
    return columns[order], place[chosen]
