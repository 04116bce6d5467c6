"""Item neighbours kept up to date between full runs: events come in, the rows they touch are made
again, and every count is exactly what a full rebuild would give.

The fitted matrix stays as it is and the changes stand beside it: (base + change) is multiplied in
two parts, so an event costs no pass over the whole. A row that was not touched keeps its old
similarity to a touched item until it is refreshed itself or the next full run."""

from collections.abc import Iterable

import numpy as np
from scipy import sparse

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, as_csr, make_csr, pattern
from jobs.engines.collaborative_filtering.item_item import ItemItemConfig, cosine_neighbours
from jobs.engines.collaborative_filtering.kernel import (
    Denominator,
    drop_itself,
    keep_strongest,
    replace_rows,
)

# More changes than that are merged into the base: from then on both parts would cost alike.
MOST_CHANGES = 200_000


class LiveItems:
    """The binary item-item table of ItemItem, with events added and taken back."""

    def __init__(self, user_items: CSR, config: ItemItemConfig | None = None) -> None:
        self.config = config or ItemItemConfig()
        self._base = pattern(as_csr(user_items))
        self._base.sort_indices()
        self._across = self._base.T.tocsr()
        self._changes: dict[tuple[int, int], int] = {}
        self._dirty: set[int] = set()
        self._sizes = np.diff(self._across.indptr).astype(np.int64)
        self.table = cosine_neighbours(
            self._across,
            columns=self._base,
            neighbours=self.config.neighbours,
            alpha=self.config.alpha,
            shrinkage=self.config.shrinkage,
            binary=True,
            tick=lambda _fraction: None,
        )

    @property
    def dirty(self) -> Ids:
        """Items touched since they were refreshed, by position."""
        return np.array(sorted(self._dirty), dtype=np.int64)

    @property
    def sizes(self) -> Ids:
        """(n_items,) users of every item, now."""
        return self._sizes

    def add(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Users met items. Pairs known already change nothing; new users and items make room."""
        for user, item in pairs:
            self._make_room(user, item)
            if not self._met(user, item):
                self._change(user, item, 1)

    def remove(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Take pairs back; unknown ones change nothing."""
        for user, item in pairs:
            known = user < self._base.shape[0] and item < self._base.shape[1]
            if known and self._met(user, item):
                self._change(user, item, -1)

    def counts(self, items: Ids) -> CSR:
        """(len(items), n_items) users of both items, exact, the item itself included."""
        change = self._change_matrix()
        rows = self._across[items] + change.T.tocsr()[items]
        return as_csr(rows @ self._base + rows @ change)

    def refresh(self, items: Ids | None = None) -> Ids:
        """Make the rows of the dirty items, or of these, again; says which."""
        rows = self.dirty if items is None else np.unique(np.asarray(items, dtype=np.int64))
        if len(rows):
            sizes = np.maximum(self._sizes, 1).astype(np.float64)
            below = Denominator(
                left=np.power(sizes, self.config.alpha).astype(np.float32),
                right=np.power(sizes, 1 - self.config.alpha).astype(np.float32),
                shrinkage=self.config.shrinkage,
            )
            block = self.counts(rows)
            below.divide(block, rows=rows)
            drop_itself(block, rows)
            again = keep_strongest(block, keep=self.config.neighbours)
            self.table = replace_rows(self.table, rows, again)
            self._dirty -= set(rows.tolist())
        if len(self._changes) > MOST_CHANGES:
            self._merge()
        return rows

    def _met(self, user: int, item: int) -> bool:
        change = self._changes.get((user, item), 0)
        if change:
            return change > 0
        own = self._base.indices[self._base.indptr[user] : self._base.indptr[user + 1]]
        place = np.searchsorted(own, item)
        return bool(place < len(own) and own[place] == item)

    def _change(self, user: int, item: int, by: int) -> None:
        change = self._changes.pop((user, item), 0) + by
        if change:
            self._changes[user, item] = change
        self._sizes[item] += by
        self._dirty.add(item)

    def _make_room(self, user: int, item: int) -> None:
        n_users, n_items = self._base.shape
        n_users, n_items = max(n_users, user + 1), max(n_items, item + 1)
        if (n_users, n_items) == self._base.shape:
            return
        self._base.resize(n_users, n_items)
        self._across.resize(n_items, n_users)
        self.table.resize(n_items, n_items)
        self._sizes = np.append(self._sizes, np.zeros(n_items - len(self._sizes), dtype=np.int64))

    def _change_matrix(self) -> CSR:
        pairs = np.array(list(self._changes), dtype=np.int64).reshape(-1, 2)
        data = np.array(list(self._changes.values()), dtype=np.float32)
        return sparse.csr_matrix((data, (pairs[:, 0], pairs[:, 1])), shape=self._base.shape)

    def _merge(self) -> None:
        merged = as_csr(self._base + self._change_matrix())
        merged.eliminate_zeros()
        merged.sort_indices()
        self._base = make_csr(merged.data, merged.indices, merged.indptr, shape=merged.shape)
        self._across = self._base.T.tocsr()
        self._changes.clear()
