import numpy as np
import pytest

from jobs.engines.collaborative_filtering import CoView, CoViewConfig, build_interactions, co_view
from tests.jobs.engines.collaborative_filtering.matrices import random_interactions


def sequence_of(*items: int) -> object:
    """One user who met the items in this order."""
    return build_interactions([1] * len(items), items, times_s=np.arange(len(items))).user_items


class TestSimilarity:
    def test_counts_steps_forward_and_half_of_them_backward(self) -> None:
        model = CoView()
        model.fit(sequence_of(10, 11, 12))

        # Below the line: sqrt(1 * 1) + 10. One step 1, two steps 0.7; back half.
        expected = np.array([[0, 1, 0.7], [0.5, 0, 1], [0.35, 0.5, 0]]) / 11
        np.testing.assert_allclose(model.similarity.toarray(), expected, atol=1e-6)

    def test_follows_the_order_in_time_and_not_of_ids(self) -> None:
        model = CoView()
        model.fit(sequence_of(12, 10))

        assert model.similarity[1, 0] == pytest.approx(1 / 11)
        assert model.similarity[0, 1] == pytest.approx(0.5 / 11)

    def test_ends_after_the_last_step(self) -> None:
        model = CoView(CoViewConfig(steps=2))
        model.fit(sequence_of(10, 11, 12, 13))

        assert model.similarity[0, 3] == 0
        assert model.similarity[0, 2] > 0

    def test_never_steps_from_one_user_to_the_next(self) -> None:
        data = build_interactions([1, 1, 2, 2], [10, 11, 12, 13], times_s=[1, 2, 3, 4])
        model = CoView()
        model.fit(data.user_items)

        assert model.similarity[1, 2] == 0

    def test_gives_the_same_table_whatever_the_size_of_a_block(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user_items = random_interactions().user_items
        whole, pieces = CoView(), CoView()
        whole.fit(user_items)

        monkeypatch.setattr(co_view, "PAIRS_AT_ONCE", 30)
        pieces.fit(user_items)

        difference = np.abs((whole.similarity - pieces.similarity).data)
        assert difference.max(initial=0) < 1e-6
