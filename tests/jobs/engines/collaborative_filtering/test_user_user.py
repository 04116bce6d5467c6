import numpy as np
import pytest

from jobs.engines.collaborative_filtering import UserUser
from tests.jobs.engines.collaborative_filtering.matrices import dense

# Users 0 and 1 share items 0 and 1; user 2 shares item 0 with both.
FOUR = dense([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 1]])


class TestSimilarity:
    def test_is_the_cosine_of_the_histories(self) -> None:
        model = UserUser()
        model.fit(FOUR)

        # 2 / sqrt(2 * 3), 1 / sqrt(2 * 2), 1 / sqrt(3 * 2)
        expected = [[0, 0.816497, 0.5], [0.816497, 0, 0.408248], [0.5, 0.408248, 0]]
        np.testing.assert_allclose(model.similarity.toarray(), expected, atol=1e-6)


class TestRecommend:
    def test_recommends_what_the_most_similar_users_met(self) -> None:
        model = UserUser()
        model.fit(FOUR)

        ids, scores = model.recommend(0, FOUR[0])

        assert ids.tolist() == [2, 3]
        assert scores == pytest.approx([0.816497, 0.5], abs=1e-6)

    def test_compares_a_new_history_when_asked_to(self) -> None:
        model = UserUser()
        model.fit(FOUR)

        ids, _ = model.recommend(99, dense([[0, 0, 0, 1]]), recalculate_user=True)

        assert ids.tolist() == [0]

    def test_refuses_a_user_that_was_not_fitted(self) -> None:
        model = UserUser()
        model.fit(FOUR)

        with pytest.raises(IndexError, match="recalculate_user"):
            model.recommend(99, FOUR[0])
