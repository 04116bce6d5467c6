import numpy as np
import pytest

from jobs.engines.collaborative_filtering import (
    Blend,
    BlendConfig,
    CoView,
    ItemItem,
    Scale,
    TrendConfig,
)
from jobs.engines.collaborative_filtering.blend import one_scale
from tests.jobs.engines.collaborative_filtering.matrices import DAY_S, dense, random_interactions

TABLE = dense([[0, 2, 4], [1, 0, 0], [0, 0, 0]])


class TestOneScale:
    def test_makes_the_strongest_neighbour_of_every_row_1(self) -> None:
        scaled = one_scale(TABLE, scale=Scale.ROW).toarray()

        assert scaled.tolist() == [[0, 0.5, 1], [1, 0, 0], [0, 0, 0]]

    def test_leaves_the_strongest_neighbour_the_root_of_what_it_was(self) -> None:
        scaled = one_scale(TABLE, scale=Scale.ROOT).toarray()

        assert scaled.tolist() == [[0, 1, 2], [1, 0, 0], [0, 0, 0]]

    def test_makes_the_mean_entry_of_the_table_1(self) -> None:
        assert one_scale(TABLE, scale=Scale.TABLE).data.mean() == pytest.approx(1)

    def test_leaves_an_empty_table_alone(self) -> None:
        assert one_scale(dense([[0, 0], [0, 0]]), scale=Scale.TABLE).nnz == 0


class TestBlend:
    def test_mixes_the_tables_by_weight(self) -> None:
        user_items = random_interactions().user_items
        parts = [CoView(), ItemItem()]
        blend = Blend(parts=[(0.75, parts[0]), (0.25, parts[1])])

        blend.fit(user_items)

        window, together = (one_scale(p.similarity, scale=Scale.ROW).toarray() for p in parts)
        expected = 0.75 * window + 0.25 * together
        np.testing.assert_allclose(blend.similarity.toarray(), expected, atol=1e-6)

    def test_raises_what_is_wanted_now(self) -> None:
        # Item 0 leads to items 1 and 2 alike, but item 2 was met ten half-lives later.
        user_items = dense([[1, 1, 0], [1, 0, 1]])
        times = np.array([0, 0, 0, 10]) * DAY_S
        blend = Blend(BlendConfig(trend=TrendConfig(power=1, half_life_days=1)))

        blend.fit(user_items, times=times)

        assert blend.trend.tolist() == pytest.approx([1 + 2 / 1024, 1 + 1 / 1024, 2])
        assert blend.recommend(0, dense([[1, 0, 0]]))[0].tolist() == [2, 1]

    def test_raises_what_is_wanted_the_more_the_older_a_history_is(self) -> None:
        # Item 0 leads to item 1; item 2 is what most people want, and nothing leads to it.
        user_items = dense([[1, 1, 0], [0, 0, 1], [0, 0, 1]])
        config = BlendConfig(trend=TrendConfig(power=1, half_life_days=9), floor=1, floor_days=30)
        blend = Blend(config)
        blend.fit(user_items, times=np.zeros(4))
        histories = dense([[1, 0, 0]] * 3)

        ids, scores = blend.recommend([0, 0, 0], histories, N=2, idle_days=[0, 30, 1e6])

        assert ids.tolist() == [[1, -1], [1, 2], [1, 2]]
        # 1 + two people for item 2, half of it after 30 days.
        assert scores[1:, 1].tolist() == pytest.approx([1.5, 3])
        assert blend.recommend(0, histories[0])[0].tolist() == [1]

    def test_reports_progress_over_all_parts(self) -> None:
        seen: list[float] = []

        Blend().fit(random_interactions().user_items, callback=seen.append)

        assert seen == sorted(seen)
        assert seen[-1] == 1.0
