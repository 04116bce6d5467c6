"""Clonal clustering of a mutation table: from counts to clusters with their cellular prevalence.

    clustering = cluster(read_mutations(path), ClusteringConfig(seed=1), progress=print)

Sources: Roth et al., Nature Methods 2014 (PyClone); Gillis and Roth, BMC Bioinformatics 2020
(PyClone-VI). Starts, moves and the finer grid are our own."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from jobs.engines.clonal.arrays import Ints, Progress, Reals, silent
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
from jobs.engines.clonal.restarts import Restarts, one_start, run_restarts
from jobs.engines.clonal.result import Clustering, prevalence_of

USUAL_GRID = 100
USUAL_PRECISION = 200.0
# Above this many mutations the starts look at a sample of them; the best then goes on with all.
SEARCH_ROWS = 5_000
# A cluster narrower than this part of the grid's step cannot be told from its neighbours.
NARROW = 0.5
FINEST_GRID = 1_601
# Cells of the likelihood when the grid is refined by itself: 280 MB in float32.
MOST_CELLS = 70_000_000
PRECISION_ROUNDS = 4
# A change of the precision by less than this part makes no difference worth another fit.
SAME_PRECISION = 0.05
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
        searched = self._searched()
        mixture = self._mixture(searched)
        if self._estimates_precision:
            mixture = self._with_precision(searched, mixture)
        tick = self._stage(0.1, 0.7, "looking for clusters")
        restarts = run_restarts(mixture, self.config, tick=tick)
        mixture, state = self._with_all(mixture, restarts)
        mixture, state = self._refined(mixture, state)
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

    def _searched(self) -> MutationTable:
        if self.table.n_mutations <= SEARCH_ROWS:
            return self.table
        random = np.random.default_rng([self.config.seed, POLISH_STREAM])
        rows = random.choice(self.table.n_mutations, SEARCH_ROWS, replace=False)
        return self.table.rows(np.sort(rows))

    def _mixture(self, table: MutationTable) -> Mixture:
        likelihood: GridLikelihood = grid_likelihood(
            table, self.model, grid=make_grid(self.n_points)
        )
        config = self.config
        return Mixture(likelihood, n_clusters=config.clusters, weight_prior=config.weight_prior)

    def _with_precision(self, table: MutationTable, mixture: Mixture) -> Mixture:
        """The mixture of the precision that a first clustering suggests."""
        tick = self._stage(0.02, 0.1, "estimating the precision")
        state = one_start(mixture, self.config, 0, tick=lambda: tick(0.0))
        for done in range(PRECISION_ROUNDS):
            if not self._adopt_precision(table, mixture, state):
                break
            tick((done + 1) / PRECISION_ROUNDS)
            mixture = self._mixture(table)
            state = mixture.converge(mixture.from_responsibilities(state.r[:, :-1]))
            state = self._moves(mixture, lambda: tick(0.5)).improve(state)
        return mixture

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
            state = self._improved(mixture, state.r[:, :-1], 0.9, 0.97)
        return mixture, state

    def _with_all(self, mixture: Mixture, restarts: Restarts) -> tuple[Mixture, State]:
        """The best state on all mutations, where the starts looked at a part of them."""
        best = restarts.best
        if mixture.n_mutations == self.table.n_mutations:
            return mixture, best
        mixture = self._mixture(self.table)
        state = mixture.sweep(mixture.from_theta(best.theta[:-1]))
        return mixture, self._improved(mixture, state.r[:, :-1], 0.7, 0.8)

    def _refined(self, mixture: Mixture, state: State) -> tuple[Mixture, State]:
        """The state on a grid fine enough for its clusters, unless a grid was asked for."""
        while self.config.grid is None and self._needs_finer(mixture, state):
            self.n_points = 2 * self.n_points - 1
            mixture = self._mixture(self.table)
            state = self._improved(mixture, state.r[:, :-1], 0.8, 0.9)
        return mixture, state

    def _needs_finer(self, mixture: Mixture, state: State) -> bool:
        finer = 2 * self.n_points - 1
        cells = self.table.n_mutations * self.table.n_samples * finer
        if finer > FINEST_GRID or cells > MOST_CELLS:
            return False
        means, stds = prevalence_of(mixture, state.theta[:-1])
        step = 1 / (self.n_points - 1)
        # A cluster at the very end of the grid needs no points beyond it.
        inside = (means > step) & (means < 1 - step)
        return bool((inside & (stds < NARROW * step)).any())

    def _improved(self, mixture: Mixture, r: Reals, start: float, end: float) -> State:
        tick = self._stage(start, end, "refining clusters")
        state = mixture.converge(mixture.from_responsibilities(r), tolerance=1e-5)
        return self._moves(mixture, lambda: tick(0.5)).improve(state)

    def _moves(self, mixture: Mixture, tick: Callable[[], None]) -> Moves:
        random = np.random.default_rng([self.config.seed, POLISH_STREAM, self.n_points])
        return Moves(mixture, random, tick)

    def _stage(self, start: float, end: float, text: str) -> Callable[[float], None]:
        self.progress(start, text)
        return lambda fraction: self.progress(start + fraction * (end - start), text)


def _sorted(table: MutationTable) -> MutationTable:
    """Rows and samples in the order of their names, so that results do not depend on it."""
    rows, samples = _order(table.mutation_ids), _order(table.samples)
    if rows.tolist() == list(range(len(rows))) and samples.tolist() == list(range(len(samples))):
        return table
    return table.rows(rows).columns(samples)


def _order(names: Sequence[str]) -> Ints:
    return np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
