"""Every training tells how well ratings are foretold, or that there are too few."""

from collections.abc import Callable

import numpy as np
import pytest
from flask.testing import FlaskClient

from dashboard.activity.models import EventKind
from dashboard.core.database import db
from dashboard.recommendations.models import TrainingRun
from dashboard.recommendations.queries import Events
from dashboard.recommendations.services import rating_errors as module
from dashboard.recommendations.services.rating_errors import rating_errors
from jobs.engines import collaborative_filtering as cf
from tests.dashboard.recommendations.conftest import World
from tests.factories.behaviour import add_event

Train = Callable[[], TrainingRun]
PAGES = ("/workspace/recommendations", "/workspace/recommendations/runs")


def events(kinds: list[EventKind], values: list[float], times_s: list[float]) -> Events:
    """An event of each of twelve people with each of five items, as often as the lists are long."""
    n_pairs, n_each = 60, len(kinds)
    pairs = np.tile(np.arange(n_pairs), n_each)
    return Events(
        user_ids=pairs % 12 + 1,
        item_ids=pairs % 5 + 1,
        times_s=np.repeat(times_s, n_pairs),
        kinds=np.repeat([cf.KINDS.index(kind) for kind in kinds], n_pairs),
        values=np.repeat(values, n_pairs),
    )


def rate(world: World, stars: Callable[[int, int], int]) -> None:
    """Everybody of the crowd rates every item that may be seen: 10 people, 7 items."""
    items = [item for name, item in world.items.items() if name != "Secret"]
    for person, user in enumerate(world.crowd):
        for place, item in enumerate(items):
            value = float(stars(person, place))
            add_event(user.id, item.id, EventKind.RATING, value=value, minute=600 + place)


class TestRatingErrors:
    def test_are_of_the_newest_ratings_alone(self) -> None:
        told = rating_errors(
            events(
                [EventKind.RATING, EventKind.WATCH, EventKind.RATING, EventKind.VIEW],
                [4.0, 0.5, 1.0, np.nan],
                # The second rating came in later, and is older.
                [300.0, 400.0, 200.0, 500.0],
            ),
            seed=0,
        )

        names = ("baseline", "item-knn", "user-knn")
        assert told == {
            "n": 60,
            "rmse": dict.fromkeys(names, 0.0),
            "rmse_intervals": {name: [0.0, 0.0] for name in names},
        }

    def test_are_none_without_ratings(self) -> None:
        told = rating_errors(events([EventKind.VIEW], [np.nan], [1.0]), seed=0)

        assert told == {"n": 0, "rmse": {}, "rmse_intervals": {}}

    def test_compare_no_more_than_is_cheap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST_COMPARED", 5)

        told = rating_errors(events([EventKind.RATING], [4.0], [1.0]), seed=0)

        assert set(told["rmse"]) == {"baseline", "item-knn"}


class TestRun:
    def test_shows_the_errors(self, world: World, train: Train, as_analyst: FlaskClient) -> None:
        rate(world, lambda person, place: 1 + (person + place) % 5)

        run = train()
        charts, runs = (as_analyst.get(page).text for page in PAGES)

        ratings = run.recipe["ratings"]
        assert ratings["n"] == 70
        assert set(ratings["rmse"]) == {"baseline", "item-knn", "user-knn"}
        assert f"{ratings['rmse']['baseline']:.3f}" in charts
        assert "a random fifth of 70 ratings" in charts
        best = min(ratings["rmse"], key=ratings["rmse"].get)
        low, high = ratings["rmse_intervals"][best]
        assert low < ratings["rmse"][best] < high
        for page in (charts, runs):
            assert f"{ratings['rmse'][best]:.3f}" in page
            assert f"{low:.3f} – {high:.3f}" in page

    def test_of_a_former_version_has_no_intervals(
        self, world: World, train: Train, as_analyst: FlaskClient
    ) -> None:
        run = train()
        ratings = {"n": 70, "rmse": {"baseline": 1.234, "item-knn": 1.111}}
        run.recipe = run.recipe | {"ratings": ratings}
        db.session.commit()

        charts, runs = (as_analyst.get(page).text for page in PAGES)

        assert "1.234" in charts
        assert "1.111" in charts
        assert "1.111" in runs

    def test_says_when_there_are_too_few(
        self, world: World, train: Train, as_analyst: FlaskClient
    ) -> None:
        item = world.items["Word"].id
        add_event(world.crowd[0].id, item, EventKind.RATING, value=4.0, minute=600)

        run = train()
        charts, runs = (as_analyst.get(page).text for page in PAGES)

        assert run.recipe["ratings"] == {"n": 1, "rmse": {}, "rmse_intervals": {}}
        assert "Too few ratings: there are 1, and an error is told from 50 on." in charts
        assert "too few ratings" in runs

    def test_of_a_former_version_has_none(
        self, world: World, train: Train, as_analyst: FlaskClient
    ) -> None:
        run = train()
        run.recipe = {name: value for name, value in run.recipe.items() if name != "ratings"}
        db.session.commit()

        charts, runs = (as_analyst.get(page) for page in PAGES)

        assert (charts.status_code, runs.status_code) == (200, 200)
        assert "Ratings foretold" not in charts.text
        assert "too few ratings" not in runs.text
