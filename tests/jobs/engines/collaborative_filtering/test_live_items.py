import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from jobs.engines.collaborative_filtering import ItemItem, ItemItemConfig, LiveItems
from jobs.engines.collaborative_filtering import live_items as module

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 7)), max_size=30)
CONFIG = ItemItemConfig(neighbours=3, alpha=0.6, shrinkage=1)


def matrix_of(pairs: set[tuple[int, int]], shape: tuple[int, int]) -> sparse.csr_matrix:
    dense = np.zeros(shape, dtype=np.float32)
    for pair in pairs:
        dense[pair] = 1
    return sparse.csr_matrix(dense)


class TestLiveItems:
    @settings(deadline=None, max_examples=60)
    @given(before=PAIRS, added=PAIRS, removed=PAIRS, most=st.sampled_from([0, 1_000]))
    def test_counts_exactly_as_a_full_rebuild(
        self,
        before: list[tuple[int, int]],
        added: list[tuple[int, int]],
        removed: list[tuple[int, int]],
        most: int,
    ) -> None:
        live = LiveItems(matrix_of(set(before), (10, 8)), CONFIG)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "MOST_CHANGES", most)
            live.add(added)
            live.refresh()
            live.remove(removed)
            live.refresh(np.arange(8))
        now = matrix_of((set(before) | set(added)) - set(removed), (10, 8))
        again = ItemItem(CONFIG)
        again.fit(now)

        assert (live.counts(np.arange(8)) != now.T @ now).nnz == 0
        assert (live.table != again.similarity).nnz == 0
        assert not len(live.dirty)

    def test_touches_only_the_items_of_the_events(self) -> None:
        live = LiveItems(matrix_of({(0, 0), (0, 1), (1, 1), (1, 2)}, (2, 3)))

        live.add([(0, 2), (1, 1)])

        assert live.dirty.tolist() == [2]
        assert live.refresh().tolist() == [2]

    def test_makes_room_for_new_users_and_items(self) -> None:
        live = LiveItems(matrix_of({(0, 0), (0, 1)}, (1, 2)))

        live.add([(3, 0), (3, 4)])
        live.refresh()

        assert live.table.shape == (5, 5)
        assert live.table[4, 0] == pytest.approx(1 / np.sqrt(2))
        assert live.sizes.tolist() == [2, 1, 0, 0, 1]
