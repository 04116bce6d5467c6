"""Several starts of the same inference; the one of the highest ELBO is kept."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from jobs.engines.clonal.config import ClusteringConfig
from jobs.engines.clonal.likelihood import GridLikelihood
from jobs.engines.clonal.mixture import Mixture, State
from jobs.engines.clonal.moves import LEAST_GAIN, Moves
from jobs.engines.clonal.starts import random_start, seeded_start

# Most tumours have fewer clones; splits find the others.
MOST_SEEDS = 20
# Every so many starts one is random, against the case that seeds mislead.
RANDOM_EVERY = 4
# So many restarts with the same best ELBO are taken as proof enough.
ENOUGH_ALIKE = 3
# In nats, and as a part of the ELBO where that is more: what no reader could tell apart.
ALIKE = 0.5
SAME_PART = 1e-5
# The sweeps before the first moves need not end exactly: moves change everything.
ROUGH = 1e-4

Tick = Callable[[float], None]


@dataclass(frozen=True)
class Restarts:
    """The best state, and the ELBO of every start that was made."""

    best: State
    elbos: tuple[float, ...]


def run_restarts(mixture: Mixture, config: ClusteringConfig, *, tick: Tick) -> Restarts:
    """Start until enough starts agree. tick gets the fraction done and may raise to cancel."""
    best: State | None = None
    elbos: list[float] = []
    for state in _states(mixture, config, tick):
        elbos.append(state.elbo)
        alike = max(ALIKE, SAME_PART * abs(state.elbo))
        if best is None or state.elbo > best.elbo + LEAST_GAIN:
            best = state
        if sum(elbo > max(elbos) - alike for elbo in elbos) >= ENOUGH_ALIKE:
            break
    if best is None:
        raise ValueError("a run needs one restart at least")
    return Restarts(best, tuple(elbos))


def one_start(
    mixture: Mixture, config: ClusteringConfig, number: int, *, tick: Callable[[], None]
) -> State:
    """The state that start `number` leads to; it depends on the seed and the number only."""
    random = np.random.default_rng([config.seed, number])
    if config.annealing_steps > 1:
        state = _annealed(mixture, config, random, tick)
    elif number % RANDOM_EVERY == RANDOM_EVERY - 1:
        state = random_start(mixture, random)
    else:
        state = seeded_start(mixture, random, n_seeds=min(config.clusters, MOST_SEEDS))
    tick()
    state = mixture.converge(state, tolerance=ROUGH, max_sweeps=config.max_sweeps)
    return Moves(mixture, random, tick).improve(state, regroup=(2,))


def _states(mixture: Mixture, config: ClusteringConfig, tick: Tick) -> Iterator[State]:
    if config.processes > 1 and config.restarts > 1:
        yield from _in_processes(mixture, config, tick)
        return
    for number in range(config.restarts):
        yield one_start(mixture, config, number, tick=partial(tick, number / config.restarts))


def _annealed(
    mixture: Mixture,
    config: ClusteringConfig,
    random: np.random.Generator,
    tick: Callable[[], None],
) -> State:
    """A start from a likelihood that rises from nothing to its full weight."""
    state = random_start(mixture, random)
    factors = np.linspace(0, 1, config.annealing_steps) ** config.annealing_power
    for factor in factors[1:-1].tolist():
        tick()
        likelihood = mixture.likelihood
        values = likelihood.values * np.asarray(factor, dtype=likelihood.values.dtype)
        weak = Mixture(
            GridLikelihood(
                values, likelihood.offset * factor, likelihood.n_samples, likelihood.grid
            ),
            n_clusters=mixture.n_clusters,
            weight_prior=mixture.alpha,
        )
        state = weak.from_theta(state.theta[:-1])
        state = weak.converge(state, tolerance=ROUGH, max_sweeps=config.max_sweeps)
    return mixture.from_theta(state.theta[:-1])


def _in_processes(mixture: Mixture, config: ClusteringConfig, tick: Tick) -> Iterator[State]:
    """The states in the order of their numbers; leaving early ends the processes."""
    # A fork would copy the locks of whatever threads the caller runs.
    context = multiprocessing.get_context("spawn")
    # One thread each; the children read it when they import numpy.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    n_processes = min(config.processes, config.restarts)
    with context.Pool(n_processes, initializer=_receive, initargs=(mixture, config)) as pool:
        running = [pool.apply_async(_numbered, (n,)) for n in range(config.restarts)]
        for number, result in enumerate(running):
            while not result.ready():
                tick(number / config.restarts)
                result.wait(0.2)
            yield result.get()


_shared: list[tuple[Mixture, ClusteringConfig]] = []


def _receive(mixture: Mixture, config: ClusteringConfig) -> None:
    _shared[:] = [(mixture, config)]


def _numbered(number: int) -> State:
    mixture, config = _shared[0]
    return one_start(mixture, config, number, tick=lambda: None)
