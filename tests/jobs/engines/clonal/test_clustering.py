"""Whole runs: what must come out on tables with truth, and what must not matter."""

import csv
from pathlib import Path

import numpy as np
import pytest

from jobs.engines import clonal
from jobs.engines.clonal import (
    Clustering,
    ClusteringConfig,
    Density,
    Experiment,
    MutationTable,
    agreement,
    cluster,
    prevalence_error,
    read_mutations,
    simulate,
)
from jobs.engines.clonal.arrays import Ints, Reals
from tests.factories.shared_data import shared_data
from tests.jobs.engines.clonal.tables import make_table

# The comparison of the published figures: PyClone-VI's suggested run on 100 grid points.
PUBLISHED = {"precision": 200.0, "grid": 100, "clusters": 40, "restarts": 10}
BINOMIAL = {"density": Density.BINOMIAL, "grid": 100, "clusters": 20, "restarts": 3}


@pytest.fixture(scope="module")
def small() -> MutationTable:
    return simulate(Experiment(n_mutations=80, n_samples=2, n_clusters=3, seed=3)).table


@pytest.fixture(scope="module")
def result(small: MutationTable) -> Clustering:
    return cluster(small, ClusteringConfig(seed=5))


def shuffled(table: MutationTable) -> MutationTable:
    rows = np.random.default_rng(0).permutation(table.n_mutations)
    return table.rows(rows).columns(np.arange(table.n_samples)[::-1])


def truth_of(name: str, table: MutationTable) -> tuple[Ints, Reals]:
    """True clusters (n_mutations,) and prevalences (n_mutations, n_samples)."""
    path = shared_data(f"clonal/synthetic/{name}.truth.tsv")
    with path.open() as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    places = {name: place for place, name in enumerate(table.mutation_ids)}
    samples = {name: place for place, name in enumerate(table.samples)}
    labels = np.zeros(table.n_mutations, dtype=np.int64)
    prevalence = np.zeros((table.n_mutations, table.n_samples))
    for row in rows:
        place = places[row["mutation_id"]]
        labels[place] = int(row["true_cluster"])
        prevalence[place, samples[row["sample_id"]]] = float(row["true_ccf"])
    return labels, prevalence


def check_truth(name: str, *, clusters: int, v_measure: float, error: float) -> None:
    table = read_mutations(shared_data(f"clonal/synthetic/{name}.tsv"))
    labels, prevalence = truth_of(name, table)

    found = cluster(table)

    assert found.n_clusters == clusters
    assert agreement(labels, found.labels).v_measure >= v_measure
    assert prevalence_error(prevalence, found.loci_prevalence) <= error


def check_elbo(files: list[Path], elbo: float, options: dict[str, object]) -> None:
    found = cluster(read_mutations(*files), ClusteringConfig(**options))  # type: ignore[arg-type]

    assert found.elbo >= elbo - max(0.5, 1e-4 * abs(elbo))


class TestCluster:
    @pytest.mark.parametrize(
        ("name", "clusters", "v_measure", "error"),
        [
            ("d01_n60_s2_k3_d500_bb", 3, 0.999, 0.0115),
            ("d02_n150_s3_k5_d200_bb", 5, 0.8195, 0.0455),
            ("d03_n1000_s4_k7_d100_bb", 7, 0.7765, 0.0295),
        ],
    )
    def test_finds_the_simulated_clusters(
        self, name: str, clusters: int, v_measure: float, error: float
    ) -> None:
        check_truth(name, clusters=clusters, v_measure=v_measure, error=error)

    @pytest.mark.slow
    def test_finds_the_clusters_of_many_mutations(self) -> None:
        check_truth("d04_n5000_s2_k6_d200_bin", clusters=6, v_measure=0.773, error=0.029)

    @pytest.mark.parametrize(
        ("name", "elbo"),
        [
            ("synthetic/d01_n60_s2_k3_d500_bb.tsv", -634.0),
            ("synthetic/d02_n150_s3_k5_d200_bb.tsv", -1884.3),
            pytest.param("synthetic/d03_n1000_s4_k7_d100_bb.tsv", -12191.1, marks=pytest.mark.slow),
            ("pyclone_vi/synthetic.tsv", -1606.2),
            ("pyclone_vi/mixing_small.tsv", -375.3),
            ("pyclone/cp08", -2198.5),
            ("pyclone/cp18", -2129.9),
        ],
    )
    def test_reaches_the_best_elbo_known(self, name: str, elbo: float) -> None:
        path = shared_data(f"clonal/{name}")
        files = sorted(path.glob("*.tsv")) if path.is_dir() else [path]

        check_elbo(files, elbo, PUBLISHED)

    @pytest.mark.slow
    def test_reaches_the_best_elbo_of_a_real_tumour(self) -> None:
        check_elbo([shared_data("clonal/pyclone_vi/tracerx.tsv")], -17469.5, PUBLISHED)

    @pytest.mark.slow
    def test_reaches_the_best_elbo_of_many_mutations(self) -> None:
        files = [shared_data("clonal/synthetic/d04_n5000_s2_k6_d200_bin.tsv")]

        check_elbo(files, -38071.7, BINOMIAL)

    def test_gives_the_same_bytes_for_the_same_seed(
        self, small: MutationTable, result: Clustering
    ) -> None:
        again = cluster(small, ClusteringConfig(seed=5))

        assert again.cluster_tsv() == result.cluster_tsv()
        assert again.loci_tsv() == result.loci_tsv()

    def test_does_not_depend_on_the_order_of_rows_and_samples(
        self, small: MutationTable, result: Clustering
    ) -> None:
        other = cluster(shuffled(small), ClusteringConfig(seed=5))

        assert other.cluster_tsv() == result.cluster_tsv()
        assert other.loci_tsv() == result.loci_tsv()

    @pytest.mark.slow
    def test_does_not_depend_on_the_number_of_processes(
        self, small: MutationTable, result: Clustering
    ) -> None:
        other = cluster(small, ClusteringConfig(seed=5, processes=2))

        assert other.loci_tsv() == result.loci_tsv()

    def test_numbers_clusters_from_the_highest_prevalence(self, result: Clustering) -> None:
        assert np.all(np.diff(result.prevalence.mean(axis=1)) <= 0)
        assert set(result.labels.tolist()) == set(range(result.n_clusters))
        assert result.sizes.sum() == result.table.n_mutations

    def test_keeps_shares_between_0_and_1(self, result: Clustering) -> None:
        for values in (result.prevalence, result.probability, result.posterior):
            assert values.min() >= 0
            assert values.max() <= 1 + 1e-9

    @pytest.mark.parametrize("density", Density)
    def test_clusters_one_mutation(self, density: Density) -> None:
        found = cluster(make_table([[(100, 20)]]), ClusteringConfig(density=density))

        assert found.sizes.tolist() == [1]
        # Two copies, one mutated: the prevalence is twice the share of reads.
        assert found.prevalence[0, 0] == pytest.approx(0.33, abs=0.05)

    def test_bears_mutations_without_reads(self) -> None:
        found = cluster(make_table([[(0, 0), (0, 0)], [(0, 0), (0, 0)]]))

        assert found.sizes.sum() == 2
        assert "\t\t" in found.loci_tsv()

    def test_keeps_to_the_clusters_allowed(self, small: MutationTable) -> None:
        found = cluster(small, ClusteringConfig(clusters=2))

        assert found.n_clusters == 2

    def test_anneals(self, small: MutationTable, result: Clustering) -> None:
        precision = result.model.precision
        found = cluster(small, ClusteringConfig(annealing_steps=5, precision=precision, restarts=3))

        assert found.elbo == pytest.approx(result.elbo, abs=2)

    def test_reports_rising_progress(self, small: MutationTable) -> None:
        seen: list[float] = []

        cluster(small, progress=lambda fraction, _text: seen.append(fraction))

        assert seen[-1] == 1.0
        assert seen == sorted(seen)

    @pytest.mark.parametrize("calls", [1, 3, 10, 40])
    def test_can_be_cancelled(self, small: MutationTable, calls: int) -> None:
        left = iter(range(calls))

        def stop(_fraction: float, _text: str) -> None:
            if next(left, None) is None:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            cluster(small, progress=stop)

    def test_refuses_an_empty_table(self, small: MutationTable) -> None:
        with pytest.raises(ValueError, match="no mutations"):
            cluster(small.rows(np.array([], dtype=np.int64)))

    @pytest.mark.slow
    def test_finds_most_of_twelve_clusters_in_many_mutations(self) -> None:
        made = simulate(
            Experiment(n_mutations=20_000, n_samples=5, n_clusters=12, depth=100, seed=1)
        )

        found = cluster(made.table)

        assert 11 <= found.n_clusters <= 14
        assert agreement(made.clusters, found.labels).v_measure > 0.74


class TestEstimatedPrecision:
    @pytest.mark.parametrize("precision", [50.0, 800.0])
    def test_comes_near_the_simulated_one(self, precision: float) -> None:
        made = simulate(
            Experiment(
                n_mutations=150, n_clusters=3, depth=400, precision=precision, seed=1, diploid=True
            )
        )

        found = cluster(made.table, ClusteringConfig(restarts=2))

        assert 0.7 < found.model.precision / precision < 1.4


class TestLociTsv:
    def test_has_the_columns_of_pyclone_and_the_probability_last(self, result: Clustering) -> None:
        header = result.loci_tsv().splitlines()[0].split("\t")

        assert tuple(header) == clonal.LOCI_COLUMNS
        assert header[-1] == "cluster_assignment_prob"

    def test_has_a_row_for_each_mutation_and_sample(self, result: Clustering) -> None:
        rows = result.loci_tsv().splitlines()[1:]

        assert len(rows) == result.table.n_mutations * result.table.n_samples
        assert rows == sorted(rows)


class TestClusterTsv:
    def test_has_a_row_for_each_cluster_and_sample(self, result: Clustering) -> None:
        lines = result.cluster_tsv().splitlines()

        assert lines[0].split("\t") == ["sample_id", "cluster_id", "size", "mean", "std"]
        assert len(lines) == 1 + result.n_clusters * result.table.n_samples


class TestClusteringConfig:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"precision": 0},
            {"clusters": 0},
            {"restarts": 0},
            {"grid": 5},
            {"weight_prior": 0},
            {"annealing_steps": 0},
            {"tolerance": 0},
            {"processes": 0},
            {"seed": -1},
        ],
        ids=lambda wrong: next(iter(wrong)),
    )
    def test_refuses_what_makes_no_sense(self, wrong: dict[str, int]) -> None:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ClusteringConfig(**wrong)  # type: ignore[arg-type]
