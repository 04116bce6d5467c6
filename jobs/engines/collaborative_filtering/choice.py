"""The default model: a small search on tuning folds cut from the training part alone.

First which tables to mix, then how much present demand counts. The folds are made the way the test
fold is made, so that nothing of the test fold is seen. What a portal serves must be good at both
kinds of test: `choose_served` weighs them by how many people each judges."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from jobs.engines.collaborative_filtering.arrays import Tick, no_tick
from jobs.engines.collaborative_filtering.blend import Blend
from jobs.engines.collaborative_filtering.ease import MOST_ITEMS
from jobs.engines.collaborative_filtering.interactions import Interactions
from jobs.engines.collaborative_filtering.metrics import Numbers, judge
from jobs.engines.collaborative_filtering.mixtures import (
    DEFAULT,
    DEMANDS,
    FIRST_DEMAND,
    MIXTURES,
    SKETCHES,
    Choice,
    Demand,
    Mixture,
    asking,
)
from jobs.engines.collaborative_filtering.splits import Split, by_time, leave_last_out

# A search on more pairs than that takes a sample of the users.
MOST_PAIRS = 300_000
# Of a fold with more users so many are judged: enough to tell models a hundredth apart.
MOST_JUDGED = 3_000
# Shares of the training part after which a fold of time begins: one fold alone has few users.
TIME_FOLDS = (0.5, 0.65, 0.8)
# Fewer judged users than that tell models apart by chance only.
FEWEST_JUDGED = 50
# So many users make a kind of fold count half of what very many would.
HALF_TRUSTED = 100
# What is more standard errors of the difference below the best is certainly worse.
CERTAIN = 2.0
SERVED_SPLITS = ("leave-last-out", "by-time")

Option = TypeVar("Option")
Demands = Mapping[Demand, Numbers]
Judged = Mapping[Option, Sequence[Numbers]]
"""NDCG of every user, for every kind of fold."""


def choose(
    train: Interactions, *, split: str, k: int = 10, seed: int = 0, tick: Tick = no_tick
) -> Choice:
    """The mixture, trend and floor that did best on folds of `train` cut like `split`.

    Of the mixtures within one standard error of the difference to the best (after Breiman et al.
    1984) the first is taken. In folds by time the future differs from the past as well, so two
    errors are allowed there, and of the demands within two that one is taken which is nearest to
    recent popularity for people who were away."""
    folds = _folds(_sample(train, seed=seed), split, seed=seed)
    if not folds:
        return Choice(DEFAULT, FIRST_DEMAND, 0.0)
    judged: dict[Mixture, list[Numbers]] = {}
    for tables, done in _by_tables(MIXTURES, train):
        found = _at_their_best(tables, folds, k=k)
        judged |= {mixture: [figures] for mixture, figures in found.items()}
        tick(0.8 * done)
    cautious = split == "by-time"
    best = _first_as_good(judged, trust=[1.0], errors=CERTAIN if cautious else 1.0)
    demands = _demands(best, folds, k=k)
    tick(1.0)
    demand = _nearest_to_popularity(demands) if cautious else _best(demands)
    return Choice(best, demand, float(demands[demand].mean()))


def choose_served(
    data: Interactions,
    *,
    mixtures: Sequence[Mixture] = MIXTURES,
    k: int = 10,
    seed: int = 0,
    tick: Tick = no_tick,
) -> Choice:
    """The mixture, trend and floor that did best on both kinds of folds taken together.

    Neither the last item of anybody nor the newest fifth of all pairs is looked at, so the choice
    may be judged on `leave_last_out(data)` and on `by_time(data)`. An option scores the mean of its
    NDCG as a share of the best one's, fold kind by fold kind, the one with few users counting less;
    of the mixtures that did about as well the first is taken. How high the floor rises for old
    histories matters in folds of time alone: of what did about as well there, the highest is taken.
    Of few users the first mixture is taken as it is."""
    seen = by_time(leave_last_out(data).train).train
    sample = _sample(seen, seed=seed)
    kinds = [folds for split in SERVED_SPLITS if (folds := _folds(sample, split, seed=seed))]
    n_judged = [sum(len(fold.users) for fold in folds) for folds in kinds]
    if sum(n_judged) < FEWEST_JUDGED:
        return Choice(mixtures[0], FIRST_DEMAND, 0.0)
    trust = [n / (n + HALF_TRUSTED) for n in n_judged]
    best = next((mixture for mixture in mixtures if _fits(mixture, data)), DEFAULT)
    if len(mixtures) > 1:
        judged: dict[Mixture, list[Numbers]] = {}
        for tables, done in _by_tables(mixtures, data):
            for folds in kinds:
                for mixture, figures in _at_their_best(tables, folds, k=k).items():
                    judged.setdefault(mixture, []).append(figures)
            tick(0.7 * done)
        best = _first_as_good(judged, trust=trust)
    found = [_demands(best, folds, k=k) for folds in kinds]
    tick(1.0)
    demands = {demand: [each[demand] for each in found] for demand in found[0]}
    demand = _highest_floor(_best_overall(demands, trust=trust), found[-1])
    return Choice(best, demand, float(demands[demand][0].mean()))


def _by_tables(
    mixtures: Sequence[Mixture], data: Interactions
) -> Iterator[tuple[list[Mixture], float]]:
    """The mixtures of the same tables together, and the share that is done after each group."""
    groups: dict[Mixture, list[Mixture]] = {}
    for mixture in mixtures:
        if _fits(mixture, data):
            groups.setdefault(replace(mixture, recency=1.0), []).append(mixture)
    for place, group in enumerate(groups.values(), start=1):
        yield group, place / len(groups)


def _at_their_best(
    mixtures: Sequence[Mixture], folds: Sequence[Split], *, k: int
) -> dict[Mixture, Numbers]:
    """Figures of all users for mixtures of the same tables, each under the sketch that suits it."""
    figures: dict[tuple[Mixture, Demand], list[Numbers]] = {}
    for fold in folds:
        fitted = _fitted(mixtures[0].model(), fold)
        for mixture in mixtures:
            for demand in SKETCHES:
                config = asking(replace(fitted.config, recency=mixture.recency), demand)
                model = fitted.with_demand(config, times=fold.train.times)
                figures.setdefault((mixture, demand), []).append(_judged(model, fold, k=k))
    found = {key: np.concatenate(parts) for key, parts in figures.items()}
    return {
        mixture: max((found[mixture, demand] for demand in SKETCHES), key=lambda each: each.mean())
        for mixture in mixtures
    }


def _best(judged: Mapping[Option, Numbers]) -> Option:
    return max(judged, key=lambda option: float(judged[option].mean()))


def _best_overall(judged: Judged[Option], *, trust: Sequence[float]) -> Option:
    """The option of the largest mean, each kind of fold as a share of its best and as it is trusted."""
    scales = _scales(judged, trust)
    return max(
        judged,
        key=lambda option: sum(
            float(figures.mean()) * scale
            for figures, scale in zip(judged[option], scales, strict=True)
        ),
    )


def _first_as_good(
    judged: Judged[Option], *, trust: Sequence[float], errors: float = CERTAIN
) -> Option:
    """The first option below the best by no more than so many standard errors of the difference."""
    scales = _scales(judged, trust)
    best = judged[_best_overall(judged, trust=trust)]
    for option, figures in judged.items():
        less = [(b - f) * s for b, f, s in zip(best, figures, scales, strict=True)]
        error = np.sqrt(sum(float(each.var()) / len(each) for each in less))
        if sum(float(each.mean()) for each in less) <= errors * error:
            return option
    raise ValueError("there is nothing to choose from")


def _scales(judged: Judged[Option], trust: Sequence[float]) -> list[float]:
    kinds = zip(*judged.values(), strict=True)
    tops = [max(1e-9, *(float(each.mean()) for each in kind)) for kind in kinds]
    return [weight / top for weight, top in zip(trust, tops, strict=True)]


def _nearest_to_popularity(demands: Demands) -> Demand:
    """The highest floor that did about as well; one that holds at once only if none that rises did."""
    best = demands[_best(demands)]
    close = [
        demand
        for demand, figures in demands.items()
        if (best - figures).mean() <= CERTAIN * (best - figures).std() / np.sqrt(len(best))
    ]
    rising = [demand for demand in close if demand.floor_days or not demand.floor]
    return max(rising or close, key=lambda demand: (demand.floor, float(demands[demand].mean())))


def _highest_floor(found: Demand, by_time: Demands) -> Demand:
    """The highest floor that rises, of those that did about as well as the best with this trend."""
    if found.floor and not found.floor_days:
        return found
    alike = {
        demand: figures
        for demand, figures in by_time.items()
        if demand.trend == found.trend and (demand.floor_days or not demand.floor)
    }
    return _nearest_to_popularity(alike)


def _demands(mixture: Mixture, folds: Sequence[Split], *, k: int) -> Demands:
    """Figures of all users for every demand; the tables are made once a fold."""
    figures: dict[Demand, list[Numbers]] = {}
    for fold in folds:
        fitted = _fitted(mixture.model(), fold)
        for demand in DEMANDS:
            if demand.floor_days and not fold.idle_days.any():
                # Nobody was idle: a floor that rises is none.
                found = figures[replace(demand, floor=0.0, floor_days=0.0)][-1]
            else:
                model = fitted.with_demand(asking(fitted.config, demand), times=fold.train.times)
                found = _judged(model, fold, k=k)
            figures.setdefault(demand, []).append(found)
    return {key: np.concatenate(parts) for key, parts in figures.items()}


def _fitted(model: Blend, fold: Split) -> Blend:
    model.fit(fold.train.user_items, times=fold.train.times)
    return model


def _judged(model: Blend, fold: Split, *, k: int) -> Numbers:
    histories = fold.train.user_items[fold.users]
    lists, _ = model.recommend(fold.users, histories, N=k, idle_days=fold.idle_days)
    return judge(lists, hidden=fold.hidden).ndcg


def _fits(mixture: Mixture, train: Interactions) -> bool:
    return not mixture.linear or train.n_items <= MOST_ITEMS


def _folds(train: Interactions, split: str, *, seed: int) -> list[Split]:
    cuts: list[Callable[[], Split]] = [lambda: leave_last_out(train)]
    if split == "by-time":
        cuts = [lambda share=share: by_time(train, train_share=share) for share in TIME_FOLDS]  # type: ignore[misc]
    return [_some(fold, seed=seed) for cut in cuts if len((fold := cut()).users)]


def _some(fold: Split, *, seed: int) -> Split:
    """The fold with MOST_JUDGED of its users at most."""
    if len(fold.users) <= MOST_JUDGED:
        return fold
    order = np.random.default_rng(seed).permutation(len(fold.users))
    chosen = np.sort(order[:MOST_JUDGED])
    return replace(
        fold,
        users=fold.users[chosen],
        hidden=fold.hidden[chosen],
        idle_days=fold.idle_days[chosen],
    )


def _sample(train: Interactions, *, seed: int) -> Interactions:
    """All pairs of so many users that there are about MOST_PAIRS."""
    if train.n_pairs <= MOST_PAIRS:
        return train
    order = np.random.default_rng(seed).permutation(train.n_users)
    pairs = np.cumsum(np.diff(train.indptr)[order])
    kept = np.zeros(train.n_users, dtype=bool)
    kept[order[pairs <= MOST_PAIRS]] = True
    return train.only(kept[train.users])
