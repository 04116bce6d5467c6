"""Where inference begins: random posteriors, or posteriors of well-chosen single mutations.

Seeds are picked as k-means++ does (Arthur and Vassilvitskii 2007): a mutation is taken with a chance
that grows with how badly the seeds so far explain it."""

import numpy as np

from jobs.engines.clonal.arrays import Floats
from jobs.engines.clonal.mixture import BLOCK_ROWS, Mixture, State

# Nats by which a seed must fail a mutation before that stops to count: outliers must not win.
LARGEST_GAP = 30.0
# Below this everything is explained as well as by its own posterior; more seeds would be noise.
SMALLEST_GAP = 1.0
# The part of a seed's posterior that is spread over the grid, so that nothing is ruled out.
SPREAD = 0.1


def random_start(mixture: Mixture, random: np.random.Generator) -> State:
    """All clusters allowed, each with a random posterior, as PyClone-VI begins."""
    likelihood = mixture.likelihood
    shape = (mixture.n_clusters, likelihood.n_samples, likelihood.n_points)
    theta = random.exponential(size=shape)
    theta /= theta.sum(axis=2, keepdims=True)
    return mixture.from_theta(theta.reshape(mixture.n_clusters, -1))


def seeded_start(mixture: Mixture, random: np.random.Generator, *, n_seeds: int) -> State:
    """At most `n_seeds` clusters, each around the posterior of one mutation."""
    own = own_scores(mixture)
    return mixture.from_theta(pick_seeds(mixture, mixture.values, own, random, n_seeds=n_seeds))


def own_scores(mixture: Mixture) -> Floats:
    """(n_mutations,): how well each mutation's own posterior explains it."""
    own = np.empty(mixture.n_mutations)
    for start in range(0, len(own), BLOCK_ROWS):
        values = mixture.values[start : start + BLOCK_ROWS]
        scores = np.einsum("ng,ng->n", seed_posterior(mixture, values), values)
        own[start : start + BLOCK_ROWS] = scores
    return own


def pick_seeds(
    mixture: Mixture,
    values: Floats,
    own: Floats,
    random: np.random.Generator,
    *,
    n_seeds: int,
) -> Floats:
    """(n, n_samples * n_points): posteriors of mutations that differ, n at most `n_seeds`.

    values, own: log-likelihoods and own scores of the mutations to choose from."""
    best = np.full(len(values), -np.inf)
    seeds: list[Floats] = []
    gap = np.ones(len(values))
    while len(seeds) < n_seeds and gap.sum() > 0:
        row = random.choice(len(values), p=gap / gap.sum())
        seeds.append(seed_posterior(mixture, values[row : row + 1])[0])
        best = np.maximum(best, values @ seeds[-1])
        gap = np.clip(own - best, 0, LARGEST_GAP)
        gap[gap < SMALLEST_GAP] = 0
    return np.array(seeds)


def seed_posterior(mixture: Mixture, values: Floats) -> Floats:
    """The posterior of each mutation alone, a little spread over the grid."""
    own = mixture.posteriors(values)
    mixed = (1 - SPREAD) * own + SPREAD / mixture.likelihood.n_points
    return mixed.astype(values.dtype)
