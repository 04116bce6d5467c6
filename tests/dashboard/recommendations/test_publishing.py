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

Train = Callable[[], TrainingRun]


def measured(ndcg: float, *, low: float, high: float, popularity: float = 0.1) -> list[Any]:
    def row(model: str, value: float) -> dict[str, Any]:
        figure = {"value": value, "low": low, "high": high}
        return {"model": model, "split": "leave-last-out", "ndcg": figure}

    return [row("popularity", popularity), row("blend with trend", ndcg)]


class TestObjection:
    @pytest.mark.parametrize(
        ("new", "low", "high", "objects"),
        [
            pytest.param(0.34, 0.32, 0.36, False, id="better"),
            pytest.param(0.29, 0.27, 0.31, False, id="worse, but within the tenth"),
            pytest.param(0.20, 0.05, 0.35, False, id="worse, but by chance perhaps"),
            pytest.param(0.20, 0.18, 0.22, True, id="worse"),
        ],
    )
    def test_compares_with_the_run_in_use(
        self, new: float, low: float, high: float, objects: bool
    ) -> None:
        current = TrainingRun(id=7, metrics=measured(0.31, low=0.29, high=0.33))

        said = objection(measured(new, low=low, high=high), current, max_drop=0.1)

        assert bool(said) is objects

    def test_names_both_figures_and_the_run(self, app: Flask) -> None:
        current = TrainingRun(id=7, metrics=measured(0.31, low=0.29, high=0.33))

        said = objection(measured(0.2, low=0.18, high=0.22), current, max_drop=0.1)

        assert said == "Held back: NDCG on held-out data fell from 0.310 (run #7) to 0.200."

    def test_refuses_what_loses_to_popularity(self, app: Flask) -> None:
        current = TrainingRun(id=7, metrics=measured(0.05, low=0.04, high=0.06))

        said = objection(measured(0.05, low=0.04, high=0.06), current, max_drop=0.1)

        assert "plain popularity reaches 0.100" in said

    def test_has_nothing_against_the_first_run(self, app: Flask) -> None:
        assert objection(measured(0.01, low=0, high=0.02), None, max_drop=0.1) == ""


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
