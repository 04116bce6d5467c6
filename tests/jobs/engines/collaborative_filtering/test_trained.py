import numpy as np
import pytest

from jobs.engines.collaborative_filtering import (
    BlendConfig,
    TrainedModel,
    TrainingConfig,
    build_interactions,
    train,
)
from jobs.engines.collaborative_filtering.training import blend_model
from tests.jobs.engines.collaborative_filtering.matrices import DAY_S, random_interactions

# Users 1 and 2 went from course "a" to "b", user 3 from "a" to "c"; "d" was met alone and last.
EVENTS = [(1, "a"), (1, "b"), (2, "a"), (2, "b"), (3, "a"), (3, "c"), (4, "d")]
PLAIN = TrainingConfig(blend=BlendConfig(), evaluate=False)


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    users, items = zip(*EVENTS, strict=True)
    days = np.arange(len(EVENTS)) * DAY_S
    return train(build_interactions(users, items, times_s=days), PLAIN)


class TestTopN:
    def test_gives_the_reason_and_what_others_did(self, model: TrainedModel) -> None:
        best = model.top_n(["a"], 1)[0]

        assert best.item_id == "b"
        assert [(why.item_id, why.share) for why in best.reasons] == [("a", 1.0)]
        # Two of the three people who met "a" met "b" too.
        assert (best.reasons[0].counts.both, best.reasons[0].counts.n) == (2, 3)

    def test_fills_up_with_popular_items_without_a_reason(self, model: TrainedModel) -> None:
        suggestions = model.top_n(["a"], 10)

        assert [s.item_id for s in suggestions] == ["b", "c", "d"]
        assert [bool(s.reasons) for s in suggestions] == [True, True, False]

    def test_shows_a_newcomer_what_is_popular(self, model: TrainedModel) -> None:
        assert model.top_n([], 2) == model.popular(2)
        assert [s.item_id for s in model.popular(1)] == ["a"]

    @pytest.mark.parametrize("idle_days", [0.0, 5.0, 400.0])
    def test_ranks_an_old_history_as_the_model_does(self, idle_days: float) -> None:
        data = random_interactions()
        config = TrainingConfig(evaluate=False)
        trained, blend = train(data, config), blend_model(config)
        blend.fit(data.user_items, times=data.times)

        ids, _ = blend.recommend(0, data.user_items[0], N=5, idle_days=idle_days)
        labels, weights = data.item_ids[data.history(0)].tolist(), data.user_items[0].data.tolist()
        found = trained.top_n(labels, len(ids), weights=weights, idle_days=idle_days)

        assert [each.item_id for each in found] == data.item_ids[ids].tolist()

    def test_never_shows_what_is_excluded(self, model: TrainedModel) -> None:
        assert [s.item_id for s in model.top_n(["a"], 10, exclude=["b", "d"])] == ["c"]

    def test_skips_items_it_does_not_know(self, model: TrainedModel) -> None:
        assert model.top_n(["new", "a"], 1, exclude=["gone"]) == model.top_n(["a"], 1)

    def test_takes_a_history_of_another_type_as_unknown(self, model: TrainedModel) -> None:
        assert model.top_n([1, 2], 1) == model.popular(1)

    def test_shares_of_all_reasons_add_up_to_one(self) -> None:
        data = random_interactions()
        model = train(data, PLAIN)
        history = data.item_ids[data.history(0)].tolist()

        for suggestion in model.top_n(history, 5, n_reasons=99):
            if suggestion.reasons:
                assert sum(why.share for why in suggestion.reasons) == pytest.approx(1)
                assert suggestion.reasons == tuple(model.explain(history, suggestion.item_id))


class TestSimilarItems:
    def test_leaves_out_the_item_itself(self, model: TrainedModel) -> None:
        assert [near.id for near in model.similar_items("a")] == ["b", "c"]

    def test_knows_nothing_of_a_new_item(self, model: TrainedModel) -> None:
        assert model.similar_items("new") == []


class TestSimilarUsers:
    def test_puts_the_most_similar_first(self, model: TrainedModel) -> None:
        assert [near.id for near in model.similar_users(1)] == [2, 3]


class TestCoCounts:
    def test_is_none_for_items_that_are_no_neighbours(self, model: TrainedModel) -> None:
        assert model.co_counts("a", "d") is None
        assert model.co_counts("a", "new") is None


class TestSimilarityBlock:
    def test_is_the_cosine_of_the_users(self, model: TrainedModel) -> None:
        block = model.similarity_block(["a", "b", "d"])

        ab = 2 / np.sqrt(3 * 2)
        np.testing.assert_allclose(block, [[1, ab, 0], [ab, 1, 0], [0, 0, 1]], rtol=1e-6)

    def test_names_an_unknown_item(self, model: TrainedModel) -> None:
        with pytest.raises(KeyError, match="item new is not in the run"):
            model.similarity_block(["a", "new"])


class TestPopularityCurve:
    def test_goes_from_the_most_to_the_least_popular(self, model: TrainedModel) -> None:
        curve = model.popularity_curve()

        assert curve.item_ids.tolist() == ["a", "b", "c", "d"]
        assert curve.n_users.tolist() == [3, 2, 1, 1]
        assert curve.cumulative_share[-1] == 1


class TestCoverage:
    def test_counts_items_with_neighbours_and_items_in_lists(self, model: TrainedModel) -> None:
        coverage = model.coverage()

        assert (coverage.n_items, coverage.n_with_neighbours) == (4, 3)
        # "a" was met by everybody who has neighbours, "d" has none.
        assert coverage.n_listed == 2
