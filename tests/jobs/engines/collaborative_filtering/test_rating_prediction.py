import numpy as np
import pytest

from jobs.engines.collaborative_filtering.metrics import Figure
from jobs.engines.collaborative_filtering.rating_prediction import (
    Baseline,
    Given,
    NeighbourConfig,
    Neighbours,
    Similar,
    errors_of,
    rmse,
    rmse_figure,
)


def ratings() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """600 users, 900 items, 33,000 ratings 1 to 5 with four hidden tastes, in any order."""
    random = np.random.default_rng(1)
    n_users, n_items, n_events = 600, 900, 40_000
    tastes, traits = random.normal(size=(n_users, 4)), random.normal(size=(n_items, 4))
    user = random.integers(0, n_users, n_events)
    item = (random.random(n_events) ** 2 * n_items).astype(int)
    pair = np.unique(user * n_items + item)
    random.shuffle(pair)
    user, item = pair // n_items, pair % n_items
    rating = 3.5 + random.normal(size=n_users)[user] * 0.4 + random.normal(size=n_items)[item] * 0.4
    rating += (tastes[user] * traits[item]).sum(axis=1) * 0.35 + random.normal(size=len(user)) * 0.5
    return user, item, np.clip(np.rint(rating), 1, 5)


class TestPredict:
    @pytest.mark.parametrize(
        ("model", "of_surprise"),
        [
            (Baseline(), 0.8680881762961385),
            (Neighbours(NeighbourConfig(Similar.ITEMS)), 0.8097699787702427),
            (Neighbours(NeighbourConfig(Similar.USERS)), 0.8020021025356191),
        ],
        ids=["BaselineOnly", "KNNBaseline by items", "KNNBaseline by users"],
    )
    def test_errs_as_scikit_surprise_does(self, model: Baseline, of_surprise: float) -> None:
        user, item, rating = ratings()
        train, test = slice(0, len(user) * 4 // 5), slice(len(user) * 4 // 5, None)

        model.fit(Given(user[train], item[train], rating[train], n_users=600, n_items=900))

        found = rmse(model.predict(user[test], item[test]), rating[test])
        assert found == pytest.approx(of_surprise, abs=1e-6)

    @pytest.mark.parametrize("similar", list(Similar))
    def test_gives_somebody_unknown_the_mean(self, similar: Similar) -> None:
        model = Neighbours(NeighbourConfig(similar))
        model.fit(Given(np.array([0, 1]), np.array([0, 0]), np.array([2.0, 4.0]), 2, 1))

        assert model.predict(np.array([-1]), np.array([-1])).tolist() == [3.0]


class TestErrorsOf:
    def test_says_nothing_about_few_ratings(self) -> None:
        assert errors_of(np.arange(9), np.arange(9), np.ones(9)) == {}
        assert errors_of(np.zeros(99), np.zeros(99), np.ones(99)) == {}, "all of one pair"

    def test_compares_no_more_than_was_said(self) -> None:
        users, items = np.arange(60) % 12, np.arange(60) % 5

        assert set(errors_of(users, items, np.ones(60), most_compared=4)) == {"baseline"}

    def test_counts_the_last_rating_of_a_pair(self) -> None:
        users, items = np.arange(60) % 12, np.arange(60) % 5

        once = errors_of(users, items, np.full(60, 3.0))
        again = errors_of(
            np.append(users, users), np.append(items, items), np.repeat([9.0, 3.0], 60)
        )

        exact = Figure(0.0, 0.0, 0.0)
        assert once == again == {"baseline": exact, "item-knn": exact, "user-knn": exact}


class TestRmseFigure:
    def test_holds_the_true_error_as_often_as_it_says(self) -> None:
        random = np.random.default_rng(3)

        found = [rmse_figure(random.normal(0, 2, 300), np.zeros(300)) for _ in range(200)]

        assert 180 <= sum(each.low <= 2 <= each.high for each in found) <= 199

    def test_is_the_error_and_the_same_again(self) -> None:
        true, predicted = np.arange(60.0), np.arange(60.0) ** 1.1

        found = rmse_figure(predicted, true, seed=1)

        assert found.value == pytest.approx(rmse(predicted, true))
        assert found == rmse_figure(predicted, true, seed=1)
        assert found != rmse_figure(predicted, true, seed=2)
