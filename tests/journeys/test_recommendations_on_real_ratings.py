"""From files of real interactions to lists, on MARS: the figures of its README come out of the portal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from dashboard.accounts.models import User
from dashboard.activity import services as activity
from dashboard.activity.models import Event
from dashboard.catalogue.models import Item, ItemStatus
from dashboard.core.database import db
from dashboard.recommendations import charts, queries, report, services
from dashboard.recommendations.services import artefacts
from dashboard.recommendations.services.publishing import BASELINE, SERVED
from seeds import ratings
from tests.factories.shared_data import shared_data

# Of the 14,984 pairs of the files, 529 end with one or two stars (4 of 10 or fewer): these are nobody's liking.
N_PAIRS, N_USERS, N_ITEMS = 14_455, 2_957, 949
# Recall@10 of the README for popularity and for the best model named there; one standard error is .013.
POPULARITY, BEST_MODEL, TOLERANCE = 0.144, 0.465, 0.03


@pytest.fixture
def mars(app: Flask) -> Path:
    folder = shared_data("ratings/mars")
    ratings.load([folder / "views.csv", folder / "ratings.csv"], items=folder / "items.csv")
    return folder


class TestRealRatings:
    def test_trains_beats_popularity_and_follows_behaviour(
        self, mars: Path, make_user: Callable[..., User]
    ) -> None:
        run = services.train(progress=lambda _fraction, _text: None)
        _check_figures(run.recipe, {(r["split"], r["model"]): r for r in run.metrics})
        _check_charts()

        ada = make_user()
        assert all(each.popular for each in services.recommendations_for(ada.id, n=10))

        first = services.popular_items(n=1)[0].item
        activity.record_view(learner_id=ada.id, item_id=first.id)
        found = services.recommendations_for(ada.id, n=10)
        assert not found[0].popular
        assert first.title in found[0].reason
        assert found[0].people_text

        activity.dismiss(learner_id=ada.id, item_id=found[0].item.id)
        found[1].item.status = ItemStatus.DRAFT.value
        db.session.commit()
        shown = {each.item.id for each in services.recommendations_for(ada.id, n=50)}
        assert not {first.id, found[0].item.id, found[1].item.id} & shown
        assert len(report.for_user(str(ada.id), n=10).splitlines()) == 10
        _check_stored_lists()


def _check_figures(recipe: dict[str, Any], rows: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert (recipe["n_pairs"], recipe["n_users"], recipe["n_items"]) == (N_PAIRS, N_USERS, N_ITEMS)
    baseline = rows["leave-last-out", BASELINE]["recall"]
    served = rows["leave-last-out", SERVED]["recall"]
    assert baseline["value"] == pytest.approx(POPULARITY, abs=0.001)
    assert served["value"] == pytest.approx(BEST_MODEL, abs=TOLERANCE)
    assert served["low"] > 2 * baseline["high"]
    # The honest test, in time: few people, so the intervals overlap; the order is the one to expect.
    late = rows["by-time", SERVED]["recall"]["value"]
    assert late > rows["by-time", BASELINE]["recall"]["value"]


def _check_charts() -> None:
    model = artefacts.find_model(queries.find_current_run())
    assert model is not None
    titles = queries.titles_of(int(item) for item in model.item_ids)

    found = charts.workspace(model, titles=titles, runs=queries.list_done_runs(limit=5))

    assert all(chart.rows and chart.json for chart in found)


def _check_stored_lists() -> None:
    """Nobody's stored list shows what she met before, read past the live list."""
    run = queries.find_current_run()
    assert run is not None
    run.artefact = "lost.npz"
    db.session.commit()
    most = select(Event.user_id).group_by(Event.user_id).order_by(func.count().desc()).limit(3)
    for user_id in db.session.scalars(most):
        met = set(db.session.scalars(select(Event.item_id).where(Event.user_id == user_id)))
        stored = services.recommendations_for(user_id, n=10)
        assert stored
        assert not met & {each.item.id for each in stored}
        assert all(db.session.get_one(Item, each.item.id).published for each in stored)
