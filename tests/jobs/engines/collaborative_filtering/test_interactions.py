import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.engines.collaborative_filtering import (
    Keep,
    TrainingConfig,
    build_interactions,
    train,
)

EVENT = st.tuples(
    st.integers(1, 6), st.integers(1, 6), st.integers(0, 9), st.sampled_from([0, 1, 2, 5])
)


class TestBuildInteractions:
    def test_numbers_users_and_items_by_their_sorted_ids(self) -> None:
        data = build_interactions([9, 4, 9], [30, 30, 20], times_s=[1, 2, 3])

        assert data.user_ids.tolist() == [4, 9]
        assert data.item_ids.tolist() == [20, 30]
        assert data.user_items.toarray().tolist() == [[0, 1], [1, 1]]

    def test_stores_a_history_oldest_first_and_equal_times_by_item(self) -> None:
        data = build_interactions([1, 1, 1, 1], [5, 6, 7, 8], times_s=[30, 10, 20, 10])

        assert data.item_ids[data.history(0)].tolist() == [6, 8, 7, 5]

    @pytest.mark.parametrize(("keep", "time"), [(Keep.FIRST, 10), (Keep.NEWEST, 30)])
    def test_gives_a_repeated_pair_the_time_of_the_chosen_event(
        self, keep: Keep, time: float
    ) -> None:
        data = build_interactions([1, 1, 1], [5, 5, 5], times_s=[20, 30, 10], keep=keep)

        assert data.times.tolist() == [time]

    @given(st.lists(EVENT, min_size=1, max_size=30), st.permutations(range(30)), st.integers(0, 9))
    def test_draws_the_same_order_of_equal_times_whatever_the_order_of_lines(
        self, events: list[tuple[int, ...]], order: list[int], seed: int
    ) -> None:
        lines = [events[place] for place in order if place < len(events)]
        one, other = (
            build_interactions(*np.array(given)[:, :2].T, times_s=np.array(given)[:, 2] // 4)
            for given in (events, lines)
        )

        drawn, again = one.ties_by_lot(seed), other.ties_by_lot(seed)

        assert drawn.items.tolist() == again.items.tolist()
        assert drawn.times.tolist() == one.times.tolist()
        assert (drawn.user_items != one.user_items).nnz == 0
        alone = ~one.tied()
        assert drawn.items[alone].tolist() == one.items[alone].tolist()

    def test_knows_which_pairs_have_no_order(self) -> None:
        data = build_interactions([1, 1, 1, 2], [5, 6, 7, 5], times_s=[30, 10, 30, 30])

        assert data.tied().tolist() == [False, True, True, False]
        assert build_interactions([], [], times_s=[]).tied().tolist() == []

    def test_gives_a_repeated_pair_the_weight_of_its_strongest_event(self) -> None:
        data = build_interactions([1, 1], [5, 5], times_s=[1, 2], weights=[3, 1])

        assert data.weights.tolist() == [3]

    def test_leaves_out_a_pair_that_was_withdrawn_last(self) -> None:
        data = build_interactions([1, 1, 2], [5, 5, 5], times_s=[1, 2, 1], weights=[3, 0, 1])

        assert data.user_ids.tolist() == [2]

    def test_takes_text_as_ids(self) -> None:
        data = build_interactions(["b", "a"], ["x", "y"], times_s=[1, 2])

        assert data.user_ids.tolist() == ["a", "b"]

    def test_accepts_no_events(self) -> None:
        data = build_interactions([], [], times_s=[])

        assert (data.n_users, data.n_items, data.n_pairs) == (0, 0, 0)
        assert data.user_items.shape == (0, 0)

    @pytest.mark.parametrize(
        ("times", "weights"),
        [([1.0], 1.0), ([1.0, float("nan")], 1.0), ([1.0, 2.0], [1.0, float("inf")])],
        ids=["too few times", "a time is not a number", "a weight is infinite"],
    )
    def test_refuses_arrays_that_do_not_fit(self, times: list[float], weights: object) -> None:
        with pytest.raises(ValueError, match="times"):
            build_interactions([1, 2], [1, 2], times_s=times, weights=weights)  # type: ignore[arg-type]

    @settings(deadline=None)
    @given(st.lists(EVENT, min_size=1, max_size=30), st.randoms(), st.sampled_from(Keep))
    def test_does_not_depend_on_the_order_of_events(
        self, events: list[tuple[int, ...]], random: object, keep: Keep
    ) -> None:
        shuffled = sorted(events, key=lambda _: random.random())  # type: ignore[attr-defined]
        both = []
        for rows in (events, shuffled):
            users, items, times, weights = np.array(rows).T
            data = build_interactions(users, items, times_s=times, weights=weights, keep=keep)
            both.append([data.user_ids, data.indptr, data.items, data.weights, data.times])

        assert all(np.array_equal(a, b) for a, b in zip(*both, strict=True))


class TestOnly:
    def test_keeps_the_positions_of_users_and_items(self) -> None:
        data = build_interactions([1, 2, 2], [5, 5, 6], times_s=[1, 2, 3])

        part = data.only(np.array([False, False, True]))

        assert part.user_items.toarray().tolist() == [[0, 0], [0, 1]]


class TestNewest:
    def test_keeps_the_newest_pairs_of_every_user(self) -> None:
        data = build_interactions([1, 1, 1, 2], [5, 6, 7, 5], times_s=[3, 1, 2, 9])

        assert data.newest(2).indptr.tolist() == [0, 2, 3]
        assert data.item_ids[data.newest(2).history(0)].tolist() == [7, 5]

    def test_changes_nothing_when_all_are_short(self) -> None:
        data = build_interactions([1, 2], [5, 6], times_s=[1, 2])

        assert data.newest(1) is data


class TestAMillionEventsOfOneUser:
    """A robot: a few items over and over, or a new item every time."""

    def test_are_few_pairs_when_they_repeat(self) -> None:
        events = np.arange(1_000_000)

        data = build_interactions(np.zeros_like(events), events[::-1] % 1_000, times_s=events)

        assert data.n_pairs == 1_000

    def test_are_cut_to_the_newest_when_they_do_not(self) -> None:
        events = np.arange(1_000_000)
        data = build_interactions(events * 0, events, times_s=events)

        model = train(data, TrainingConfig(longest_history=300, evaluate=False))

        assert model.n_pairs == 300
        assert model.notes[0] == "Of longer histories the newest 300 items count."
