"""The mean-field updates and the ELBO, against the formulas written out for every cluster."""

import numpy as np
import pytest
from scipy.special import digamma, gammaln

from jobs.engines.clonal import Experiment, ReadModel, simulate
from jobs.engines.clonal.arrays import Reals
from jobs.engines.clonal.likelihood import grid_likelihood, log_likelihood, make_grid
from jobs.engines.clonal.mixture import Mixture
from jobs.engines.clonal.moves import Moves
from jobs.engines.clonal.starts import random_start, seeded_start

K, G = 6, 25
TABLE = simulate(Experiment(n_mutations=40, n_clusters=3, depth=100, seed=2)).table
GRID = make_grid(G)


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    return Mixture(grid_likelihood(TABLE, ReadModel(), grid=GRID), n_clusters=K, weight_prior=0.7)


def published_elbo(theta: Reals, r: Reals, gamma: Reals, alpha: float) -> float:
    """Section 5's definition with all K clusters. theta: (K, D, G)."""
    values = log_likelihood(TABLE, ReadModel(), grid=GRID)
    scores = np.einsum("kdg,ndg->nk", theta, values)
    expected = digamma(gamma) - digamma(gamma.sum())
    sizes = r.sum(axis=0)
    prior = gammaln(K * alpha) - K * gammaln(alpha) + ((alpha + sizes - 1) * expected).sum()
    prior += np.log(1 / G) * theta.sum() + (r * scores).sum()
    entropy = gammaln(gamma.sum()) - gammaln(gamma).sum() + ((gamma - 1) * expected).sum()
    entropy += (theta * np.log(theta + 1e-6)).sum() + (r * np.log(r + 1e-6)).sum()
    return float(prior - entropy)


class TestElbo:
    def test_is_the_published_one_with_the_spare_clusters_written_out(
        self, mixture: Mixture
    ) -> None:
        state = seeded_start(mixture, np.random.default_rng(0), n_seeds=3)
        for _ in range(3):
            state = mixture.sweep(state)
        copies = [1] * state.n_used + [K - state.n_used]

        elbo = mixture.elbo(state)

        theta = np.repeat(mixture.by_sample(state.theta), copies, axis=0)
        r, gamma = np.repeat(state.r, copies, axis=1), np.repeat(state.gamma, copies)
        assert elbo == pytest.approx(published_elbo(theta, r, gamma, 0.7), rel=1e-10)


class TestSweep:
    def test_never_lowers_the_elbo(self, mixture: Mixture) -> None:
        state = random_start(mixture, np.random.default_rng(1))
        elbos = []
        for _ in range(40):
            state = mixture.sweep(state)
            elbos.append(mixture.elbo(state))

        # The small terms of PyClone-VI's logarithms are not part of what the updates raise.
        assert np.diff(elbos).min() > -1e-3

    def test_shares_out_each_mutation_once(self, mixture: Mixture) -> None:
        state = mixture.sweep(seeded_start(mixture, np.random.default_rng(0), n_seeds=4))

        total = state.r @ mixture.copies(state.n_used)
        assert total == pytest.approx(np.ones(len(total)), abs=1e-12)
        assert mixture.by_sample(state.theta).sum(axis=2) == pytest.approx(1, abs=1e-12)

    def test_leaves_the_spare_column_empty_when_all_clusters_are_in_use(
        self, mixture: Mixture
    ) -> None:
        state = mixture.sweep(random_start(mixture, np.random.default_rng(3)))

        assert state.n_used == K
        assert not state.r[:, -1].any()


class TestImprove:
    def test_never_lowers_the_elbo(self, mixture: Mixture) -> None:
        random = np.random.default_rng(5)
        state = mixture.converge(random_start(mixture, random))

        better = Moves(mixture, random, lambda: None).improve(state)

        assert better.elbo >= state.elbo - 1e-6

    @pytest.mark.parametrize("n_parts", [1, 2, 6])
    def test_finds_the_same_partition_from_too_few_and_too_many(
        self, mixture: Mixture, n_parts: int
    ) -> None:
        random = np.random.default_rng(6)
        r = np.eye(n_parts)[np.arange(mixture.n_mutations) % n_parts]

        state = Moves(mixture, random, lambda: None).improve(mixture.from_responsibilities(r))

        best = max(
            Moves(mixture, random, lambda: None).improve(random_start(mixture, random)).elbo
            for _ in range(3)
        )
        assert state.elbo == pytest.approx(best, abs=0.2)

    def test_stops_when_the_tick_raises(self, mixture: Mixture) -> None:
        def stop() -> None:
            raise InterruptedError

        state = random_start(mixture, np.random.default_rng(0))

        with pytest.raises(InterruptedError):
            Moves(mixture, np.random.default_rng(0), stop).improve(state)
