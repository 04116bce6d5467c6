"""How well two clusterings of the same mutations agree."""

from dataclasses import dataclass

import numpy as np

from jobs.engines.clonal.arrays import Ints, Reals


@dataclass(frozen=True)
class Agreement:
    """Two clusterings side by side."""

    homogeneity: float
    completeness: float
    v_measure: float
    matches: tuple[tuple[int, int, int], ...]
    """(cluster of the first, cluster of the second, mutations in both), most in common first,
    each cluster once."""


def agreement(first: Ints, second: Ints) -> Agreement:
    """Compare labels; `first` is the truth where there is one.

    Source: Rosenberg and Hirschberg 2007 (V-measure)."""
    table = contingency(first, second)
    homogeneity = _explained(table)
    completeness = _explained(table.T)
    both = homogeneity + completeness
    v_measure = 2 * homogeneity * completeness / both if both else 0.0
    return Agreement(homogeneity, completeness, v_measure, _matches(first, second, table))


def prevalence_error(truth: Reals, estimate: Reals) -> float:
    """Mean absolute error over mutations and samples; arrays (n_mutations, n_samples)."""
    return float(np.abs(truth - estimate).mean())


def contingency(first: Ints, second: Ints) -> Ints:
    """Numbers of mutations by both labels, rows and columns in the order of the labels."""
    (a, i), (b, j) = (np.unique(labels, return_inverse=True) for labels in (first, second))
    table = np.zeros((len(a), len(b)), dtype=np.int64)
    np.add.at(table, (i, j), 1)
    return table


def _explained(table: Ints) -> float:
    """The share of the rows' entropy that the columns explain."""
    total = table.sum()
    entropy = _entropy(table.sum(axis=1) / total)
    if entropy == 0:
        return 1.0
    columns = table.sum(axis=0)
    left = sum(
        n / total * _entropy(column / n) for column, n in zip(table.T, columns, strict=True) if n
    )
    return float(1 - left / entropy)


def _entropy(shares: Reals) -> float:
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum())


def _matches(first: Ints, second: Ints, table: Ints) -> tuple[tuple[int, int, int], ...]:
    rows, columns = np.unique(first).tolist(), np.unique(second).tolist()
    left = table.copy()
    found = []
    while left.size and left.max() > 0:
        i, j = np.unravel_index(int(left.argmax()), left.shape)
        found.append((rows[i], columns[j], int(left[i, j])))
        left[i, :], left[:, j] = -1, -1
    return tuple(found)
