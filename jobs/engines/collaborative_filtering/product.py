"""Models whose scores are the product of two sparse matrices."""

from abc import abstractmethod

import numpy as np

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, Matrix, Vector, pattern
from jobs.engines.collaborative_filtering.kernel import without
from jobs.engines.collaborative_filtering.ranking import best_of_product
from jobs.engines.collaborative_filtering.recommender import Recommender


class ProductRecommender(Recommender):
    """Ranks by a product of two matrices, of which only the best of each row is ever made."""

    @abstractmethod
    def _factors(
        self, users: Ids, histories: CSR, *, recalculate: bool, depth: int, idle: Vector
    ) -> tuple[CSR, CSR]:
        """Two matrices whose product holds the scores, (n_users, k) and (k, n_items).

        depth: how many of the best scores of a row the caller looks at, at most.
        idle: (n_users,) days since the newest event of each history."""

    def _best(
        self,
        users: Ids,
        histories: CSR,
        *,
        n: int,
        factor: Vector,
        hide: bool,
        recalculate: bool,
        idle: Vector,
    ) -> tuple[Ids, Matrix]:
        # So many places may be lost to items already met or not allowed.
        longest = int(np.diff(histories.indptr).max(initial=0))
        depth = n + longest + int((factor == 0).sum())
        left, right = self._factors(
            users, histories, recalculate=recalculate, depth=depth, idle=idle
        )
        if hide:
            left, right = self._hidden(left, right, histories)
        return best_of_product(left, right, n=n, factor=factor)

    def _hidden(self, left: CSR, right: CSR, histories: CSR) -> tuple[CSR, CSR]:
        """The two matrices, so that no item of a history can come back."""
        return without(left, right, banned=pattern(histories))
