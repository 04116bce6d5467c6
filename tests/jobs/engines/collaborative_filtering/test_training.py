import numpy as np
import pytest
from hypothesis import given, settings

from jobs.engines.collaborative_filtering import (
    Interactions,
    TrainingConfig,
    build_interactions,
    train,
)
from jobs.engines.collaborative_filtering.arrays import no_tick, pattern
from jobs.engines.collaborative_filtering.training import co_counts_of
from tests.jobs.engines.collaborative_filtering.matrices import interactions, random_interactions

UNMEASURED = TrainingConfig(evaluate=False)


class TestTrain:
    def test_reports_its_progress_in_words(self) -> None:
        seen: list[tuple[float, str]] = []

        train(random_interactions(), progress=lambda *step: seen.append(step))

        fractions = [fraction for fraction, _ in seen]
        assert fractions == sorted(fractions)
        assert seen[0] == (0.0, "comparing items")
        assert seen[-1] == (1.0, "done")
        assert len(fractions) > 15

    @pytest.mark.parametrize("after", [0, 3, 8, 15])
    def test_stops_when_the_progress_raises(self, after: int) -> None:
        calls = []

        def progress(fraction: float, text: str) -> None:
            calls.append(text)
            if len(calls) > after:
                raise InterruptedError(text)

        with pytest.raises(InterruptedError):
            train(random_interactions(), progress=progress)

        assert len(calls) == after + 1

    def test_measures_both_splits_with_the_baselines(self) -> None:
        metrics = train(random_interactions()).metrics

        assert {row.split for row in metrics} == {"leave-last-out", "by-time"}
        assert {row.model for row in metrics} == {
            "popularity",
            "recent popularity",
            "item-item",
            "window co-view",
            "blend with trend",
            "user-user",
            "rp3beta",
            "ease",
        }

    def test_gives_the_same_run_twice(self) -> None:
        one, two = (train(random_interactions()) for _ in range(2))

        np.testing.assert_array_equal(one.neighbours.data, two.neighbours.data)
        assert [m.recall for m in one.metrics] == [m.recall for m in two.metrics]

    def test_says_when_comparing_people_was_too_much_work(self) -> None:
        model = train(random_interactions(), TrainingConfig(user_work_limit=10))

        assert model.similar_users(100) == []
        assert len(model.notes) == 3
        assert "People were not compared" in model.notes[0]

    @pytest.mark.parametrize(
        "events",
        [([], []), ([1], [5]), ([1, 1, 1], [5, 6, 7]), ([1, 2, 3], [5, 5, 5])],
        ids=["nothing", "one pair", "one user", "one item"],
    )
    def test_finishes_on_hardly_any_data(self, events: tuple[list[int], list[int]]) -> None:
        data = build_interactions(*events, times_s=np.arange(len(events[0])))

        model = train(data)

        assert model.n_pairs == len(events[0])
        assert len(model.top_n([], 3)) == data.n_items

    @settings(deadline=None, max_examples=20)
    @given(interactions())
    def test_serves_the_lists_of_the_model_it_measured(self, data: Interactions) -> None:
        model = train(data, UNMEASURED)

        for user, suggestions in model.all_lists(data):
            own = data.item_ids[data.history(int(np.searchsorted(data.user_ids, user)))]
            assert not {s.item_id for s in suggestions} & set(own.tolist())

    def test_says_when_nobody_can_be_judged(self) -> None:
        model = train(build_interactions([1, 2], [5, 5], times_s=[1, 2]))

        assert model.metrics == ()
        assert "Nobody can be judged by the split leave-last-out" in model.notes[0]


class TestCoCountsOf:
    def test_counts_users_of_both_items(self) -> None:
        data = random_interactions()
        met = (data.user_items.toarray() > 0).astype(int)
        table = pattern(data.user_items).T.tocsr() @ pattern(data.user_items)
        table.sort_indices()

        counts = co_counts_of(pattern(data.user_items).T.tocsr(), table, tick=no_tick)

        together = met.T @ met
        assert counts.tolist() == together[together > 0].tolist()
