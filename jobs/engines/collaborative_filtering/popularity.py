"""Baselines that every comparison needs: what most users met, ever or of late."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Times,
    Vector,
    column_counts,
    make_csr,
)
from jobs.engines.collaborative_filtering.kernel import keep_strongest
from jobs.engines.collaborative_filtering.product import ProductRecommender
from jobs.engines.collaborative_filtering.trend import recent_counts


@dataclass(frozen=True)
class PopularityConfig:
    """Nothing to set."""


@dataclass(frozen=True)
class RecentPopularityConfig:
    """How fast an event is forgotten."""

    half_life_days: float = 30.0
    """After so many days an event counts half."""


class Popularity(ProductRecommender):
    """Recommends what most users met."""

    Config: ClassVar[type] = PopularityConfig

    def __init__(self, config: Any = None, *values: Any, **named: Any) -> None:
        super().__init__(config, *values, **named)
        self._counts: Vector | None = None

    @property
    def counts(self) -> Vector:
        """(n_items,) users per item."""
        if self._counts is None:
            raise ValueError(f"{type(self).__name__} has not been fitted")
        return self._counts

    def _fit(self, user_items: CSR, times: Times | None, tick: Callable[[float], None]) -> None:
        self._counts = column_counts(user_items).astype(np.float32)

    def _factors(
        self, users: Ids, histories: CSR, *, recalculate: bool, depth: int, idle: Vector
    ) -> tuple[CSR, CSR]:
        everyone = np.arange(len(users) + 1)
        ones = make_csr(
            np.ones(len(users)),
            np.zeros(len(users), dtype=np.int64),
            everyone,
            shape=(len(users), 1),
        )
        return ones, keep_strongest(_one_row(self.counts), keep=depth)

    def _state(self) -> dict[str, npt.NDArray[Any]]:
        return {"counts": self.counts}

    def _restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._counts = state["counts"]


class RecentPopularity(Popularity):
    """Recommends what most users met of late; fit needs the times."""

    Config = RecentPopularityConfig

    def _fit(self, user_items: CSR, times: Times | None, tick: Callable[[float], None]) -> None:
        self._counts = recent_counts(user_items, times, half_life_days=self.config.half_life_days)


def _one_row(counts: Vector) -> CSR:
    ends = np.array([0, len(counts)])
    return make_csr(counts, np.arange(len(counts)), ends, shape=(1, len(counts)))
