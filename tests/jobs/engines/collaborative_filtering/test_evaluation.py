from jobs.engines.collaborative_filtering import (
    ItemItem,
    build_interactions,
    evaluate,
    leave_last_out,
)
from tests.jobs.engines.collaborative_filtering.matrices import random_interactions


class TestEvaluate:
    def test_always_has_the_baselines_in_the_table(self) -> None:
        rows = evaluate({"items": ItemItem()}, leave_last_out(random_interactions()))

        assert [row.model for row in rows] == ["popularity", "recent popularity", "items"]

    def test_says_what_was_judged(self) -> None:
        row = evaluate({}, leave_last_out(random_interactions()), k=5)[0]

        assert (row.split, row.k) == ("leave-last-out", 5)
        assert row.n_users > 30
        assert 0 < row.recall.low <= row.recall.value <= row.recall.high < 1
        assert 0 < row.coverage <= 1
        assert 0 < row.popularity_share <= 1

    def test_gives_zeros_when_nobody_can_be_judged(self) -> None:
        split = leave_last_out(build_interactions([1, 2], [5, 6], times_s=[1, 2]))

        assert all(row.n_users == 0 and row.recall.value == 0 for row in evaluate({}, split))
