import numpy as np
import pytest
from hypothesis import given, settings

from jobs.engines.collaborative_filtering import Interactions, ItemItem, ItemItemConfig
from tests.jobs.engines.collaborative_filtering.matrices import dense, interactions

# Item 0: users a, b, c; item 1: users a, b; item 2: user c.
THREE = dense([[1, 1, 0], [1, 1, 0], [1, 0, 1]])


def similarity(user_items: object, **config: object) -> np.ndarray:
    model = ItemItem(ItemItemConfig(**config))  # type: ignore[arg-type]
    model.fit(user_items)
    return model.similarity.toarray()


class TestSimilarity:
    def test_is_the_cosine(self) -> None:
        # 2 / sqrt(3 * 2), 1 / sqrt(3 * 1), and items 1 and 2 share nobody.
        expected = [[0, 0.816497, 0.57735], [0.816497, 0, 0], [0.57735, 0, 0]]

        np.testing.assert_allclose(similarity(THREE), expected, atol=1e-6)

    def test_leans_to_popular_items_with_a_larger_alpha(self) -> None:
        table = similarity(THREE, alpha=0.7)

        # From item 1 (2 users) to item 0 (3 users): 2 / (2 ** 0.7 * 3 ** 0.3).
        assert table[1, 0] == pytest.approx(0.885467, abs=1e-6)
        assert table[0, 1] == pytest.approx(2 / (3**0.7 * 2**0.3), abs=1e-6)

    def test_trusts_few_users_less_with_shrinkage(self) -> None:
        assert similarity(THREE, shrinkage=1)[0, 2] == pytest.approx(1 / (3**0.5 + 1), abs=1e-6)

    def test_counts_weights_when_asked_to(self) -> None:
        table = similarity(dense([[2, 1], [0, 3]]), binary=False)

        # 2 * 1 / (sqrt(4) * sqrt(1 + 9))
        assert table[0, 1] == pytest.approx(0.316228, abs=1e-6)

    def test_keeps_the_nearest_and_of_equal_ones_the_smaller_id(self) -> None:
        table = similarity(dense([[1, 1, 1, 1], [1, 0, 0, 1]]), neighbours=2)

        assert (table[0] > 0).tolist() == [False, True, False, True]

    @settings(deadline=None)
    @given(interactions())
    def test_is_symmetric_and_between_0_and_1(self, data: Interactions) -> None:
        table = similarity(data.user_items)

        np.testing.assert_array_equal(table, table.T)
        assert (np.diag(table) == 0).all()
        assert table.min() >= 0
        assert table.max() <= 1 + 1e-6

    @settings(deadline=None)
    @given(interactions())
    def test_equals_the_dense_formula(self, data: Interactions) -> None:
        met = (data.user_items.toarray() > 0).astype(float)
        norms = np.sqrt((met**2).sum(axis=0))
        expected = met.T @ met / np.outer(norms, norms)
        np.fill_diagonal(expected, 0)

        np.testing.assert_allclose(similarity(data.user_items), expected, atol=1e-6)


class TestRecommend:
    def test_adds_up_the_similarities_to_the_history(self) -> None:
        model = ItemItem()
        model.fit(THREE)

        ids, scores = model.recommend(0, dense([[0, 1, 1]]))

        assert ids.tolist() == [0]
        assert scores[0] == pytest.approx(0.816497 + 0.57735, abs=1e-6)

    def test_listens_to_the_newest_item_most_with_recency(self) -> None:
        model = ItemItem(ItemItemConfig(recency=1))
        model.fit(THREE)

        # History: item 1, then item 2; the older one has rank 1 and counts 1 / 2.
        scores = model.recommend(0, dense([[0, 1, 1]]))[1]

        assert scores[0] == pytest.approx(0.816497 / 2 + 0.57735, abs=1e-6)


class TestExplain:
    def test_names_the_strongest_item_first(self) -> None:
        model = ItemItem()
        model.fit(THREE)

        parts = model.contributions([2, 1], 0)

        assert [item for item, _ in parts] == [1, 2]
        assert parts[0][1] == pytest.approx(0.816497, abs=1e-6)
