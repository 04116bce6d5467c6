"""Items met shortly after one another: co-views within a window of each user's sequence.

table[h, j] = (steps from h to j, weighed by distance, + backward * the same from j to h)
              / (sqrt(users of h * users of j) + shrinkage)"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Times,
    Vector,
    column_counts,
    no_tick,
    row_blocks,
    row_of_entries,
)
from jobs.engines.collaborative_filtering.item_table import ItemTable
from jobs.engines.collaborative_filtering.kernel import Denominator, keep_strongest

# Pairs collected before they are added up: 16 bytes each.
PAIRS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class CoViewConfig:
    """How far apart two items of a sequence may be, and how much a pair counts."""

    steps: int = 5
    """Pairs up to so many steps apart count."""
    decay: float = 0.7
    """A pair s steps apart counts decay ** (s - 1)."""
    backward: float = 0.5
    """What the way back counts: from the later item to the earlier one."""
    shrinkage: float = 10.0
    """Added below the line, so that two items that met once are not the most similar of all."""
    neighbours: int = 200
    """Similar items kept for every item."""
    recency: float = 1.0
    """Weight of a history item is (1 + rank) ** -recency: what was met last says most."""


class CoView(ItemTable):
    """Recommends what others went on to from the items of a history."""

    Config = CoViewConfig
    config: CoViewConfig

    def _similarities(
        self, user_items: CSR, times: Times | None, tick: Callable[[float], None]
    ) -> CSR:
        counts = _step_counts(user_items, config=self.config, tick=tick)
        return self._divided(counts, user_items, np.arange(user_items.shape[1]))

    def rows_again(self, user_items: CSR, rows: Ids) -> CSR | None:
        asked = np.zeros(user_items.shape[1], dtype=np.float32)
        asked[rows] = 1
        # Whoever met none of these items made no step from or to them.
        users = np.flatnonzero(user_items @ asked)
        counts = _step_counts(user_items[users], config=self.config, tick=no_tick)
        return self._divided(counts[rows], user_items, rows)

    def _divided(self, counts: CSR, user_items: CSR, rows: Ids) -> CSR:
        root = np.sqrt(column_counts(user_items)).astype(np.float32)
        denominator = Denominator(left=root, right=root, shrinkage=self.config.shrinkage)
        denominator.divide(counts, rows=rows)
        return keep_strongest(counts, keep=self.config.neighbours)


def _step_counts(user_items: CSR, *, config: CoViewConfig, tick: Callable[[float], None]) -> CSR:
    """Weighed steps both ways, (n_items, n_items), without the diagonal."""
    n_users, n_items = user_items.shape
    forward = sparse.csr_matrix((n_items, n_items), dtype=np.float32)
    work = np.diff(user_items.indptr).astype(np.float64) * config.steps
    for users in row_blocks(work, budget=PAIRS_AT_ONCE):
        forward = forward + _forward_steps(user_items[users], config=config)
        tick(users.stop / n_users)
    both_ways = (forward + forward.T * np.float32(config.backward)).tocsr()
    both_ways.data[both_ways.indices == row_of_entries(both_ways)] = 0.0
    return both_ways


def _forward_steps(user_items: CSR, *, config: CoViewConfig) -> CSR:
    users, items = row_of_entries(user_items), user_items.indices
    n_items = user_items.shape[1]
    earlier, later, amount = [], [], []
    for step in range(1, config.steps + 1):
        same = users[:-step] == users[step:] if step < len(users) else np.zeros(0, dtype=bool)
        earlier.append(items[:-step][same] if len(same) else items[:0])
        later.append(items[step:][same] if len(same) else items[:0])
        amount.append(np.full(len(earlier[-1]), config.decay ** (step - 1), dtype=np.float32))
    return _summed(earlier, later, amount, n_items=n_items)


def _summed(earlier: list[Ids], later: list[Ids], amount: list[Vector], *, n_items: int) -> CSR:
    steps = (np.concatenate(earlier), np.concatenate(later))
    return sparse.coo_matrix(
        (np.concatenate(amount), steps), shape=(n_items, n_items), dtype=np.float32
    ).tocsr()
