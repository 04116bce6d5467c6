"""Simulated tumours: sizes, ranges, seeds."""

import numpy as np
import pytest

from jobs.engines.clonal import Density, Experiment, simulate


class TestSimulate:
    def test_makes_what_was_asked_for(self) -> None:
        made = simulate(Experiment(n_mutations=300, n_samples=3, n_clusters=6, depth=150, seed=8))

        depth = made.table.ref_counts + made.table.var_counts
        assert depth.shape == (300, 3)
        assert depth.mean() == pytest.approx(150, rel=0.05)
        assert set(made.clusters.tolist()) == set(range(6))
        assert made.separation >= 0.15

    def test_gives_the_trunk_to_all_cells_and_no_clone_more_than_its_parent(self) -> None:
        made = simulate(Experiment(n_clusters=5, seed=2))

        assert made.prevalence[0] == pytest.approx(1, abs=1e-3)
        assert made.prevalence.min() >= 0
        assert made.prevalence.max() <= 1

    def test_repeats_itself_for_a_seed(self) -> None:
        first, second, other = (simulate(Experiment(seed=seed)).table for seed in (1, 1, 2))

        assert np.array_equal(first.var_counts, second.var_counts)
        assert not np.array_equal(first.var_counts, other.var_counts)

    def test_scatters_more_with_a_small_precision(self) -> None:
        wide = simulate(Experiment(precision=10, diploid=True, n_clusters=1, seed=1)).table.vaf
        sharp = simulate(
            Experiment(density=Density.BINOMIAL, diploid=True, n_clusters=1, seed=1)
        ).table.vaf

        assert wide.std(axis=0).min() > 2 * sharp.std(axis=0).max()

    def test_asks_for_less_separation_when_there_is_no_room(self) -> None:
        made = simulate(Experiment(n_samples=1, n_clusters=12, separation=0.5))

        assert made.separation < 0.5

    @pytest.mark.parametrize(
        "wrong",
        [
            {"n_mutations": 0},
            {"n_clusters": 300},
            {"depth": 0},
            {"tumour_content": (0.5,)},
            {"tumour_content": (0.5, 1.5)},
        ],
        ids=str,
    )
    def test_refuses_the_impossible(self, wrong: dict[str, int]) -> None:
        with pytest.raises(ValueError):
            simulate(Experiment(**wrong))  # type: ignore[arg-type]
