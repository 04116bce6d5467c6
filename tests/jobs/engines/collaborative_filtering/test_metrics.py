import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.engines.collaborative_filtering.metrics import coverage, figure, judge, popularity_share
from tests.jobs.engines.collaborative_filtering.matrices import dense


class TestJudge:
    def test_finds_one_hidden_item_in_second_place(self) -> None:
        figures = judge(np.array([[4, 2, 0]]), hidden=dense([[0, 0, 1, 0, 0]]))

        assert figures.recall.tolist() == [1]
        assert figures.ndcg[0] == pytest.approx(1 / np.log2(3))
        assert figures.map.tolist() == [0.5]

    def test_compares_with_the_best_list_that_was_possible(self) -> None:
        # Three hidden, lists of two: one hit in first place.
        figures = judge(np.array([[1, 0]]), hidden=dense([[0, 1, 1, 1]]))

        assert figures.recall[0] == pytest.approx(1 / 3)
        assert figures.ndcg[0] == pytest.approx(1 / (1 + 1 / np.log2(3)))
        assert figures.map[0] == pytest.approx(1 / 2)

    def test_never_counts_an_empty_place(self) -> None:
        figures = judge(np.array([[-1, -1], [-1, 0]]), hidden=dense([[0, 0, 1], [1, 0, 0]]))

        assert figures.recall.tolist() == [0, 1]

    @settings(deadline=None)
    @given(st.permutations(range(5)), st.sets(st.integers(0, 4), min_size=1))
    def test_stays_between_0_and_1(self, ranked: list[int], hidden: set[int]) -> None:
        row = [[float(i in hidden) for i in range(5)]]

        figures = judge(np.array([ranked]), hidden=dense(row))

        for values in (figures.recall, figures.ndcg, figures.map):
            assert 0 <= values[0] <= 1 + 1e-12

    @settings(deadline=None)
    @given(st.integers(1, 4))
    def test_is_perfect_when_the_hidden_items_come_first(self, n_hidden: int) -> None:
        row = [[float(i < n_hidden) for i in range(5)]]

        figures = judge(np.array([[0, 1, 2, 3, 4]]), hidden=dense(row))

        assert (figures.ndcg[0], figures.map[0]) == pytest.approx((1, 1))


class TestCoverage:
    def test_counts_each_listed_item_once(self) -> None:
        assert coverage(np.array([[0, 1], [1, -1]]), n_items=4) == 0.5


class TestPopularityShare:
    def test_is_the_share_of_places_of_the_most_popular_tenth(self) -> None:
        counts = np.array([9, *[1] * 19, 8])

        assert popularity_share(np.array([[0, 5], [20, -1]]), item_counts=counts) == 2 / 3


class TestFigure:
    def test_puts_the_mean_inside_its_interval(self) -> None:
        values = np.array([0.0, 1.0] * 200)

        result = figure(values)

        assert result.value == 0.5
        # The standard error is 0.5 / sqrt(400) = 0.025.
        assert result.low == pytest.approx(0.45, abs=0.015)
        assert result.high == pytest.approx(0.55, abs=0.015)

    def test_repeats_with_the_same_seed(self) -> None:
        values = np.arange(50.0)

        assert figure(values, seed=3) == figure(values, seed=3)
        assert figure(values, seed=3) != figure(values, seed=4)

    def test_of_nobody_is_zero(self) -> None:
        assert figure(np.empty(0)).value == 0
