"""Other people appear as counts, and only when there are enough of them to stay nobody in particular."""

import pytest

from dashboard.recommendations.services.reasons import people_text, shown_counts


class TestShownCounts:
    @pytest.mark.parametrize(("both", "n"), [(5, 5), (7, 9), (5, 300)])
    def test_tells_counts_of_five_or_more(self, both: int, n: int) -> None:
        assert shown_counts(both, n) == (both, n)

    @pytest.mark.parametrize(("both", "n"), [(0, 9), (1, 6), (4, 300), (4, 4)])
    def test_keeps_smaller_counts_to_itself(self, both: int, n: int) -> None:
        assert shown_counts(both, n) == (None, None)


class TestPeopleText:
    def test_is_empty_where_the_counts_are_not_told(self) -> None:
        assert people_text(None, None) == ""
