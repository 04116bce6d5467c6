"""The likelihood against a direct summation, state by state and point by point."""

import math
from dataclasses import replace

import numpy as np
import pytest

from jobs.engines.clonal import (
    Density,
    Experiment,
    GenotypePrior,
    MutationTable,
    ReadModel,
    simulate,
)
from jobs.engines.clonal import likelihood as module
from jobs.engines.clonal.likelihood import (
    at_prevalences,
    grid_likelihood,
    log_likelihood,
    make_grid,
)


def ln_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def states_of(prior: GenotypePrior, major: int, minor: int, normal: int) -> list[tuple[int, int]]:
    """(copies in reference cells, mutated copies)."""
    total = major + minor
    if prior is GenotypePrior.MAJOR_COPY_NUMBER:
        before = range(1, major + 1)
    elif prior is GenotypePrior.PARENTAL_COPY_NUMBER:
        before = [x for x in {major, minor, 1} if x > 0]
    else:
        before = range(1, total + 1)
    states = [(normal, x) for x in before]
    if total != normal:
        after = range(1, total + 1) if prior is GenotypePrior.TOTAL_COPY_NUMBER else [1]
        states += [(total, x) for x in after]
    return states


def direct(table: MutationTable, model: ReadModel, row: int, sample: int, f: float) -> float:
    """Section by section as the model is written down; sums of exponentials, no vectors."""
    a, b = int(table.ref_counts[row, sample]), int(table.var_counts[row, sample])
    major, minor = int(table.major_cn[row, sample]), int(table.minor_cn[row, sample])
    normal = int(table.normal_cn[row, sample])
    t, e = float(table.tumour_content[row, sample]), float(table.error_rate[row, sample])
    total = major + minor
    logs = []
    for reference, mutated in states_of(model.prior, major, minor, normal):
        u = min(1 - e, mutated / total)
        top = (1 - t) * normal * e + t * (1 - f) * reference * e + t * f * total * u
        vaf = top / ((1 - t) * normal + t * (1 - f) * reference + t * f * total)
        choose = math.lgamma(a + b + 1) - math.lgamma(a + 1) - math.lgamma(b + 1)
        if model.density is Density.BINOMIAL:
            logs.append(choose + b * math.log(vaf) + a * math.log(1 - vaf))
        else:
            first, second = model.precision * vaf, model.precision - model.precision * vaf
            logs.append(choose + ln_beta(first + b, second + a) - ln_beta(first, second))
    best = max(logs)
    return best + math.log(math.fsum(math.exp(x - best) for x in logs) / len(logs))


@pytest.fixture(scope="module")
def table() -> MutationTable:
    made = simulate(Experiment(n_mutations=12, n_samples=3, n_clusters=3, depth=80, seed=4)).table
    # No reads at all, only variant reads, many reads, many copies.
    made.ref_counts[0, 0] = made.var_counts[0, 0] = 0
    made.ref_counts[1, 1] = 0
    made.ref_counts[2, 2], made.var_counts[2, 2] = 3_000, 1_200
    return replace(made, major_cn=np.where(made.ref_counts == 3_000, 19, made.major_cn))


class TestLogLikelihood:
    @pytest.mark.parametrize("prior", GenotypePrior)
    @pytest.mark.parametrize("density", Density)
    def test_equals_the_direct_sum(
        self, table: MutationTable, density: Density, prior: GenotypePrior
    ) -> None:
        model, grid = ReadModel(density, 150.0, prior), make_grid(9)

        values = log_likelihood(table, model, grid=grid)

        for row, sample, point in np.ndindex(*values.shape):
            expected = direct(table, model, row, sample, float(grid[point]))
            assert values[row, sample, point] == pytest.approx(expected, rel=1e-10, abs=1e-10)

    def test_is_flat_without_reads(self, table: MutationTable) -> None:
        values = log_likelihood(table, ReadModel(), grid=make_grid(9))

        assert np.abs(values[0, 0]).max() < 1e-10


class TestGridLikelihood:
    @pytest.mark.parametrize("cells", [10, 10**9], ids=["float32", "float64"])
    def test_plus_its_offset_is_the_likelihood(
        self, table: MutationTable, cells: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "DOUBLE_CELLS", cells)
        grid = make_grid(11)

        found = grid_likelihood(table, ReadModel(), grid=grid)

        whole = log_likelihood(table, ReadModel(), grid=grid)
        best = whole.max(axis=2)
        assert found.offset == pytest.approx(best.sum(axis=1), abs=1e-9)
        expected = (whole - best[:, :, None]).reshape(len(whole), -1)
        assert found.values == pytest.approx(expected, rel=1e-6, abs=1e-5)

    def test_does_not_depend_on_the_size_of_blocks(
        self, table: MutationTable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = grid_likelihood(table, ReadModel(), grid=make_grid(11)).values
        monkeypatch.setattr(module, "BLOCK_CELLS", 5)

        parts = grid_likelihood(table, ReadModel(), grid=make_grid(11)).values

        assert parts == pytest.approx(whole, abs=1e-12)


class TestAtPrevalences:
    def test_adds_up_samples_of_each_cluster(self, table: MutationTable) -> None:
        grid = make_grid(5)
        prevalence = np.array([[grid[0], grid[2], grid[4]], [grid[3]] * 3])

        found = at_prevalences(table, ReadModel(), prevalence=prevalence)

        # The grid includes the coefficients, which do not depend on the prevalence.
        values = log_likelihood(table, ReadModel(), grid=grid)
        values = values - module.coefficients(table)[:, :, None]
        expected = [
            values[:, 0, 0] + values[:, 1, 2] + values[:, 2, 4],
            values[:, :, 3].sum(axis=1),
        ]
        assert found == pytest.approx(np.array(expected).T, abs=1e-9)
