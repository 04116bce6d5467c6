"""Moves between partitions: merging, splitting and regrouping, kept when the ELBO rises.

Given the responsibilities, the best weights and prevalences are known, and with them the bound is a
sum over clusters plus the entropy of the assignment (Bishop 2006, section 10.2). So a move is tried
on the mutations of the few clusters it touches, with the others held still: what it gains there, the
whole gains, and later sweeps only add to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import digamma, gammaln

from jobs.engines.clonal.arrays import Floats, Ints, Reals, log_sum_exp
from jobs.engines.clonal.mixture import LEAST_EXPONENT, Mixture, State
from jobs.engines.clonal.starts import own_scores, pick_seeds

# A move must raise the bound by this much: less is rounding, and could go back and forth.
LEAST_GAIN = 0.1
# A round of moves must gain this part of the ELBO as well, or it is the last.
LEAST_PART = 3e-5
# How far below 0 the first guess of a merge may lie and still be tried with sweeps.
WORTH_TRYING = 30.0
LOCAL_SWEEPS = 20
# Merges refused in a row before the others, which promise less, are let be: where reads tell little,
# all clusters are alike and none of hundreds of pairs is worth it.
MOST_REFUSED = 60
# Numbers of parts tried. Three may pay where any two do not.
SPLITS = (2, 2, 3)
# Mutations of which less than this share belongs to a group do not take part in its moves.
LEAST_SHARE = 1e-3
# Above so many rows a new start of a group is found on a part of them, drawn evenly.
LARGE_GROUP = 3_000
# Mutations that the spare clusters may hold together before one of them is put to use.
LEAST_HELD = 0.5
# Sweeps of everything after moves, before the next ones are looked for.
SWEEPS_BETWEEN = 5


@dataclass(frozen=True)
class Group:
    """The mutations of a few clusters."""

    clusters: Ints
    rows: Ints
    values: Floats
    weights: Floats
    """(n_rows,): the part of each mutation that belongs to the group."""
    shares: Floats
    """(n_rows, n_clusters): how that part is shared out, adding up to 1."""
    bound: float


@dataclass(frozen=True)
class Trial:
    """Another way to share out the mutations of a group."""

    shares: Floats
    bound: float


class Moves:
    """Improves states of one mixture. tick is called between moves and may raise to cancel."""

    def __init__(
        self, mixture: Mixture, random: np.random.Generator, tick: Callable[[], None]
    ) -> None:
        self.mixture, self.random, self.tick = mixture, random, tick
        self._own = own_scores(mixture)

    def improve(
        self, state: State, *, regroup: tuple[int, ...] = (2, 3), max_rounds: int = 50
    ) -> State:
        """The state after moves of all kinds, until none raises the ELBO.

        regroup: numbers of neighbouring clusters that are shared out anew."""
        state = self.mixture.with_elbo(state)
        for _ in range(max_rounds):
            before = state
            worth = before.elbo + max(LEAST_GAIN, LEAST_PART * abs(before.elbo))
            state = self._settled(self.split_all(self._settled(self.merge_all(state))))
            for size in regroup:
                if state.elbo < worth:
                    state = self._settled(self.regroup_all(state, size=size))
            if state.elbo < worth:
                # Sweeps between moves may lose a little of what nothing was gained on.
                return max(before, state, key=lambda each: each.elbo)
        return state

    def merge_all(self, state: State) -> State:
        """Merge pairs of clusters as long as that raises the ELBO."""
        refused: set[tuple[int, int]] = set()
        while state.n_used > 1:
            gains = pair_gains(self.mixture, state)
            merged, n_refused = None, 0
            for pair in _promising(gains):
                if pair in refused:
                    continue
                self.tick()
                touched = _touched(gains, *pair)
                merged = self._merged(state, touched)
                if merged is not None:
                    # A pair that was refused stays so unless one of the two has changed since.
                    state, refused = merged, _renumbered(refused, touched.tolist())
                    break
                refused.add(pair)
                n_refused += 1
                if n_refused == MOST_REFUSED:
                    break
            if merged is None:
                return state
        return state

    def split_all(self, state: State) -> State:
        """Split every cluster in two or three where that raises the ELBO."""
        for cluster in range(state.n_used):
            self.tick()
            free = self.mixture.n_clusters - state.n_used
            if free:
                group = self._group(state, np.array([cluster]))
                trials = [self._reseeded(group, min(n, free + 1)) for n in SPLITS]
                state = self._best_of(state, group, trials)
        return state

    def regroup_all(self, state: State, *, size: int) -> State:
        """Share out each cluster and its neighbours anew, in as many parts or one more or less."""
        for first in range(state.n_used):
            self.tick()
            if first < state.n_used and size <= state.n_used:
                near = np.argsort(-pair_gains(self.mixture, state)[first], kind="stable")
                group = self._group(state, np.append(first, near[: size - 1]))
                trials = list(self._regrouped(state, group))
                state = self._best_of(state, group, trials)
        return state

    def _regrouped(self, state: State, group: Group) -> Iterator[Trial]:
        free = self.mixture.n_clusters - state.n_used
        size = len(group.clusters)
        for n_parts in range(max(size - 1, 1), size + 1 + min(free, 1)):
            yield self._reseeded(group, n_parts)

    def _merged(self, state: State, touched: Ints) -> State | None:
        """The state with the second cluster poured into the first, when that is better."""
        group = self._group(state, touched)
        shares = np.delete(group.shares, 1, axis=1)
        shares[:, 0] += group.shares[:, 1]
        after = self._best_of(state, group, [self._fitted(group, shares)])
        return None if after is state else after

    def _group(self, state: State, clusters: Ints) -> Group:
        parts = state.r[:, clusters]
        weights = parts.sum(axis=1)
        # A thinly spread cluster may have a little of everything and much of nothing.
        rows = np.flatnonzero(weights > min(LEAST_SHARE, float(weights.max()) / 2))
        values, weights = self.mixture.values[rows], weights[rows]
        shares = parts[rows] / weights[:, None]
        group = Group(clusters, rows, values, weights, shares, -np.inf)
        return replace(group, bound=self._bound(group, shares)[0])

    def _reseeded(self, group: Group, n_parts: int) -> Trial:
        """The group in parts that begin around some of its mutations."""
        step = -(-len(group.rows) // LARGE_GROUP)
        if step > 1:
            some = self._thinned(group, step)
            theta = self._bound(some, self._reseeded(some, n_parts).shares)[1]
        else:
            own = self._own[group.rows]
            theta = pick_seeds(self.mixture, group.values, own, self.random, n_seeds=n_parts)
        return self._fitted(group, _soft_max(group.values @ theta.T))

    def _thinned(self, group: Group, step: int) -> Group:
        """Every so many-th row of a group."""
        values, weights = group.values[::step], group.weights[::step]
        shares, rows = group.shares[::step], group.rows[::step]
        some = Group(group.clusters, rows, values, weights, shares, -np.inf)
        return replace(some, bound=self._bound(some, shares)[0])

    def _fitted(self, group: Group, shares: Floats) -> Trial:
        """Where local sweeps lead from the given shares."""
        last = -np.inf
        for left in range(LOCAL_SWEEPS, 0, -1):
            now, theta, sizes = self._bound(group, shares)
            # Sweeps gain less and less: a trial that cannot catch up any more is given up.
            is_late = left < LOCAL_SWEEPS - 2 and (now - last) * left < group.bound - now
            if is_late or now - last < LEAST_GAIN / 2:
                return Trial(shares, now)
            last = now
            log_weights = digamma(self.mixture.alpha + sizes).astype(shares.dtype)
            shares = _soft_max(group.values @ theta.T + log_weights)
        return Trial(shares, self._bound(group, shares)[0])

    def _bound(self, group: Group, shares: Floats) -> tuple[float, Floats, Reals]:
        """The ELBO's part that belongs to a group, with its best prevalences and its sizes."""
        mixture = self.mixture
        parts = shares * group.weights[:, None]
        sizes = parts.sum(axis=0, dtype=np.float64)
        evidence = (parts.T @ group.values).astype(np.float64)
        entropy = -(parts * np.log(shares + np.float32(1e-30))).sum(dtype=np.float64)
        total = bound(mixture, evidence, sizes).sum() - parts.shape[1] * gammaln(mixture.alpha)
        theta = mixture.posteriors(evidence).astype(parts.dtype)
        return float(total + entropy), theta, sizes

    def _best_of(self, state: State, group: Group, trials: list[Trial]) -> State:
        best = max(trials, key=lambda trial: trial.bound)
        if best.bound < group.bound + LEAST_GAIN:
            return state
        # The rows left aside keep their little share in the first part.
        parts = np.zeros((len(state.r), best.shares.shape[1]), dtype=state.r.dtype)
        parts[:, 0] = state.r[:, group.clusters].sum(axis=1)
        parts[group.rows] = best.shares * group.weights[:, None]
        others = np.delete(state.r[:, :-1], group.clusters, axis=1)
        return self.mixture.from_responsibilities(np.hstack([others, parts]))

    def _with_spare_in_use(self, state: State) -> State:
        """The state with one cluster for what all spare ones hold together.

        They stay alike for ever, so no sweep would make one of them differ."""
        held = state.r[:, -1] * (self.mixture.n_clusters - state.n_used)
        if held.sum() < LEAST_HELD:
            return state
        return self.mixture.from_responsibilities(np.column_stack([state.r[:, :-1], held]))

    def _settled(self, state: State) -> State:
        state = self._with_spare_in_use(state)
        for _ in range(SWEEPS_BETWEEN):
            state = self.mixture.sweep(state)
        self.tick()
        return self.mixture.with_elbo(self.mixture.without_unused(state))


def _promising(gains: Reals) -> list[tuple[int, int]]:
    """Pairs that may be worth a merge, the best first."""
    a, b = np.triu_indices(len(gains), k=1)
    order = np.argsort(-gains[a, b], kind="stable")
    order = order[gains[a, b][order] > -WORTH_TRYING]
    return list(zip(a[order].tolist(), b[order].tolist(), strict=True))


def _touched(gains: Reals, a: int, b: int) -> Ints:
    """A pair and its two nearest neighbours, which may take part of it."""
    near = np.argsort(-np.maximum(gains[a], gains[b]), kind="stable")
    return np.concatenate([[a, b], near[(near != a) & (near != b)][:2]])


def _renumbered(pairs: set[tuple[int, int]], touched: list[int]) -> set[tuple[int, int]]:
    """The pairs without touched clusters, by the numbers they have when those have moved to the end."""
    kept = [pair for pair in pairs if not set(pair) & set(touched)]
    return {tuple(c - sum(t < c for t in touched) for c in pair) for pair in kept}  # type: ignore[misc]


def bound(mixture: Mixture, evidence: Reals, sizes: Reals) -> Reals:
    """(n,): what clusters contribute to the ELBO, the assignment's entropy aside."""
    parts = mixture.by_sample(evidence)
    fit = log_sum_exp(parts, axis=2) - np.log(mixture.likelihood.n_points)
    return np.asarray(fit.sum(axis=1) + gammaln(mixture.alpha + sizes))


def pair_gains(mixture: Mixture, state: State) -> Reals:
    """(n_used, n_used): nats that merging two clusters gains at once; -inf on the diagonal.

    The entropy of the assignment is left out: it can only fall, and it is costly."""
    evidence, sizes = state.evidence[:-1], state.sizes
    alone = bound(mixture, evidence, sizes)
    gains = np.full((len(sizes), len(sizes)), -np.inf)
    for a in range(len(sizes) - 1):
        together = bound(mixture, evidence[a] + evidence[a + 1 :], sizes[a] + sizes[a + 1 :])
        gains[a, a + 1 :] = together - alone[a] - alone[a + 1 :] + gammaln(mixture.alpha)
    return np.maximum(gains, gains.T)


def _soft_max(logits: Floats) -> Floats:
    shares = np.exp(np.maximum(logits - logits.max(axis=1, keepdims=True), LEAST_EXPONENT))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
