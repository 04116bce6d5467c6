"""Users who met the same items: the same kernel with the axes exchanged.

score(j) = sum over the most similar users v who met j of similarity(u, v) * weight(v, j).
Source: Resnick et al. 1994; Aiolli 2013."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, Times, Vector, make_csr, pattern
from jobs.engines.collaborative_filtering.item_item import cosine_neighbours
from jobs.engines.collaborative_filtering.item_table import strongest_first
from jobs.engines.collaborative_filtering.kernel import Denominator, keep_strongest
from jobs.engines.collaborative_filtering.product import ProductRecommender
from jobs.engines.collaborative_filtering.recommender import (
    csr_from_state,
    csr_to_state,
)


@dataclass(frozen=True)
class UserUserConfig:
    """similarity(u, v) = items of both / (items of u ** alpha * items of v ** (1 - alpha) + shrinkage)"""

    neighbours: int = 100
    """Similar users kept for every user."""
    alpha: float = 0.5
    """0.5 is the cosine."""
    shrinkage: float = 0.0
    """Added below the line: users with short histories need more items in common."""
    binary: bool = True
    """Count every item of a user once. Otherwise weights enter the similarity as well."""


class UserUser(ProductRecommender):
    """Recommends what the most similar users met."""

    Config = UserUserConfig
    config: UserUserConfig

    def __init__(self, config: Any = None, *values: Any, **named: Any) -> None:
        super().__init__(config, *values, **named)
        self._table: CSR | None = None

    @property
    def similarity(self) -> CSR:
        """(n_users, n_users): row u holds the users most similar to u."""
        if self._table is None:
            raise ValueError("UserUser has not been fitted")
        return self._table

    def contributions(
        self, history: npt.ArrayLike, item: int, weights: npt.ArrayLike | None = None
    ) -> list[tuple[int, float]]:
        items = np.asarray(history, dtype=np.int64)
        row = self._one_row(items, weights)
        near = self._compare(row)
        n_row, n_users = self._sizes(row), self._sizes(self.fitted)
        below = n_row[0] ** self.config.alpha * n_users[near.indices] ** (1 - self.config.alpha)
        having = np.asarray(self.fitted[near.indices, item].todense()).ravel()
        votes = having / (below + self.config.shrinkage)
        common = self._vectors(self.fitted)[near.indices][:, items].T @ votes
        return strongest_first(items, common * self._vectors(row)[0, items].toarray().ravel())

    def _fit(self, user_items: CSR, times: Times | None, tick: Callable[[float], None]) -> None:
        self._table = cosine_neighbours(
            user_items,
            neighbours=self.config.neighbours,
            alpha=self.config.alpha,
            shrinkage=self.config.shrinkage,
            binary=self.config.binary,
            tick=tick,
        )

    def _factors(
        self, users: Ids, histories: CSR, *, recalculate: bool, depth: int, idle: Vector
    ) -> tuple[CSR, CSR]:
        if recalculate:
            return self._compare(histories), self.fitted
        if len(users) and not (users.min() >= 0 and users.max() < self.fitted.shape[0]):
            raise IndexError("a user was not there at the fit: use recalculate_user=True")
        return self.similarity[users], self.fitted

    def _compare(self, histories: CSR) -> CSR:
        """Similarity of any histories to the fitted users, the strongest kept."""
        vectors, fitted = self._vectors(histories), self._vectors(self.fitted)
        denominator = Denominator(
            left=np.power(self._sizes(histories), self.config.alpha).astype(np.float32),
            right=np.power(self._sizes(self.fitted), 1 - self.config.alpha).astype(np.float32),
            shrinkage=self.config.shrinkage,
        )
        products = vectors @ fitted.T.tocsr()
        denominator.divide(products, rows=np.arange(products.shape[0]))
        return keep_strongest(products, keep=self.config.neighbours)

    def _vectors(self, rows: CSR) -> CSR:
        return pattern(rows) if self.config.binary else rows

    def _sizes(self, rows: CSR) -> npt.NDArray[Any]:
        vectors = self._vectors(rows)
        return np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()

    def _one_row(self, items: Ids, weights: npt.ArrayLike | None) -> CSR:
        data = np.ones(len(items)) if weights is None else weights
        shape = (1, self.fitted.shape[1])
        return make_csr(data, items, np.array([0, len(items)]), shape=shape)

    def _user_table(self) -> CSR:
        return self.similarity

    def _state(self) -> dict[str, npt.NDArray[Any]]:
        return csr_to_state("table", self.similarity)

    def _restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._table = csr_from_state("table", state)
