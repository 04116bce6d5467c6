"""The precision of the beta-binomial, estimated from how reads scatter around their clusters."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from jobs.engines.clonal.arrays import Floats, Reals
from jobs.engines.clonal.likelihood import ReadModel, prepared_at
from jobs.engines.clonal.mutations import MutationTable

SMALLEST, LARGEST = 5.0, 100_000.0
# Roth et al. 2014: the precision has the prior Gamma(shape 1, rate 0.001).
PRIOR_RATE = 0.001


def estimate_precision(
    table: MutationTable, model: ReadModel, *, r: Floats, prevalence: Reals
) -> float:
    """The most probable precision, given what belongs where.

    r: (n_mutations, n_clusters) responsibilities; prevalence: (n_clusters, n_samples)."""

    parts = prepared_at(table, model, prevalence=prevalence)
    weights = [r[part.rows].astype(np.float64) for part in parts]

    def cost(log_precision: float) -> float:
        precision = float(np.exp(log_precision))
        tried = replace(model, precision=precision)
        fit = sum(
            float(np.vdot(share, part.log_likelihood(tried)))
            for share, part in zip(weights, parts, strict=True)
        )
        return PRIOR_RATE * precision - fit

    best = _lowest(cost, float(np.log(SMALLEST)), float(np.log(LARGEST)))
    # Two digits: the others carry no knowledge, and would make results look exact.
    return float(f"{np.exp(best):.2g}")


def _lowest(cost: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is lowest, within 0.01 (golden section search).

    scipy.optimize would do as well, but to import it takes as long as a small run."""
    ratio = (5**0.5 - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = cost(left), cost(right)
    while high - low > 0.01:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = cost(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = cost(right)
    return (low + high) / 2
