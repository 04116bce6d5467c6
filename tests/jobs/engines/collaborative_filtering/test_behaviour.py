"""What a log of events says of likes: weights by kind, what is taken back, what is unwelcome."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.engines.collaborative_filtering import KINDS, EventWeights, Interactions, behaviour_matrix

PLACE = {kind: place for place, kind in enumerate(KINDS)}
WEIGHTS = EventWeights(view=0.5, download=1.0, watch=1.0, rating=1.5, favourite=2.0)
LOG = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(1, 3),
        st.sampled_from(KINDS),
        st.sampled_from([0.0, 0.4, 1.0, 2.0, 3.0, 5.0]),
    ),
    max_size=25,
)


def matrix(*log: tuple[Any, ...], weights: EventWeights = WEIGHTS) -> Interactions:
    """The matrix of (user, item, kind[, value]), one a second."""
    return behaviour_matrix(
        [event[0] for event in log],
        [event[1] for event in log],
        kinds=[PLACE[event[2]] for event in log],
        values=[event[3] if len(event) > 3 else math.nan for event in log],
        times_s=np.arange(len(log)),
        weights=weights,
    )


def weights_of(data: Interactions) -> dict[tuple[Any, Any], float]:
    pairs = zip(data.user_ids[data.users].tolist(), data.item_ids[data.items].tolist(), strict=True)
    weights = [round(weight, 4) for weight in data.weights.tolist()]
    return dict(zip(pairs, weights, strict=True))


class TestEventWeights:
    @pytest.mark.parametrize(
        ("kind", "value", "weight"),
        [
            ("view", math.nan, 0.5),
            ("download", math.nan, 1.0),
            ("watch", 1.0, 1.0),
            ("watch", 0.25, 0.25),
            ("rating", 5.0, 1.5),
            ("rating", 4.0, 1.0),
            ("rating", 3.0, 0.5),
            ("rating", 2.0, 0.0),
            ("rating", 1.0, 0.0),
            ("favourite", math.nan, 2.0),
            ("dismiss", math.nan, 0.0),
            ("undismiss", math.nan, 0.0),
        ],
    )
    def test_of(self, kind: str, value: float, weight: float) -> None:
        assert WEIGHTS.of([PLACE[kind]], [value]).tolist() == [np.float32(weight)]

    @pytest.mark.parametrize("value", [-1.0, 7.0, math.nan])
    def test_values_out_of_range_never_count_less_than_nothing_or_more_than_all(
        self, value: float
    ) -> None:
        found = WEIGHTS.of([PLACE["watch"], PLACE["rating"]], [value, value])

        assert (found >= 0).all()
        assert (found <= [1.0, 1.5]).all()


class TestBehaviourMatrix:
    def test_a_pair_weighs_what_its_strongest_event_weighs(self) -> None:
        data = matrix((1, 7, "view"), (1, 7, "watch", 0.8), (1, 8, "view"), (2, 7, "download"))

        assert weights_of(data) == {(1, 7): 0.8, (1, 8): 0.5, (2, 7): 1.0}

    def test_has_the_time_of_the_first_event(self) -> None:
        data = matrix((1, 7, "view"), (1, 8, "view"), (1, 7, "watch", 1.0))

        assert data.item_ids[data.history(0)].tolist() == [7, 8]

    @pytest.mark.parametrize("stars", [1.0, 2.0])
    def test_few_stars_take_the_pair_out_whatever_else_was_done(self, stars: float) -> None:
        data = matrix((1, 7, "watch", 1.0), (1, 7, "rating", stars), (1, 7, "view"))

        assert data.n_pairs == 0

    def test_of_several_ratings_the_newest_counts(self) -> None:
        up = matrix((1, 7, "rating", 1.0), (1, 7, "rating", 4.0))
        down = matrix((1, 7, "rating", 5.0), (1, 7, "rating", 3.0))

        assert weights_of(up) == {(1, 7): 1.0}
        assert weights_of(down) == {(1, 7): 0.5}

    @pytest.mark.parametrize(
        ("taken", "given_back"), [("dismiss", "undismiss"), ("ignore", "unignore")]
    )
    def test_what_is_unwelcome_is_out_until_it_is_taken_back(
        self, taken: str, given_back: str
    ) -> None:
        log = [(1, 7, "favourite"), (1, 7, taken), (1, 7, "view")]

        assert matrix(*log).n_pairs == 0
        assert weights_of(matrix(*log, (1, 7, given_back))) == {(1, 7): 2.0}

    def test_a_favourite_no_more_weighs_what_else_was_done(self) -> None:
        log = [(1, 7, "view"), (1, 7, "favourite"), (1, 7, "unfavourite")]

        assert weights_of(matrix(*log)) == {(1, 7): 0.5}
        assert weights_of(matrix(*log, (1, 7, "favourite"))) == {(1, 7): 2.0}
        assert matrix(*log[1:]).n_pairs == 0

    def test_a_kind_without_weight_does_not_count(self) -> None:
        data = matrix((1, 7, "view"), (1, 8, "download"), weights=EventWeights(view=0))

        assert weights_of(data) == {(1, 8): 1.0}

    def test_takes_text_as_ids_and_no_events_at_all(self) -> None:
        assert weights_of(matrix(("ada", "x", "view"))) == {("ada", "x"): 0.5}
        assert matrix().n_pairs == 0

    def test_refuses_lists_that_do_not_fit(self) -> None:
        with pytest.raises(ValueError, match="same length"):
            behaviour_matrix([1], [1, 2], kinds=[0], values=[0.0], times_s=[0])

    @settings(deadline=None)
    @given(LOG)
    def test_is_what_reading_the_log_pair_by_pair_gives(self, log: list[tuple[Any, ...]]) -> None:
        expected = {}
        for pair in {event[:2] for event in log}:
            own = [event[2:] for event in log if event[:2] == pair]
            if weight := self._weight(own):
                expected[pair] = round(float(np.float32(weight)), 4)

        assert weights_of(matrix(*log)) == pytest.approx(expected)

    @staticmethod
    def _weight(events: list[tuple[str, float]]) -> float:
        """The rules of the module once more, an event at a time."""
        favourite, dismissed, ignored = False, False, False
        stars, best = math.nan, 0.0
        for kind, value in events:
            favourite = kind == "favourite" or (favourite and kind != "unfavourite")
            dismissed = kind == "dismiss" or (dismissed and kind != "undismiss")
            ignored = kind == "ignore" or (ignored and kind != "unignore")
            stars = value if kind == "rating" else stars
            if kind in ("view", "download"):
                best = max(best, getattr(WEIGHTS, kind))
            if kind == "watch":
                best = max(best, WEIGHTS.watch * min(value, 1.0))
        if dismissed or ignored or stars <= 2:
            return 0.0
        liked = WEIGHTS.rating * (stars - 2) / 3 if stars > 2 else 0.0
        return max(best, liked, WEIGHTS.favourite if favourite else 0.0)
