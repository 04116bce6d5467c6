"""V-measure against values worked out by hand."""

import numpy as np
import pytest

from jobs.engines.clonal import agreement, prevalence_error


class TestAgreement:
    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            pytest.param([0, 0, 1, 1], [1, 1, 0, 0], (1, 1, 1), id="renamed"),
            pytest.param([0, 0, 1, 1], [0, 0, 0, 0], (0, 1, 0), id="all in one"),
            # Split in four: half of the entropy of the second is not in the first.
            pytest.param([0, 0, 1, 1], [0, 1, 2, 3], (1, 0.5, 2 / 3), id="all apart"),
            pytest.param([0, 0, 0], [0, 0, 0], (1, 1, 1), id="one cluster"),
        ],
    )
    def test_measures_both_ways(
        self, first: list[int], second: list[int], expected: tuple[float, float, float]
    ) -> None:
        found = agreement(np.array(first), np.array(second))

        measured = (found.homogeneity, found.completeness, found.v_measure)
        assert measured == pytest.approx(expected)

    def test_matches_clusters_by_what_they_share(self) -> None:
        found = agreement(np.array([0, 0, 0, 1, 1, 2]), np.array([5, 5, 5, 5, 7, 7]))

        assert found.matches == ((0, 5, 3), (1, 7, 1))


class TestPrevalenceError:
    def test_is_the_mean_absolute_difference(self) -> None:
        error = prevalence_error(np.array([[0.1, 0.2]]), np.array([[0.2, 0.5]]))

        assert error == pytest.approx(0.2)
