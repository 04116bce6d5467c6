"""Mean-field inference of the mixture: sweeps of updates, and the evidence lower bound (ELBO).

Source: Gillis and Roth, BMC Bioinformatics 2020 (PyClone-VI). Weights are Dirichlet; every cluster
has a prevalence on the grid in each sample, independent and uniform beforehand. Clusters that hold
nothing are all alike, so one spare column stands for all of them: the result is that of all
clusters allowed, at the price of those in use."""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from jobs.engines.clonal.arrays import Floats, Reals
from jobs.engines.clonal.likelihood import GridLikelihood

# PyClone-VI adds it inside its logarithms; kept so that ELBOs can be compared with its own.
TINY = 1e-6
# A cluster that holds less than this share of one mutation is not in use.
IN_USE = 0.3
# Rows whose products are added up in float32 before they go into a float64 sum.
BLOCK_ROWS = 4_096
ELBO_EVERY = 5
# Smaller shares make no difference, and as denormal numbers they would slow every product down.
LEAST_EXPONENT = -50.0


@dataclass(frozen=True)
class State:
    """Where inference stands. The last column of each matrix is the spare cluster's."""

    r: Floats
    """(n_mutations, n_used + 1): responsibilities; the spare column counts `spare` times."""
    gamma: Reals
    """(n_used + 1,): Dirichlet parameters of the weights."""
    evidence: Reals
    """(n_used + 1, n_samples * n_points): expected log-likelihood of a cluster's mutations."""
    theta: Floats
    """As evidence: posterior of a cluster's prevalence, adding up to 1 in each sample."""
    scores: Floats
    """(n_mutations, n_used + 1): expected log-likelihood of a mutation in a cluster."""
    elbo: float = -np.inf

    @property
    def n_used(self) -> int:
        return len(self.gamma) - 1

    @property
    def sizes(self) -> Reals:
        """(n_used,): expected numbers of mutations."""
        return np.asarray(self.r[:, :-1].sum(axis=0, dtype=np.float64))


class Mixture:
    """The mixture of one likelihood, with the clusters allowed and the weight prior."""

    def __init__(
        self, likelihood: GridLikelihood, *, n_clusters: int, weight_prior: float = 1.0
    ) -> None:
        self.likelihood, self.values = likelihood, likelihood.values
        self.n_clusters, self.alpha = n_clusters, weight_prior
        self._offset = float(likelihood.offset.sum())

    @property
    def n_mutations(self) -> int:
        return len(self.values)

    def from_theta(self, theta: Floats) -> State:
        """The state after one sweep from the given posteriors (n_used, ...) and equal weights."""
        thetas = np.vstack([theta, self._uniform()]).astype(self.values.dtype)
        weights = np.zeros(len(thetas))
        return self._updated(self._responsibilities(self.values @ thetas.T, weights))

    def from_responsibilities(self, r: Floats) -> State:
        """The state of the given responsibilities (n_mutations, n_used)."""
        spare = np.zeros((len(r), 1), dtype=self.values.dtype)
        return self._updated(np.hstack([r.astype(self.values.dtype), spare]))

    def sweep(self, state: State) -> State:
        """One round of updates: responsibilities, weights, prevalences."""
        return self._updated(self._responsibilities(state.scores, expected_log(self, state.gamma)))

    def converge(self, state: State, *, tolerance: float = 1e-6, max_sweeps: int = 10_000) -> State:
        """Sweeps until the ELBO rises by less than `tolerance` of itself in a sweep."""
        last = -np.inf
        for sweep in range(max_sweeps):
            state = self.sweep(state)
            if sweep % ELBO_EVERY == 0:
                state = self.without_unused(state)
                elbo = self.elbo(state)
                if elbo - last < tolerance * ELBO_EVERY * abs(elbo):
                    break
                last = elbo
        return self.with_elbo(state)

    def without_unused(self, state: State) -> State:
        """The state without columns of clusters that hold nothing."""
        sizes = state.sizes
        # One is always kept: without reads all clusters may hold less than that.
        used = sizes >= min(IN_USE, sizes.max())
        if used.all():
            return state
        keep = np.append(used, True)
        return State(
            state.r[:, keep],
            state.gamma[keep],
            state.evidence[keep],
            state.theta[keep],
            state.scores[:, keep],
        )

    def with_elbo(self, state: State) -> State:
        """The state with its ELBO worked out."""
        elbo = self.elbo(state)
        return State(state.r, state.gamma, state.evidence, state.theta, state.scores, elbo)

    def copies(self, n_used: int) -> Reals:
        """(n_used + 1,): how many clusters each column stands for."""
        return np.append(np.ones(n_used), self.n_clusters - n_used)

    def elbo(self, state: State) -> float:
        """Gillis and Roth 2020, in nats, with the small terms of their program (see TINY)."""
        copies = self.copies(state.n_used)
        log_weights = expected_log(self, state.gamma)
        n_k = state.gamma - self.alpha
        total = float(copies @ state.gamma)
        prior = (
            gammaln(self.n_clusters * self.alpha)
            - self.n_clusters * gammaln(self.alpha)
            + copies @ ((self.alpha + n_k - 1) * log_weights)
            - self.n_clusters * self.likelihood.n_samples * np.log(self.likelihood.n_points)
        )
        entropy = (
            gammaln(total)
            - copies @ gammaln(state.gamma)
            + copies @ ((state.gamma - 1) * log_weights)
            + copies @ _plogp(state.theta, axis=1)
            + copies @ _plogp(state.r, axis=0)
        )
        fit = copies @ np.einsum("nk,nk->k", state.r, state.scores, dtype=np.float64)
        return float(prior + fit + self._offset - entropy)

    def _updated(self, r: Floats) -> State:
        gamma = self.alpha + r.sum(axis=0, dtype=np.float64)
        evidence = np.zeros((r.shape[1], self.values.shape[1]))
        for start in range(0, len(r), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            evidence += r[rows].T @ self.values[rows]
        theta = self.posteriors(evidence).astype(self.values.dtype)
        return State(r, gamma, evidence, theta, self.values @ theta.T)

    def posteriors(self, evidence: Floats) -> Reals:
        """The posterior of each sample's prevalence, (n, n_samples * n_points)."""
        parts = self.by_sample(evidence)
        weights = np.exp(np.maximum(parts - parts.max(axis=2, keepdims=True), LEAST_EXPONENT))
        return np.asarray((weights / weights.sum(axis=2, keepdims=True)).reshape(evidence.shape))

    def by_sample(self, flat: Floats) -> Floats:
        """(n, n_samples, n_points) of (n, n_samples * n_points)."""
        return flat.reshape(len(flat), self.likelihood.n_samples, self.likelihood.n_points)

    def _responsibilities(self, scores: Floats, log_weights: Reals) -> Floats:
        n_used = scores.shape[1] - 1
        logits = scores + log_weights.astype(scores.dtype)
        r = _exp_from_best(logits)
        if n_used == self.n_clusters:
            r[:, -1] = 0
        r /= (r @ self.copies(n_used).astype(r.dtype))[:, None]
        return r

    def _uniform(self) -> Reals:
        return np.full((1, self.values.shape[1]), 1 / self.likelihood.n_points)


def expected_log(mixture: Mixture, gamma: Reals) -> Reals:
    """Expected logarithms of the weights under their Dirichlet posterior."""
    total = mixture.copies(len(gamma) - 1) @ gamma
    return np.asarray(digamma(gamma) - digamma(total))


def _exp_from_best(logits: Floats) -> Floats:
    """Exponentials relative to each row's largest, in place of the logits."""
    logits -= logits.max(axis=1, keepdims=True)
    np.maximum(logits, LEAST_EXPONENT, out=logits)
    return np.exp(logits, out=logits)


def _plogp(p: Floats, *, axis: int) -> Reals:
    return np.asarray(
        (p * np.log(p + np.asarray(TINY, dtype=p.dtype))).sum(axis=axis, dtype=np.float64)
    )
