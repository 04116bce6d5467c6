import numpy as np
import pytest

from jobs.engines.collaborative_filtering.event_file import EventColumns
from jobs.engines.collaborative_filtering.opinions import hold_opinions, rated
from jobs.engines.collaborative_filtering.splits import leave_last_out

NAN = np.nan


def events(ratings: list[float], *, times: list[float] | None = None) -> EventColumns:
    """Ada met tea, milk, tea again and rice, Bob met rice alone."""
    return EventColumns(
        user_ids=np.array(["ada", "ada", "ada", "ada", "bob"]),
        item_ids=np.array(["tea", "milk", "tea", "rice", "rice"]),
        times_s=None if times is None else np.array(times),
        ratings=np.array(ratings),
    )


class TestRated:
    @pytest.mark.parametrize(
        ("times", "tea"), [(None, 2), ([1, 2, 3, 4, 5], 2), ([6, 2, 3, 9, 5], 4)]
    )
    def test_takes_the_newest_rating_of_a_pair(self, times: list[float] | None, tea: float) -> None:
        given = events([4, NAN, 2, 5, 1], times=times)

        found = rated(given.interactions(seed=0), given).user_items.toarray()

        # Columns: milk, rice, tea.
        assert found.tolist() == [[0, 5, tea], [0, 1, 0]]

    def test_shows_nothing_of_what_is_hidden(self) -> None:
        given = events([4, 3, 2, 5, 1], times=[1, 2, 3, 4, 5])
        split = leave_last_out(given.interactions(seed=0))

        assert rated(split.train, given).user_items.toarray().tolist() == [[3, 0, 2], [0, 1, 0]]

    def test_knows_the_past_alone(self) -> None:
        given = events([4, 3, 2, 5, 1], times=[1, 2, 3, 4, 5])
        train = given.interactions(seed=0)

        assert rated(train, given.until(2)).user_items.toarray().tolist() == [[3, 0, 4], [0, 0, 0]]
        assert not hold_opinions(given.until(1))

    def test_moves_ratings_above_zero(self) -> None:
        given = events([NAN, -2, 2, 0, 1], times=[1, 2, 3, 4, 5])

        found = rated(given.interactions(seed=0), given).user_items.toarray()

        assert found.tolist() == [[1, 3, 5], [0, 4, 0]]


class TestHoldOpinions:
    @pytest.mark.parametrize(
        ("ratings", "expected"),
        [([NAN] * 5, False), ([NAN, 3, 3, 3, NAN], False), ([NAN, 3, 3, 4, NAN], True)],
    )
    def test_needs_ratings_that_differ(self, ratings: list[float], expected: bool) -> None:
        assert hold_opinions(events(ratings)) is expected
