"""Clonal clustering of a mutation table: from counts to clusters with their cellular prevalence.

    clustering = cluster(read_mutations(path), ClusteringConfig(seed=1), progress=print)

Sources: Roth et al., Nature Methods 2014 (PyClone); Gillis and Roth, BMC Bioinformatics 2020
(PyClone-VI). Starts, moves and the finer grid are our own."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from jobs.engines.clonal.arrays import Ints, Progress, silent
from jobs.engines.clonal.config import ClusteringConfig
from jobs.engines.clonal.likelihood import (
    Density,
    GridLikelihood,
    ReadModel,
    grid_likelihood,
    make_grid,
)
from jobs.engines.clonal.mixture import Mixture, State
from jobs.engines.clonal.moves import Moves
from jobs.engines.clonal.mutations import MutationTable
from jobs.engines.clonal.precision import estimate_precision
from jobs.engines.clonal.restarts import one_start, run_restarts
from jobs.engines.clonal.result import Clustering, prevalence_of

USUAL_GRID = 100
USUAL_PRECISION = 200.0
# Above this many mutations the starts look at a sample of them; the best then goes on with all.
SEARCH_ROWS = 5_000
# A cluster narrower than this part of the grid's step cannot be told from its neighbours.
NARROW = 0.3
NEAR_END = 0.05
FINER_GRIDS = (200, 400, 800)
# Cells of the likelihood when the grid is refined by itself: 200 MB in float32.
MOST_CELLS = 50_000_000
# Mutations that the precision is estimated from: enough for two digits.
PRECISION_ROWS = 2_000
PRECISION_ROUNDS = 4
# A change of the precision by less than this part makes no difference worth another fit.
SAME_PRECISION = 0.1
# Stream of random numbers for work on all mutations; the restarts use 0 and above.
POLISH_STREAM = 1 << 40


def cluster(
    table: MutationTable,
    config: ClusteringConfig | None = None,
    *,
    progress: Progress | None = None,
) -> Clustering:
    """The clusters of a table; the order of its rows and samples does not matter.

    progress is called with the fraction done and a text, and may raise to cancel the run.
    Raises ValueError for a table without mutations."""
    if not table.n_mutations or not table.n_samples:
        raise ValueError("there are no mutations to cluster")
    run = _Run(_sorted(table), config or ClusteringConfig(), progress or silent)
    return run.result()


class _Run:
    """The steps of one run; they share its input and its progress."""

    def __init__(self, table: MutationTable, config: ClusteringConfig, progress: Progress) -> None:
        self.table, self.config, self.progress = table, config, progress
        precision = USUAL_PRECISION if config.precision is None else config.precision
        self.model = ReadModel(config.density, precision, config.prior)
        self.n_points = config.grid or USUAL_GRID

    def result(self) -> Clustering:
        if self._estimates_precision:
            self._estimate(self._some(PRECISION_ROWS))
        mixture = self._mixture(self._some(SEARCH_ROWS))
        tick = self._stage(0.1, 0.7, "looking for clusters")
        restarts = run_restarts(mixture, self.config, tick=tick)
        mixture, state = self._with_all(mixture, restarts.best)
        if self._estimates_precision:
            mixture, state = self._same_precision(mixture, state)
        self.progress(0.97, "finishing")
        tolerance, most = self.config.tolerance, self.config.max_sweeps
        state = mixture.converge(state, tolerance=tolerance, max_sweeps=most)
        self.progress(1.0, "done")
        return Clustering.of(
            self.table, self.config, self.model, mixture, state, elbos=restarts.elbos
        )

    @property
    def _estimates_precision(self) -> bool:
        is_free = self.config.precision is None
        return is_free and self.config.density is Density.BETA_BINOMIAL

    def _some(self, n: int) -> MutationTable:
        """At most n mutations, chosen by chance."""
        if self.table.n_mutations <= n:
            return self.table
        random = np.random.default_rng([self.config.seed, POLISH_STREAM])
        rows = random.choice(self.table.n_mutations, n, replace=False)
        return self.table.rows(np.sort(rows))

    def _mixture(self, table: MutationTable) -> Mixture:
        likelihood: GridLikelihood = grid_likelihood(
            table, self.model, grid=make_grid(self.n_points)
        )
        config = self.config
        return Mixture(likelihood, n_clusters=config.clusters, weight_prior=config.weight_prior)

    def _estimate(self, table: MutationTable) -> None:
        """Take over the precision that a first clustering suggests."""
        tick = self._stage(0.02, 0.1, "estimating the precision")
        mixture = self._mixture(table)
        state = one_start(mixture, self.config, 0, tick=lambda: tick(0.0))
        for done in range(PRECISION_ROUNDS):
            if not self._adopt_precision(table, mixture, state):
                break
            tick((done + 1) / PRECISION_ROUNDS)
            mixture = self._mixture(table)
            state = mixture.converge(mixture.from_responsibilities(state.r[:, :-1]))
            moves = self._moves(mixture, lambda: tick(0.5))
            state = moves.split_all(moves.merge_all(state))

    def _adopt_precision(self, table: MutationTable, mixture: Mixture, state: State) -> bool:
        """Take over the precision that fits the state; whether that changes anything."""
        prevalence, _ = prevalence_of(mixture, state.theta[:-1])
        found = estimate_precision(table, self.model, r=state.r[:, :-1], prevalence=prevalence)
        changes = abs(np.log(found / self.model.precision)) > SAME_PRECISION
        self.model = replace(self.model, precision=found) if changes else self.model
        return bool(changes)

    def _same_precision(self, mixture: Mixture, state: State) -> tuple[Mixture, State]:
        """The state whose precision fits its own clusters."""
        for _ in range(2):
            if not self._adopt_precision(self.table, mixture, state):
                break
            mixture = self._mixture(self.table)
            state = self._improved(mixture, mixture.from_responsibilities(state.r[:, :-1]), 0.9)
        return mixture, state

    def _with_all(self, mixture: Mixture, state: State) -> tuple[Mixture, State]:
        """The best state on all mutations and on a grid that is fine enough for its clusters."""
        is_part = mixture.n_mutations < self.table.n_mutations
        n_points = self._wanted_points(mixture, state)
        if not is_part and n_points == self.n_points:
            return mixture, self._improved(mixture, state, 0.7)
        responsibilities = state.r[:, :-1]
        if is_part:
            coarse = self._mixture(self.table)
            whole = coarse.sweep(coarse.from_theta(state.theta[:-1]))
            responsibilities = whole.r[:, :-1]
        self.n_points = n_points
        mixture = self._mixture(self.table)
        return mixture, self._improved(
            mixture, mixture.from_responsibilities(responsibilities), 0.7
        )

    def _wanted_points(self, mixture: Mixture, state: State) -> int:
        """The coarsest grid that shows the narrowest cluster, or the finest there is room for."""
        if self.config.grid is not None:
            return self.config.grid
        cells = self.table.n_mutations * self.table.n_samples
        possible = [n for n in FINER_GRIDS if cells * n <= MOST_CELLS]
        # With all mutations clusters are narrower than with the part of them looked at.
        part = mixture.n_mutations / self.table.n_mutations
        width = narrowest(mixture, state) * part**0.5
        enough = [n for n in possible if NARROW / (n - 1) <= width]
        is_enough = NARROW / (self.n_points - 1) <= width
        return self.n_points if is_enough or not possible else min(enough, default=possible[-1])

    def _improved(self, mixture: Mixture, state: State, start: float) -> State:
        tick = self._stage(start, 0.95, "refining clusters")
        state = mixture.converge(state, tolerance=1e-5, max_sweeps=self.config.max_sweeps)
        moves = self._moves(mixture, lambda: tick(0.5))
        # With many mutations regrouping takes long, and the starts have done it on a part.
        is_part = mixture.n_mutations > SEARCH_ROWS
        return moves.improve(state, regroup=() if is_part else (2, 3), max_rounds=8)

    def _moves(self, mixture: Mixture, tick: Callable[[], None]) -> Moves:
        random = np.random.default_rng([self.config.seed, POLISH_STREAM, self.n_points])
        return Moves(mixture, random, tick)

    def _stage(self, start: float, end: float, text: str) -> Callable[[float], None]:
        self.progress(start, text)
        return lambda fraction: self.progress(start + fraction * (end - start), text)


def narrowest(mixture: Mixture, state: State) -> float:
    """The smallest standard deviation of a cluster's prevalence, read off the curvature at its peak.

    The posterior on the grid would not show it: between two points there is nothing."""
    evidence = mixture.by_sample(state.evidence[:-1])
    peak = evidence.argmax(axis=2)
    # Towards the ends of the grid clusters are narrow by nature, and nobody asks for more digits.
    share = peak / (evidence.shape[2] - 1)
    inside = (share > NEAR_END) & (share < 1 - NEAR_END)
    cluster, sample = np.nonzero(inside)
    at = peak[inside]
    low, top, high = (evidence[cluster, sample, at + side] for side in (-1, 0, 1))
    curvature = np.maximum(2 * top - low - high, 1e-12)
    return float((1 / np.sqrt(curvature)).min(initial=np.inf)) / (evidence.shape[2] - 1)


def _sorted(table: MutationTable) -> MutationTable:
    """Rows and samples in the order of their names, so that results do not depend on it."""
    rows, samples = _order(table.mutation_ids), _order(table.samples)
    if rows.tolist() == list(range(len(rows))) and samples.tolist() == list(range(len(samples))):
        return table
    return table.rows(rows).columns(samples)


def _order(names: Sequence[str]) -> Ints:
    return np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
