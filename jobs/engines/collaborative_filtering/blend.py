"""Several item models as one: their tables brought to one scale, mixed by weight, cut again.

The mixture is itself one table, so it is stored, served and explained like a single model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from scipy import sparse

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Times,
    Vector,
    column_counts,
    pattern,
)
from jobs.engines.collaborative_filtering.co_view import CoView
from jobs.engines.collaborative_filtering.item_item import ItemItem, ItemItemConfig
from jobs.engines.collaborative_filtering.item_table import ItemTable, scale_rows
from jobs.engines.collaborative_filtering.kernel import keep_strongest, without
from jobs.engines.collaborative_filtering.trend import TrendConfig, trend_factor

# So many of the items most wanted now can come back without being similar to anything met.
FLOOR_ITEMS = 300

Parts = Sequence[tuple[float, ItemTable]]


class Scale(StrEnum):
    """What is made equal before tables are mixed."""

    ROW = "row"  # the strongest neighbour of every item counts 1: a rare item's row is heard too
    ROOT = "root"  # half way there: every row is divided by the root of its strongest neighbour
    TABLE = "table"  # the mean entry of every table counts 1: rows keep their differences
    NONE = "none"  # nothing: for a single table


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
    floor: float = 0.0
    """Added to the similarity of the items most wanted now, before the trend multiplies: 0: only
    what is similar is recommended; 1: mostly what is popular of late, in a personal order."""
    floor_days: float = 0.0
    """An old history says less about what is wanted now, so the floor rises with it: half of it
    counts when the newest event is so many days ago. 0: all of it counts at once."""


class Blend(ItemTable):
    """A mixture of item models; parts are (weight, model), fitted here."""

    Config = BlendConfig
    config: BlendConfig

    def __init__(
        self,
        config: BlendConfig | None = None,
        *values: Any,
        parts: Parts | None = None,
        **named: Any,
    ) -> None:
        super().__init__(config, *values, **named)
        self.parts = default_parts() if parts is None else parts
        # The table and the same with a row of what is wanted now, kept from one list to the next.
        self._floored: tuple[CSR, CSR] | None = None

    @classmethod
    def _read_config(cls, values: dict[str, Any]) -> BlendConfig:
        values |= {"trend": TrendConfig(**values["trend"]), "scale": Scale(values["scale"])}
        return BlendConfig(**values)

    def _fit(self, user_items: CSR, times: Times | None, tick: Callable[[float], None]) -> None:
        super()._fit(user_items, times, tick)
        if self.config.trend.power:
            self._trend = trend_factor(user_items, times, config=self.config.trend)

    def with_demand(self, config: BlendConfig, *, times: Times | None) -> "Blend":
        """The same fitted mixture with the trend and the floor of another configuration."""
        other = Blend(config, parts=self.parts)
        other._fitted, other._table = self.fitted, self.similarity
        if config.trend.power:
            other._trend = trend_factor(self.fitted, times, config=config.trend)
        return other

    def _factors(
        self, users: Ids, histories: CSR, *, recalculate: bool, depth: int, idle: Vector
    ) -> tuple[CSR, CSR]:
        left, right = super()._factors(
            users, histories, recalculate=recalculate, depth=depth, idle=idle
        )
        floors = risen(self.config.floor, self.config.floor_days, idle)
        if not floors.any():
            return left, right
        # Similarities count as shares of the history, so that the floor means the same to all.
        total = np.maximum(np.asarray(left.sum(axis=1)).ravel(), 1e-9)
        shares = scale_rows(left, (1 / total).astype(np.float32))
        if self._floored is None or self._floored[0] is not right:
            met = column_counts(self.fitted) > 0
            wanted = keep_strongest(sparse.csr_matrix(self.trend * met), keep=FLOOR_ITEMS)
            self._floored = right, sparse.vstack([right, wanted], format="csr")
        return (
            sparse.hstack([shares, sparse.csr_matrix(floors[:, None])], format="csr"),
            self._floored[1],
        )

    def _hidden(self, left: CSR, right: CSR, histories: CSR) -> tuple[CSR, CSR]:
        if left.shape[1] > histories.shape[1]:  # the floor has a column of its own
            return without(left, right, banned=pattern(histories))
        return super()._hidden(left, right, histories)

    def _similarities(
        self, user_items: CSR, times: Times | None, tick: Callable[[float], None]
    ) -> CSR:
        mixed = sparse.csr_matrix((user_items.shape[1],) * 2, dtype=np.float32)
        for place, (weight, model) in enumerate(self.parts):
            model.fit(user_items, callback=_part_of(tick, place, len(self.parts)), times=times)
            table = one_scale(model.similarity, scale=self.config.scale)
            mixed = mixed + table * np.float32(weight)
        return keep_strongest(mixed, keep=self.config.neighbours)

    def rows_again(self, user_items: CSR, rows: Ids) -> CSR | None:
        if self.config.scale is Scale.TABLE:
            return None  # the mean of a whole table is not known from some of its rows
        mixed = sparse.csr_matrix((len(rows), user_items.shape[1]), dtype=np.float32)
        for weight, model in self.parts:
            part = model.rows_again(user_items, rows)
            if part is None:
                return None
            mixed = mixed + one_scale(part, scale=self.config.scale) * np.float32(weight)
        return keep_strongest(mixed, keep=self.config.neighbours)


def risen(floor: float, floor_days: float, idle: Vector) -> Vector:
    """The floor for histories whose newest event is `idle` days ago; see BlendConfig."""
    share = (
        1 - np.power(0.5, np.maximum(idle, 0) / floor_days) if floor_days else np.ones_like(idle)
    )
    return (floor * share).astype(np.float32)


def default_parts() -> list[tuple[float, ItemTable]]:
    """Mostly what people went on to, and a fifth of what the same people met at any time."""
    together = ItemItemConfig(neighbours=200, alpha=0.7)
    return [(0.8, CoView()), (0.2, ItemItem(together))]


def one_scale(table: CSR, *, scale: Scale) -> CSR:
    """The table divided so that its numbers compare with those of another one."""
    if not table.nnz or scale is Scale.NONE:
        return table
    if scale is Scale.TABLE:
        return table / table.data.mean()
    largest: Vector = table.max(axis=1).toarray().ravel()
    if scale is Scale.ROOT:
        largest = np.sqrt(largest)
    return scale_rows(table, np.divide(1, largest, where=largest > 0, out=np.ones_like(largest)))


def _part_of(tick: Callable[[float], None], place: int, n_parts: int) -> Callable[[float], None]:
    return lambda fraction: tick((place + fraction) / n_parts)
