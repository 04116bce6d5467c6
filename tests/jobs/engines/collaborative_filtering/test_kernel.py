import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from jobs.engines.collaborative_filtering import kernel
from jobs.engines.collaborative_filtering.item_item import ItemItem
from jobs.engines.collaborative_filtering.kernel import (
    EMPTY_SCORE,
    best_of,
    best_per_row,
    keep_strongest,
)
from tests.jobs.engines.collaborative_filtering.matrices import dense, random_interactions

ROWS = st.lists(
    st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]), min_size=6, max_size=6),
    min_size=1,
    max_size=5,
)


class TestKeepStrongest:
    def test_keeps_the_smaller_id_of_equal_entries(self) -> None:
        assert keep_strongest(dense([[1, 2, 1, 1]]), keep=2).toarray().tolist() == [[1, 2, 0, 0]]

    def test_drops_what_is_not_positive(self) -> None:
        assert keep_strongest(dense([[-1, 0, 3]]), keep=3).nnz == 1

    def test_does_not_depend_on_the_order_in_which_entries_are_stored(self) -> None:
        stored = ([1.0, 2.0, 1.0], [3, 1, 0], [0, 3])
        table = sparse.csr_matrix(stored, shape=(1, 4), dtype=np.float32)

        assert keep_strongest(table, keep=2).toarray().tolist() == [[1, 2, 0, 0]]

    @settings(deadline=None)
    @given(ROWS, st.integers(0, 7))
    def test_agrees_with_sorting_every_row(self, rows: list[list[float]], keep: int) -> None:
        table = np.array(rows)
        expected = np.zeros_like(table)
        for row, scores in enumerate(table):
            order = [i for i in np.argsort(-scores, kind="stable") if scores[i] > 0][:keep]
            expected[row, order] = scores[order]

        assert keep_strongest(dense(rows), keep=keep).toarray().tolist() == expected.tolist()


class TestBestPerRow:
    def test_puts_the_best_first_and_marks_empty_places(self) -> None:
        ids, scores = best_per_row(dense([[1, 3, 0, 3], [0, 0, 0, 0]]), n=3)

        assert ids.tolist() == [[1, 3, 0], [-1, -1, -1]]
        assert scores[0].tolist() == [3, 3, 1]
        assert (scores[1] == EMPTY_SCORE).all()


class TestBestOf:
    def test_gives_equal_scores_by_position(self) -> None:
        scores = np.array([2, 0, 5, 2, -1, 2], dtype=np.float32)

        assert best_of(scores, n=3).tolist() == [2, 0, 3]


class TestNearestRows:
    def test_gives_the_same_table_whatever_the_size_of_a_block(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user_items = random_interactions().user_items
        whole, pieces = ItemItem(), ItemItem()
        whole.fit(user_items)

        monkeypatch.setattr(kernel, "BLOCK_ENTRIES", 20)
        pieces.fit(user_items)

        assert (whole.similarity != pieces.similarity).nnz == 0

    def test_reports_how_far_it_is_after_every_block(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kernel, "COUNTED_WORK", 20)
        seen: list[float] = []

        ItemItem().fit(random_interactions().user_items, callback=seen.append)

        assert len(seen) > 5
        assert seen == sorted(seen)
        assert seen[-1] == 1.0
