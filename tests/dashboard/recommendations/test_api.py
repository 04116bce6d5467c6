"""The API of recommendations: what each caller gets."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.accounts.models import RoleName, User
from dashboard.recommendations.models import TrainingRun
from tests.dashboard.recommendations.conftest import World
from tests.factories.behaviour import add_event

Train = Callable[[], TrainingRun]
Headers = dict[str, str]


def token(user: User) -> Headers:
    return {"Authentication-Token": str(user.get_auth_token())}


@pytest.fixture
def ada(world: World, train: Train, make_user: Callable[..., User]) -> Headers:
    train()
    user = make_user()
    add_event(user.id, world.items["Word"].id, minute=900)
    return token(user)


@pytest.fixture
def analyst(make_user: Callable[..., User]) -> Headers:
    return token(make_user(RoleName.LEARNER, RoleName.ANALYST))


class TestRecommendations:
    def test_gives_items_with_reasons(self, client: FlaskClient, ada: Headers) -> None:
        first = client.get("/api/v1/recommendations?n=1", headers=ada).json["items"][0]

        assert first["item"]["title"] == "Excel"
        assert first["reasons"][0]["n_people"] == 10
        assert first["reason"] == "Because you viewed “Word”"

    def test_an_event_through_the_api_changes_the_next_list(
        self, world: World, client: FlaskClient, ada: Headers
    ) -> None:
        excel = world.items["Excel"].id
        client.post("/api/v1/events", json={"item_id": excel, "kind": "view"}, headers=ada)

        found = client.get("/api/v1/recommendations", headers=ada).json["items"]

        assert excel not in [each["item"]["id"] for each in found]

    def test_speaks_the_callers_language(self, client: FlaskClient, ada: Headers) -> None:
        response = client.get(
            "/api/v1/recommendations?n=1", headers={**ada, "Accept-Language": "zh-CN"}
        )

        reason = response.json["items"][0]["reason"]
        assert "Word" in reason
        assert "Because" not in reason


class TestWhy:
    def test_gives_own_signals(self, world: World, client: FlaskClient, ada: Headers) -> None:
        path = f"/api/v1/recommendations/{world.items['Charts'].id}/why"

        body = client.get(path, headers=ada).json

        assert [each["title"] for each in body["reasons"]] == ["Word"]
        assert (body["met"], body["dismissed"]) == (False, False)


class TestRelated:
    def test_is_open_and_may_be_kept(self, world: World, client: FlaskClient, ada: Headers) -> None:
        response = client.get(f"/api/v1/items/{world.items['Word'].id}/related?n=2")

        assert response.json["items"][0]["item"]["title"] == "Excel"
        assert response.headers["Cache-Control"] == "public, max-age=300"
        assert "Authentication-Token" in response.headers["Vary"]

    def test_is_the_readers_own_when_she_is_signed_in(
        self, world: World, client: FlaskClient, ada: Headers
    ) -> None:
        path = f"/api/v1/items/{world.items['Excel'].id}/related"

        anybody, hers = client.get(path), client.get(path, headers=ada)

        def found(response: TestResponse) -> list[str]:
            return [each["item"]["title"] for each in response.json["items"]]

        assert "Word" in found(anybody)
        assert found(hers)
        assert "Word" not in found(hers), "she viewed it"
        assert hers.headers["Cache-Control"] == "no-store"

    def test_a_draft_is_not_there(self, world: World, client: FlaskClient, ada: Headers) -> None:
        path = f"/api/v1/items/{world.items['Secret'].id}/related"

        assert client.get(path).status_code == 404


class TestRuns:
    def test_starting_one_answers_with_its_job(self, client: FlaskClient, analyst: Headers) -> None:
        response = client.post("/api/v1/recommendations/runs", headers=analyst)

        assert response.status_code == 202
        job = client.get(f"/api/v1/jobs/{response.json['job_id']}", headers=analyst).json
        assert job["kind"] == "recommendations.train"

    def test_lists_and_shows_metrics(
        self, world: World, train: Train, client: FlaskClient, analyst: Headers
    ) -> None:
        run = train()

        page = client.get("/api/v1/recommendations/runs", headers=analyst).json
        body = client.get(f"/api/v1/recommendations/runs/{run.id}", headers=analyst).json

        assert (page["total"], page["items"][0]["is_current"]) == (1, True)
        assert {"popularity", "blend with trend"} <= {row["model"] for row in body["metrics"]}
        assert len(body["recipe"]["data_sha256"]) == 64

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_are_not_for_learners(
        self, client: FlaskClient, make_user: Callable[..., User], method: str
    ) -> None:
        response = client.open(
            "/api/v1/recommendations/runs", method=method, headers=token(make_user())
        )

        assert response.status_code == 403
