"""What a search may choose from: which tables to mix, and how much counts what everybody wants now."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from jobs.engines.collaborative_filtering.blend import Blend, BlendConfig, Parts, Scale
from jobs.engines.collaborative_filtering.co_view import CoView
from jobs.engines.collaborative_filtering.ease import EASE, EASEConfig
from jobs.engines.collaborative_filtering.item_item import ItemItem, ItemItemConfig
from jobs.engines.collaborative_filtering.rp3beta import RP3beta, RP3betaConfig
from jobs.engines.collaborative_filtering.trend import TrendConfig
from jobs.engines.collaborative_filtering.weighting import BM25, BM25Config


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
    for power in (0.25, 0.5, 0.75, 1.0)
)
# The last one is recent popularity in all but name.
STEADY_FLOORS = ((0.0, 0.0), (0.1, 0.0), (0.3, 0.0), (1.0, 0.0), (30.0, 0.0))
RISING_FLOORS = ((0.3, 30.0), (1.0, 30.0), (3.0, 30.0))
DEMANDS = (
    Demand(),
    *(Demand(trend, *floor) for trend in TRENDS for floor in (*STEADY_FLOORS, *RISING_FLOORS)),
)
SKETCHES = (
    Demand(),
    Demand(TrendConfig(power=0.25)),
    Demand(TrendConfig(power=0.5)),
    FIRST_DEMAND,
)
"""Mixtures are compared each under the one of these that suits it best: one that is good by itself
may be bad, or no better than popularity, where demand counts much."""


@dataclass(frozen=True)
class Mixture:
    """Tables to mix, and how old items of a history count."""

    window: float = 0.0
    together: float = 0.0
    walk: float = 0.0
    terms: float = 0.0
    linear: float = 0.0
    recency: float = 1.0
    alpha: float = 0.5
    """Of the walk, as is beta; see RP3betaConfig."""
    beta: float = 0.4
    ridge: float = 50.0
    """Of the linear model; see EASEConfig."""
    scale: Scale = Scale.ROW
    """What is made equal before mixing, where there is more than one table."""

    def model(self, demand: Demand = FIRST_DEMAND) -> Blend:
        """The mixture, not fitted."""
        walk = RP3betaConfig(alpha=self.alpha, beta=self.beta)
        parts: Parts = [
            (weight, model)
            for weight, model in (
                (self.window, CoView()),
                (self.together, ItemItem(ItemItemConfig(neighbours=200, alpha=0.7))),
                (self.walk, RP3beta(walk)),
                (self.terms, BM25(BM25Config(neighbours=200, binary=True))),
                (self.linear, EASE(EASEConfig(ridge=self.ridge))),
            )
            if weight
        ]
        scale = Scale.NONE if len(parts) == 1 else self.scale
        config = BlendConfig(recency=self.recency, scale=scale)
        return Blend(asking(config, demand), parts=parts)

    def parameters(self) -> dict[str, Any]:
        """As plain JSON, without what is as usual."""
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if getattr(self, each.name) != each.default
        }


def asking(config: BlendConfig, demand: Demand) -> BlendConfig:
    """The configuration with this demand."""
    return replace(config, trend=demand.trend, floor=demand.floor, floor_days=demand.floor_days)


DEFAULT = Mixture(window=0.8, together=0.2)
# The first is taken of those that did about as well. Each is tried with every recency.
TABLES = (
    DEFAULT,
    Mixture(window=0.5, linear=0.5, ridge=300.0, scale=Scale.ROOT),
    Mixture(window=1.0),
    Mixture(walk=1.0, alpha=0.7, beta=0.3),
    Mixture(together=1.0),
    Mixture(terms=1.0),
    Mixture(linear=1.0),
    Mixture(linear=1.0, ridge=300.0),
)
RECENCIES = (1.0, 0.5, 0.0)
MIXTURES = tuple(replace(tables, recency=recency) for tables in TABLES for recency in RECENCIES)
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
        names = {each.name for each in fields(Mixture)} & values.keys()
        # Runs of the first version do not say a recency of 0.
        told = {name: values[name] for name in names}
        mixture = Mixture(
            **({"recency": 0.0} | told | {"scale": Scale(told.get("scale", Scale.ROW))})
        )
        floor, days = float(values["floor"]), float(values["floor_days"])
        demand = Demand(TrendConfig(**values["trend"]), floor, days)
        return cls(mixture, demand, float(values["tuning_ndcg"]))

    def parameters(self) -> dict[str, Any]:
        """As plain JSON."""
        return (
            self.mixture.parameters()
            | {"recency": self.mixture.recency}
            | asdict(self.demand)
            | {"tuning_ndcg": round(self.ndcg, 4)}
        )
