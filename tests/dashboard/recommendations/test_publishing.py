"""A bad run never replaces a good one, and one click brings an older one back."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from dashboard.accounts.models import User
from dashboard.audit.models import AuditEntry
from dashboard.core.database import db
from dashboard.core.errors import Conflict
from dashboard.recommendations import queries, services
from dashboard.recommendations.models import RecommendedItem, RunState, TrainingRun
from dashboard.recommendations.services import artefacts
from dashboard.recommendations.services.publishing import objection
from tests.dashboard.recommendations.conftest import World, silent
from tests.factories.behaviour import add_event, make_item

Train = Callable[[], TrainingRun]


LAST, TIME = "leave-last-out", "by-time"


def measured(
    ndcg: float,
    *,
    low: float,
    high: float,
    popularity: float = 0.1,
    split: str = LAST,
    n_users: int = 100,
) -> list[Any]:
    def row(model: str, value: float) -> dict[str, Any]:
        figure = {"value": value, "low": low, "high": high}
        return {"model": model, "split": split, "ndcg": figure, "n_users": n_users}

    return [row("popularity", popularity), row("blend with trend", ndcg)]


GOOD, BAD = {"low": 0.29, "high": 0.33}, {"low": 0.18, "high": 0.22}


@pytest.fixture
def misleading(make_user: Callable[..., User]) -> list[User]:
    """People whose last item is the most popular one, which nobody else took after the same items."""
    items = {name: make_item(name) for name in ["Word", "Excel", "Hit", *"0123456789"]}
    stories = [["Word", "Excel", "Hit"]] * 35 + [["Hit"]] * 40
    stories += [["Word", name] for name in "0123456789"] * 4
    people = [make_user() for _ in stories]
    for number, (user, names) in enumerate(zip(people, stories, strict=True)):
        for step, name in enumerate(names):
            add_event(user.id, items[name].id, minute=10 * number + step)
    return people


class TestObjection:
    @pytest.mark.parametrize("split", [LAST, TIME])
    @pytest.mark.parametrize(
        ("new", "low_high", "objects"),
        [
            pytest.param(0.34, (0.32, 0.36), False, id="better"),
            pytest.param(0.29, (0.27, 0.30), False, id="worse, but within the tenth"),
            pytest.param(0.20, (0.05, 0.35), False, id="worse, but by chance perhaps"),
            pytest.param(0.20, (0.18, 0.22), True, id="worse"),
        ],
    )
    def test_compares_with_the_run_in_use_on_both_splits(
        self, app: Flask, split: str, new: float, low_high: tuple[float, float], objects: bool
    ) -> None:
        low, high = low_high
        other = TIME if split == LAST else LAST
        same = measured(0.31, **GOOD, split=other)
        current = TrainingRun(id=7, metrics=measured(0.31, **GOOD, split=split) + same)

        said = objection(
            measured(new, low=low, high=high, split=split) + same, current, max_drop=0.1
        )

        assert bool(said) is objects

    @pytest.mark.parametrize(
        ("split", "name"),
        [(LAST, "Last item of everybody"), (TIME, "Everything after a moment")],
    )
    def test_names_split_and_figures_and_the_run(self, app: Flask, split: str, name: str) -> None:
        current = TrainingRun(id=7, metrics=measured(0.31, **GOOD, split=split))

        said = objection(measured(0.2, **BAD, split=split), current, max_drop=0.1)

        assert said == (
            f"Held back: NDCG on held-out data ({name}) fell from 0.310 (run #7) to 0.200."
        )

    def test_tells_all_that_speaks_against_a_run(self, app: Flask) -> None:
        old = measured(0.31, **GOOD) + measured(0.31, **GOOD, split=TIME)
        new = measured(0.2, **BAD) + measured(0.2, **BAD, split=TIME, popularity=0.3)

        said = objection(new, TrainingRun(id=7, metrics=old), max_drop=0.1)

        assert said.count("fell from 0.310") == 2
        assert said.count("plain popularity reaches 0.300") == 1

    @pytest.mark.parametrize("split", [LAST, TIME])
    @pytest.mark.parametrize("first", [True, False], ids=["the first", "a later run"])
    def test_refuses_what_loses_to_popularity(self, app: Flask, split: str, first: bool) -> None:
        metrics = measured(0.05, low=0.04, high=0.06, split=split)
        current = None if first else TrainingRun(id=7, metrics=metrics)

        said = objection(metrics, current, max_drop=0.1)

        assert "is 0.050, plain popularity reaches 0.100" in said

    def test_has_nothing_against_a_first_run_that_may_be_better(self, app: Flask) -> None:
        assert objection(measured(0.09, low=0.05, high=0.13), None, max_drop=0.1) == ""

    @pytest.mark.parametrize("n_users", [29, 30])
    def test_trusts_no_interval_of_few_people(self, app: Flask, n_users: int) -> None:
        current = TrainingRun(id=7, metrics=measured(0.31, **GOOD))

        said = objection(measured(0, low=0, high=0, n_users=n_users), current, max_drop=0.1)

        assert bool(said) is (n_users == 30)

    def test_says_nothing_without_figures(self, app: Flask) -> None:
        current = TrainingRun(id=7, metrics=measured(0.31, **GOOD))

        assert objection([], current, max_drop=0.1) == ""
        assert objection(measured(0.2, **BAD), TrainingRun(id=8, metrics=[]), max_drop=0.1) == ""


class TestGuard:
    def test_keeps_the_old_run_and_says_so(
        self, world: World, train: Train, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        good = train()
        stored = db.session.scalar(select(func.count()).select_from(RecommendedItem))
        monkeypatch.setattr(
            "dashboard.recommendations.services.publishing.objection",
            lambda *_args, **_options: "Held back: worse.",
        )

        bad = train()

        assert (bad.state, bad.message, bad.is_current) == (
            RunState.HELD,
            "Held back: worse.",
            None,
        )
        assert queries.find_current_run() == good
        assert set(db.session.scalars(select(RecommendedItem.run_id))) == {good.id}
        assert db.session.scalar(select(func.count()).select_from(RecommendedItem)) == stored
        assert artefacts.has_file(bad)

    def test_shows_no_first_run_that_popularity_beats(
        self, misleading: list[User], train: Train
    ) -> None:
        run = train()

        assert (run.state, run.is_current) == (RunState.HELD, None)
        assert "plain popularity reaches" in run.message
        assert queries.find_current_run() is None
        assert db.session.scalar(select(func.count()).select_from(RecommendedItem)) == 0
        # Popular items stand in, and the run can be shown all the same.
        assert services.recommendations_for(misleading[0].id, n=2)
        assert services.use_run(run.id, actor_id=misleading[0].id).is_current


class TestUseRun:
    def test_goes_back_to_an_older_run(self, world: World, train: Train) -> None:
        old, new = train(), train()

        services.use_run(old.id, actor_id=world.crowd[0].id)

        assert queries.find_current_run() == old
        assert db.session.get_one(TrainingRun, new.id).state == RunState.DONE
        assert services.recommendations_for(world.crowd[0].id, n=2)
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert entry.changes == {"run": [new.id, old.id]}

    def test_is_a_conflict_without_its_file(self, world: World, train: Train) -> None:
        old, new = train(), train()
        (artefacts.folder() / old.artefact).unlink()

        with pytest.raises(Conflict, match=f"Run #{old.id} has no file"):
            services.use_run(old.id, actor_id=world.crowd[0].id)

        assert queries.find_current_run() == new

    def test_is_one_click_for_an_analyst(
        self,
        world: World,
        train: Train,
        as_analyst: FlaskClient,
        csrf: Callable[[FlaskClient], str],
    ) -> None:
        old, _new = train(), train()
        form = {"csrf_token": csrf(as_analyst)}
        page = as_analyst.get("/workspace/recommendations/runs").text

        as_analyst.post(f"/workspace/recommendations/runs/{old.id}/use", data=form)

        assert f"/workspace/recommendations/runs/{old.id}/use" in page
        assert queries.find_current_run() == old


class TestModelOfARun:
    def test_may_be_named(self, world: World) -> None:
        run = services.train(progress=silent, model="rp3beta")

        assert run.recipe["served"]["walk"] == 1.0

    def test_is_refused_when_unknown(
        self,
        as_analyst: FlaskClient,
        csrf: Callable[[FlaskClient], str],
        make_user: Callable[..., User],
    ) -> None:
        form = {"csrf_token": csrf(as_analyst), "model": "magic"}

        response = as_analyst.post("/workspace/recommendations/train", data=form)

        assert response.status_code == 422
