"""Models that score an item by its similarity to the items of a history.

score(j) = trend(j) * sum over the history h of weight(h) * (1 + rank(h)) ** -recency * table[h, j]
with rank 0 for the newest item of the history."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Times,
    Vector,
    make_csr,
    row_of_entries,
)
from jobs.engines.collaborative_filtering.kernel import with_itself_banned
from jobs.engines.collaborative_filtering.product import ProductRecommender
from jobs.engines.collaborative_filtering.recommender import (
    csr_from_state,
    csr_to_state,
)


class ItemTable(ProductRecommender):
    """Base of the models over items; a subclass fills the table."""

    def __init__(self, config: Any = None, *values: Any, **named: Any) -> None:
        super().__init__(config, *values, **named)
        self._table: CSR | None = None
        self._trend: Vector | None = None
        self._banned: tuple[CSR, CSR] | None = None
        self._scaled: tuple[CSR, Vector, CSR] | None = None

    @property
    def similarity(self) -> CSR:
        """(n_items, n_items): row h holds what an item h of a history adds to other items."""
        if self._table is None:
            raise ValueError(f"{type(self).__name__} has not been fitted")
        return self._table

    @property
    def trend(self) -> Vector:
        """(n_items,) what scores are multiplied with."""
        return np.ones(self.similarity.shape[1], np.float32) if self._trend is None else self._trend

    def contributions(
        self, history: npt.ArrayLike, item: int, weights: npt.ArrayLike | None = None
    ) -> list[tuple[int, float]]:
        items = np.asarray(history, dtype=np.int64)
        weight = np.ones(len(items)) if weights is None else np.asarray(weights)
        fresh = weight * freshness(np.array([0, len(items)]), power=self.config.recency)
        column = np.asarray(self.similarity[items, item].todense()).ravel() if len(items) else fresh
        return strongest_first(items, fresh * column * self.trend[item])

    @abstractmethod
    def _similarities(
        self, user_items: CSR, times: Times | None, tick: Callable[[float], None]
    ) -> CSR:
        """(n_items, n_items), positive, no diagonal, sorted."""

    def rows_again(self, user_items: CSR, rows: Ids) -> CSR | None:
        """Some rows of the table as `fit` would make them of `user_items`; None: it takes a whole fit.

        rows: sorted. Costs what the users of these items did, not what everybody did."""
        return None

    def _fit(self, user_items: CSR, times: Times | None, tick: Callable[[float], None]) -> None:
        self._table = self._similarities(user_items, times, tick)

    def _factors(
        self, users: Ids, histories: CSR, *, recalculate: bool, depth: int, idle: Vector
    ) -> tuple[CSR, CSR]:
        fresh = histories.data * freshness(histories.indptr, power=self.config.recency)
        left = make_csr(fresh, histories.indices, histories.indptr, shape=histories.shape)
        return left, self._scored()

    def _scored(self) -> CSR:
        """The table with the trend in it, made once for every table and trend."""
        if self._trend is None:
            return self.similarity
        of = (self.similarity, self._trend)
        if self._scaled is None or self._scaled[0] is not of[0] or self._scaled[1] is not of[1]:
            self._scaled = (*of, scale_columns(*of))
        return self._scaled[2]

    def _hidden(self, left: CSR, right: CSR, histories: CSR) -> tuple[CSR, CSR]:
        # The left matrix has an entry for every item of the history: its own row can ban it.
        # Kept from one list to the next: copying the table would be most of a list's time.
        if self._banned is None or self._banned[0] is not right:
            self._banned = right, with_itself_banned(right)
        return left, self._banned[1]

    def _item_table(self) -> CSR:
        return self.similarity

    def _state(self) -> dict[str, npt.NDArray[Any]]:
        return csr_to_state("table", self.similarity) | {"trend": self.trend}

    def _restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._table, self._trend = csr_from_state("table", state), state["trend"]


def freshness(indptr: Ids, *, power: float) -> Vector:
    """(1 + rank) ** -power of every entry of rows stored oldest first; the newest has rank 0."""
    n_entries = int(indptr[-1])
    rank = np.repeat(indptr[1:], np.diff(indptr)) - 1 - np.arange(n_entries)
    return np.power(1.0 + rank, -power).astype(np.float32)


def scale_columns(table: CSR, factor: Vector | None) -> CSR:
    """The table with column j multiplied by factor[j]."""
    if factor is None:
        return table
    data = table.data * factor[table.indices]
    return make_csr(data, table.indices, table.indptr, shape=table.shape)


def scale_rows(table: CSR, factor: Vector) -> CSR:
    """The table with row i multiplied by factor[i]."""
    data = table.data * factor[row_of_entries(table)]
    return make_csr(data, table.indices, table.indptr, shape=table.shape)


def strongest_first(items: Ids, amounts: npt.NDArray[Any]) -> list[tuple[int, float]]:
    """The pairs with an amount above 0, largest first, equal ones by item."""
    order = np.lexsort((items, -amounts))
    return [(int(items[i]), float(amounts[i])) for i in order if amounts[i] > 0]
