"""A peer of the bench: the published algorithm of PyClone-VI, written from the paper with numpy.

    python bench/workers/clonal_random_starts.py TABLE OUT --clusters 40 --restarts 10 ...

All clusters start at random, full matrices, no moves, one grid: Gillis and Roth, BMC Bioinformatics 2020.
It is NOT PyClone-VI: no line of that is here, and it is faster than it (one matrix product where that
loops). It shows what random starts find, on files for which no figures of PyClone-VI were measured.
Prints one JSON object and writes loci.tsv as PyClone-VI does."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from scipy.special import digamma, gammaln

ROOT = Path(__file__).resolve().parents[2]
TINY = 1e-6


def main() -> int:
    options = _options()
    from jobs.engines import clonal
    from jobs.engines.clonal.likelihood import Density, ReadModel, log_likelihood, make_grid

    table = clonal.read_mutations(options.table)
    model = ReadModel(Density(options.density), options.precision)
    logs = log_likelihood(table, model, grid=make_grid(options.grid))
    shape = (options.clusters, table.n_samples, options.grid)
    flat = logs.reshape(table.n_mutations, -1)
    best: dict[str, object] = {"elbo": -np.inf}
    for restart in range(options.restarts):
        random = np.random.default_rng([options.seed, restart])
        found = fit(flat, shape, random)
        best = found if found["elbo"] > best["elbo"] else best
    r, theta = best["r"], best["theta"]
    labels = np.unique(r.argmax(axis=1), return_inverse=True)[1]
    means = theta.reshape(shape) @ np.linspace(0, 1, options.grid)
    prevalence = means[r.argmax(axis=1)]
    lines = ["mutation_id\tsample_id\tcluster_id\tcellular_prevalence"]
    for name, label, row in zip(table.mutation_ids, labels, prevalence, strict=True):
        lines += [
            f"{name}\t{sample}\t{label}\t{value:.4f}"
            for sample, value in zip(table.samples, row, strict=True)
        ]
    options.out.write_text("\n".join(lines) + "\n")
    print(json.dumps({"elbo": float(best["elbo"]), "clusters": int(labels.max()) + 1}))
    return 0


def fit(
    logs: np.ndarray, shape: tuple[int, int, int], random: np.random.Generator
) -> dict[str, object]:
    """One restart until the ELBO rises by less than 1e-6 of itself in a sweep."""
    n_clusters, _, n_points = shape
    gamma = random.dirichlet(np.ones(n_clusters))
    theta = random.gamma(1.0, size=shape)
    theta = (theta / theta.sum(axis=2, keepdims=True)).reshape(n_clusters, -1)
    scores, last = logs @ theta.T, -np.inf
    for _ in range(10_000):
        logits = scores + digamma(gamma) - digamma(gamma.sum())
        r = np.exp(logits - logits.max(axis=1, keepdims=True))
        r /= r.sum(axis=1, keepdims=True)
        gamma = 1 + r.sum(axis=0)
        evidence = (r.T @ logs).reshape(shape)
        theta = np.exp(evidence - evidence.max(axis=2, keepdims=True))
        theta = (theta / theta.sum(axis=2, keepdims=True)).reshape(n_clusters, -1)
        scores = logs @ theta.T
        now = elbo(r, gamma, theta, scores, n_points)
        if (now - last) / abs(now) < 1e-6:
            break
        last = now
    return {"elbo": now, "r": r, "theta": theta}


def elbo(
    r: np.ndarray, gamma: np.ndarray, theta: np.ndarray, scores: np.ndarray, n_points: int
) -> float:
    """Of the paper, with the small terms inside the logarithms of its program; alpha is 1."""
    logs, total, k = digamma(gamma) - digamma(gamma.sum()), gamma.sum(), len(gamma)
    expected = gammaln(k) + r.sum(axis=0) @ logs - np.log(n_points) * theta.sum()
    entropy = gammaln(total) - gammaln(gamma).sum() + (gamma - 1) @ logs
    entropy += (theta * np.log(theta + TINY)).sum() + (r * np.log(r + TINY)).sum()
    return float(expected + (r * scores).sum() - entropy)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--density", default="beta-binomial")
    parser.add_argument("--precision", type=float, default=200.0)
    parser.add_argument("--clusters", type=int, default=40)
    parser.add_argument("--restarts", type=int, default=10)
    parser.add_argument("--grid", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
