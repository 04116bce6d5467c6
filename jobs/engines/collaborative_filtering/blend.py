"""Several item models as one: their tables brought to one scale, mixed by weight, cut again.

The mixture is itself one table, so it is stored, served and explained like a single model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from scipy import sparse

from jobs.engines.collaborative_filtering.arrays import CSR, Times, Vector
from jobs.engines.collaborative_filtering.co_view import CoView
from jobs.engines.collaborative_filtering.item_item import ItemItem, ItemItemConfig
from jobs.engines.collaborative_filtering.item_table import ItemTable, scale_rows
from jobs.engines.collaborative_filtering.kernel import keep_strongest
from jobs.engines.collaborative_filtering.trend import TrendConfig, trend_factor

Parts = Sequence[tuple[float, ItemTable]]


class Scale(StrEnum):
    """What is made equal before tables are mixed."""

    ROW = "row"  # the strongest neighbour of every item counts 1: a rare item's row is heard too
    TABLE = "table"  # the mean entry of every table counts 1: rows keep their differences


@dataclass(frozen=True)
class BlendConfig:
    """How the tables are mixed."""

    neighbours: int = 200
    """Similar items kept for every item after mixing."""
    recency: float = 1.0
    """Weight of a history item is (1 + rank) ** -recency."""
    scale: Scale = Scale.ROW
    """What is made equal before mixing."""
    trend: TrendConfig = field(default_factory=TrendConfig)
    """How strongly present demand changes the scores."""


class Blend(ItemTable):
    """A mixture of item models; parts are (weight, model), fitted here."""

    Config = BlendConfig
    config: BlendConfig

    def __init__(self, config: BlendConfig | None = None, *, parts: Parts | None = None) -> None:
        super().__init__(config)
        self.parts = default_parts() if parts is None else parts

    @classmethod
    def _read_config(cls, values: dict[str, Any]) -> BlendConfig:
        values |= {"trend": TrendConfig(**values["trend"]), "scale": Scale(values["scale"])}
        return BlendConfig(**values)

    def _fit(self, user_items: CSR, times: Times | None, tick: Callable[[float], None]) -> None:
        super()._fit(user_items, times, tick)
        if self.config.trend.power:
            self._trend = trend_factor(user_items, times, config=self.config.trend)

    def _similarities(
        self, user_items: CSR, times: Times | None, tick: Callable[[float], None]
    ) -> CSR:
        mixed = sparse.csr_matrix((user_items.shape[1],) * 2, dtype=np.float32)
        for place, (weight, model) in enumerate(self.parts):
            model.fit(user_items, callback=_part_of(tick, place, len(self.parts)), times=times)
            table = one_scale(model.similarity, scale=self.config.scale)
            mixed = mixed + table * np.float32(weight)
        return keep_strongest(mixed, keep=self.config.neighbours)


def default_parts() -> list[tuple[float, ItemTable]]:
    """Mostly what people went on to, and a fifth of what the same people met at any time."""
    together = ItemItemConfig(neighbours=200, alpha=0.7)
    return [(0.8, CoView()), (0.2, ItemItem(together))]


def one_scale(table: CSR, *, scale: Scale) -> CSR:
    """The table divided so that its numbers compare with those of another one."""
    if not table.nnz:
        return table
    if scale is Scale.TABLE:
        return table / table.data.mean()
    largest: Vector = table.max(axis=1).toarray().ravel()
    return scale_rows(table, np.divide(1, largest, where=largest > 0, out=np.ones_like(largest)))


def _part_of(tick: Callable[[float], None], place: int, n_parts: int) -> Callable[[float], None]:
    return lambda fraction: tick((place + fraction) / n_parts)
