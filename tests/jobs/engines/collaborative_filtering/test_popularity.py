import numpy as np
import pytest

from jobs.engines.collaborative_filtering import (
    Popularity,
    RecentPopularity,
    RecentPopularityConfig,
)
from tests.jobs.engines.collaborative_filtering.matrices import DAY_S, dense

TWO = dense([[1, 1, 0], [1, 0, 1], [1, 0, 1]])


class TestPopularity:
    def test_counts_users_and_skips_what_was_met(self) -> None:
        model = Popularity()
        model.fit(TWO)

        ids, scores = model.recommend(0, TWO[0])

        assert ids.tolist() == [2]
        assert scores.tolist() == [2]


class TestRecentPopularity:
    def test_halves_an_event_with_every_half_life(self) -> None:
        model = RecentPopularity(RecentPopularityConfig(half_life_days=10))
        days = np.array([0, 20, 10, 0, 20, 20])

        # Stored by row: items 0 and 1, items 0 and 2, items 0 and 2.
        model.fit(TWO, times=days * DAY_S)

        assert model.counts.tolist() == [0.25 + 0.5 + 1, 1, 0.25 + 1]

    def test_leaves_out_entries_of_0_together_with_their_times(self) -> None:
        user_items = TWO.copy()
        user_items.data[3] = 0
        model = RecentPopularity(RecentPopularityConfig(half_life_days=10))

        model.fit(user_items, times=np.array([0, 0, 10, 10, 10, 10]) * DAY_S)

        assert model.counts.tolist() == [0.5 + 1 + 1, 0.5, 1]

    def test_needs_the_times(self) -> None:
        with pytest.raises(ValueError, match="needs the time of every entry"):
            RecentPopularity().fit(TWO)

    def test_needs_as_many_times_as_entries(self) -> None:
        with pytest.raises(ValueError, match="6 entries need as many times, not 2"):
            RecentPopularity().fit(TWO, times=np.zeros(2))
