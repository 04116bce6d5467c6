"""The arrays behind the nine plots."""

import numpy as np
import pytest

from jobs.engines.clonal import (
    Clustering,
    ClusteringConfig,
    Experiment,
    cluster,
    cluster_plot,
    loci_density,
    loci_plot,
    similarity_matrix,
    simulate,
)
from jobs.engines.clonal.plots import thinned
from tests.jobs.engines.clonal.tables import make_table


@pytest.fixture(scope="module")
def result() -> Clustering:
    table = simulate(Experiment(n_mutations=90, n_clusters=3, seed=1)).table
    return cluster(table, ClusteringConfig(restarts=1, precision=200))


class TestClusterPlot:
    def test_scales_every_density_to_the_same_height(self, result: Clustering) -> None:
        plot = cluster_plot(result)

        assert plot.densities.max(axis=2) == pytest.approx(1)
        assert plot.densities.shape == (result.n_clusters, 2, len(plot.grid))


class TestLociPlot:
    def test_has_every_locus_when_there_are_few(self, result: Clustering) -> None:
        plot = loci_plot(result)

        assert plot.prevalence.shape == plot.vaf.shape == (90, 2)
        assert plot.n_total == 90

    def test_says_how_many_there_are_when_it_shows_a_part(self, result: Clustering) -> None:
        plot = loci_plot(result, most=20)

        assert len(plot.mutation_ids) <= 20 + result.n_clusters
        assert plot.n_total == 90


class TestThinned:
    def test_forgets_no_cluster(self, result: Clustering) -> None:
        rows = thinned(result, most=5)

        assert set(result.labels[rows].tolist()) == set(range(result.n_clusters))


class TestLociDensity:
    def test_adds_up_to_one(self, result: Clustering) -> None:
        densities = loci_density(result).densities

        assert densities.sum(axis=2) == pytest.approx(1, abs=1e-6)


class TestSimilarityMatrix:
    def test_is_symmetric_between_0_and_1_with_ones_on_the_diagonal(
        self, result: Clustering
    ) -> None:
        values = similarity_matrix(result).values

        assert np.array_equal(values, values.T)
        assert np.diag(values) == pytest.approx(1)
        assert values.min() >= 0

    def test_puts_mutations_of_a_cluster_side_by_side(self, result: Clustering) -> None:
        matrix = similarity_matrix(result)

        changes = np.count_nonzero(np.diff(matrix.clusters))
        assert changes < len(matrix.clusters) / 4

    @pytest.mark.parametrize("n", [1, 2])
    def test_bears_a_table_of_one_or_two(self, n: int) -> None:
        few = cluster(make_table([[(90, 20)]] * n))

        assert similarity_matrix(few).values.shape == (n, n)
