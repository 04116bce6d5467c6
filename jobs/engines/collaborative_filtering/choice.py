"""The default model: a small search on tuning folds cut from the training part alone.

First which tables to mix, then how much present demand counts. The folds are made the way the test
fold is made, so that nothing of the test fold is seen. What a portal serves must be good at both
kinds of test: `choose_served` weighs them alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from jobs.engines.collaborative_filtering.arrays import Tick, no_tick
from jobs.engines.collaborative_filtering.blend import Blend, BlendConfig, Parts, Scale
from jobs.engines.collaborative_filtering.co_view import CoView
from jobs.engines.collaborative_filtering.ease import EASE, MOST_ITEMS, EASEConfig
from jobs.engines.collaborative_filtering.interactions import Interactions
from jobs.engines.collaborative_filtering.item_item import ItemItem, ItemItemConfig
from jobs.engines.collaborative_filtering.metrics import Numbers, judge
from jobs.engines.collaborative_filtering.rp3beta import RP3beta, RP3betaConfig
from jobs.engines.collaborative_filtering.splits import Split, by_time, leave_last_out
from jobs.engines.collaborative_filtering.trend import TrendConfig

# A search on more pairs than that takes a sample of the users.
MOST_PAIRS = 300_000
# Shares of the training part after which a fold of time begins: one fold alone has few users.
TIME_FOLDS = (0.5, 0.65, 0.8)
# Fewer judged users than that tell models apart by chance only.
FEWEST_JUDGED = 50
SERVED_SPLITS = ("leave-last-out", "by-time")


@dataclass(frozen=True)
class Demand:
    """How much counts what everybody wants now; see BlendConfig."""

    trend: TrendConfig = field(default_factory=TrendConfig)
    floor: float = 0.0
    floor_days: float = 0.0


FIRST_DEMAND = Demand(TrendConfig(power=0.75, half_life_days=14), floor=1.0, floor_days=30.0)
"""What is taken where too few people could be judged."""
TRENDS = tuple(
    TrendConfig(power=power, half_life_days=days)
    for days in (14.0, 30.0)
    for power in (0.5, 0.75, 1.0)
)
# The last one is recent popularity in all but name.
STEADY_FLOORS = ((0.0, 0.0), (0.1, 0.0), (0.3, 0.0), (1.0, 0.0), (30.0, 0.0))
RISING_FLOORS = ((0.3, 30.0), (1.0, 30.0), (3.0, 30.0))
DEMANDS = (
    Demand(),
    *(Demand(trend, *floor) for trend in TRENDS for floor in (*STEADY_FLOORS, *RISING_FLOORS)),
)


@dataclass(frozen=True)
class Mixture:
    """Tables to mix, and how old items of a history count."""

    window: float = 0.0
    together: float = 0.0
    walk: float = 0.0
    linear: float = 0.0
    recency: float = 1.0

    def model(self, demand: Demand = FIRST_DEMAND) -> Blend:
        parts: Parts = [
            (weight, model)
            for weight, model in (
                (self.window, CoView()),
                (self.together, ItemItem(ItemItemConfig(neighbours=200, alpha=0.7))),
                (self.walk, RP3beta(RP3betaConfig())),
                (self.linear, EASE(EASEConfig(ridge=50.0))),
            )
            if weight
        ]
        scale = Scale.NONE if len(parts) == 1 else Scale.ROW
        config = BlendConfig(recency=self.recency, scale=scale)
        return Blend(asking(config, demand), parts=parts)


def asking(config: BlendConfig, demand: Demand) -> BlendConfig:
    """The configuration with this demand."""
    return replace(config, trend=demand.trend, floor=demand.floor, floor_days=demand.floor_days)


DEFAULT = Mixture(window=0.8, together=0.2)
MIXTURES: tuple[Mixture, ...] = (
    DEFAULT,
    Mixture(window=0.8, together=0.2, recency=0.5),
    Mixture(window=0.5, together=0.2, linear=0.3),
    Mixture(linear=1.0),
    Mixture(linear=1.0, recency=0.0),
    Mixture(walk=1.0, recency=0.0),
    Mixture(together=1.0, recency=0.0),
)
NAMED: Mapping[str, tuple[Mixture, ...]] = MappingProxyType(
    {
        "auto": MIXTURES,
        "blend": (DEFAULT,),
        "window": (Mixture(window=1.0),),
        "item-item": (Mixture(together=1.0, recency=1.0),),
        "rp3beta": (Mixture(walk=1.0),),
        "ease": (Mixture(linear=1.0),),
    }
)
"""What a training may be asked for; of several mixtures the search takes one."""


@dataclass(frozen=True)
class Choice:
    """What the search found."""

    mixture: Mixture
    demand: Demand
    ndcg: float
    """On the tuning folds; 0 when nobody could be judged there."""

    def model(self) -> Blend:
        """The chosen model, not fitted."""
        return self.mixture.model(self.demand)

    @classmethod
    def from_parameters(cls, values: Mapping[str, Any]) -> "Choice":
        """The choice whose `parameters` these are."""
        names = {each.name for each in fields(Mixture)}
        mixture = Mixture(**{name: values.get(name, 0.0) for name in names})
        floor, days = float(values["floor"]), float(values["floor_days"])
        demand = Demand(TrendConfig(**values["trend"]), floor, days)
        return cls(mixture, demand, float(values["tuning_ndcg"]))

    def parameters(self) -> dict[str, Any]:
        """As plain JSON."""
        weights = {name: value for name, value in asdict(self.mixture).items() if value}
        return weights | asdict(self.demand) | {"tuning_ndcg": round(self.ndcg, 4)}


def choose(
    train: Interactions, *, split: str, k: int = 10, seed: int = 0, tick: Tick = no_tick
) -> Choice:
    """The mixture, trend and floor that did best on folds of `train` cut like `split`.

    In folds by time the future differs from the past, so what did about as well as the best counts
    as good (the rule of one standard error, Breiman et al. 1984): of those the first mixture is
    taken, and of the demands the one nearest to recent popularity."""
    folds = _folds(_sample(train, seed=seed), split)
    if not folds:
        return Choice(DEFAULT, FIRST_DEMAND, 0.0)
    mixtures = [mixture for mixture in MIXTURES if _fits(mixture, train)]
    found: dict[Mixture, list[Numbers]] = {}
    for place, mixture in enumerate(mixtures):
        found[mixture] = [_judged(_fitted(mixture.model(), fold), fold, k=k) for fold in folds]
        tick(0.8 * (place + 1) / len(mixtures))
    judged = {mixture: np.concatenate(parts) for mixture, parts in found.items()}
    cautious = split == "by-time"
    best = next(iter(_as_good(judged))) if cautious else _best(judged)
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
    NDCG as a share of the best one's, fold kind by fold kind. How high the floor rises for old
    histories matters in folds of time alone: of what did about as well there, the highest is taken.
    Of few users the first mixture is taken as it is."""
    seen = by_time(leave_last_out(data).train).train
    sample = _sample(seen, seed=seed)
    kinds = [folds for split in SERVED_SPLITS if (folds := _folds(sample, split))]
    if sum(len(fold.users) for folds in kinds for fold in folds) < FEWEST_JUDGED:
        return Choice(mixtures[0], FIRST_DEMAND, 0.0)
    fitting = [mixture for mixture in mixtures if _fits(mixture, data)] or [DEFAULT]
    judged: list[dict[Mixture, float]] = [{} for _ in kinds]
    for place, mixture in enumerate(fitting if len(fitting) > 1 else ()):
        for figures, folds in zip(judged, kinds, strict=True):
            parts = [_judged(_fitted(mixture.model(), fold), fold, k=k) for fold in folds]
            figures[mixture] = float(np.concatenate(parts).mean())
        tick(0.7 * (place + 1) / len(fitting))
    best = _best_overall(judged) if len(fitting) > 1 else fitting[0]
    demands = [_demands(best, folds, k=k) for folds in kinds]
    tick(1.0)
    means = [{key: float(each[key].mean()) for key in each} for each in demands]
    demand = _highest_floor(_best_overall(means), demands[-1])
    return Choice(best, demand, means[0][demand])


Option = TypeVar("Option")
Demands = Mapping[Demand, Numbers]


def _best(judged: Mapping[Option, Numbers]) -> Option:
    return max(judged, key=lambda option: float(judged[option].mean()))


def _best_overall(kinds: Sequence[Mapping[Option, float]]) -> Option:
    tops = [max([1e-9, *figures.values()]) for figures in kinds]
    return max(
        kinds[0],
        key=lambda option: sum(
            figures[option] / top for figures, top in zip(kinds, tops, strict=True)
        ),
    )


def _as_good(judged: Mapping[Option, Numbers]) -> dict[Option, Numbers]:
    """The options within one standard error of the best, in their order."""
    best = judged[_best(judged)]
    enough = best.mean() - best.std() / np.sqrt(len(best))
    return {option: figures for option, figures in judged.items() if figures.mean() >= enough}


def _nearest_to_popularity(demands: Demands) -> Demand:
    close = _as_good(demands)
    return max(close, key=lambda demand: (demand.floor, float(close[demand].mean())))


def _highest_floor(found: Demand, by_time: Demands) -> Demand:
    """The highest floor that rises, of those that did about as well as the best with this trend."""
    if found.floor and not found.floor_days:
        return found
    alike = {
        demand: figures
        for demand, figures in by_time.items()
        if demand.trend == found.trend and (demand.floor_days or not demand.floor)
    }
    return max(_as_good(alike), key=lambda demand: demand.floor)


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


def _folds(train: Interactions, split: str) -> list[Split]:
    cuts: list[Callable[[], Split]] = [lambda: leave_last_out(train)]
    if split == "by-time":
        cuts = [lambda share=share: by_time(train, train_share=share) for share in TIME_FOLDS]  # type: ignore[misc]
    return [fold for cut in cuts if len((fold := cut()).users)]


def _sample(train: Interactions, *, seed: int) -> Interactions:
    """All pairs of so many users that there are about MOST_PAIRS."""
    if train.n_pairs <= MOST_PAIRS:
        return train
    order = np.random.default_rng(seed).permutation(train.n_users)
    pairs = np.cumsum(np.diff(train.indptr)[order])
    kept = np.zeros(train.n_users, dtype=bool)
    kept[order[pairs <= MOST_PAIRS]] = True
    return train.only(kept[train.users])
