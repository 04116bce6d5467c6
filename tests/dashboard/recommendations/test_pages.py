"""The pages of recommendations: a learner's list, its reasons, the analysts' charts."""

import json
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from dashboard.accounts.models import User
from dashboard.core.database import db
from dashboard.job_queue.models import Job
from dashboard.recommendations import pages
from dashboard.recommendations.models import TrainingRun
from tests.dashboard.recommendations.conftest import World
from tests.factories.behaviour import add_event

Train = Callable[[], TrainingRun]
SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def ada(world: World, train: Train, make_user: Callable[..., User]) -> User:
    """A learner who viewed Word, after a training."""
    train()
    user = make_user()
    add_event(user.id, world.items["Word"].id, minute=900)
    return user


@pytest.fixture
def cook(world: World, ada: User, sign_in: SignIn) -> FlaskClient:
    """The browser of ada, who viewed Baking too."""
    add_event(ada.id, world.items["Baking"].id, minute=901)
    return sign_in(ada)


class TestOwnList:
    def test_shows_items_with_reasons(self, ada: User, sign_in: SignIn) -> None:
        page = sign_in(ada).get("/recommendations").text

        assert "Because you viewed “Word”" in page
        assert "10 of 10 people who did also took this" in page

    def test_names_nobody(self, world: World, ada: User, sign_in: SignIn) -> None:
        page = sign_in(ada).get("/recommendations").text

        assert not [user.user_name for user in world.crowd if f">{user.user_name}<" in page]

    def test_sends_a_visitor_to_the_sign_in_page(self, client: FlaskClient) -> None:
        assert client.get("/recommendations").status_code == 302


class TestPanel:
    def test_is_personal_for_a_learner_with_a_history(self, ada: User, sign_in: SignIn) -> None:
        fragment = sign_in(ada).get("/recommendations/panel").text

        assert "Recommended for you" in fragment
        assert "<html" not in fragment

    def test_is_labelled_popular_for_a_newcomer(
        self, ada: User, make_user: Callable[..., User], sign_in: SignIn
    ) -> None:
        fragment = sign_in(make_user()).get("/recommendations/panel").text

        assert "Popular" in fragment
        assert "Recommended for you" not in fragment

    def test_is_popular_for_a_visitor_who_cannot_dismiss(
        self, ada: User, client: FlaskClient
    ) -> None:
        fragment = client.get("/recommendations/panel").text

        assert "Popular" in fragment
        assert "Not interested" not in fragment

    def test_is_empty_in_an_empty_portal(self, client: FlaskClient) -> None:
        assert client.get("/recommendations/panel").text.strip() == ""


class TestRelated:
    def test_shows_what_people_took_as_well(
        self, world: World, ada: User, client: FlaskClient
    ) -> None:
        fragment = client.get(f"/recommendations/related/{world.items['Word'].id}").text

        assert "Excel" in fragment
        assert "Secret" not in fragment

    def test_leaves_out_what_the_reader_met(self, world: World, ada: User, sign_in: SignIn) -> None:
        fragment = sign_in(ada).get(f"/recommendations/related/{world.items['Excel'].id}").text

        assert "Charts" in fragment
        assert "Word" not in fragment

    def test_is_404_for_a_draft(self, world: World, ada: User, client: FlaskClient) -> None:
        assert client.get(f"/recommendations/related/{world.items['Secret'].id}").status_code == 404


class TestWhy:
    def test_shows_own_signals_as_chart_and_table(
        self, world: World, ada: User, sign_in: SignIn
    ) -> None:
        page = sign_in(ada).get(f"/recommendations/{world.items['Excel'].id}/why").text

        assert 'data-island="Chart"' in page
        assert "100.0" in page

    @pytest.mark.parametrize(
        "case",
        [
            (24, "New: 0; gone: 0; in another place: 3."),
            (1, "New: 1; gone: 1; in another place: 0."),
        ],
    )
    def test_says_how_the_list_changed(
        self,
        cook: FlaskClient,
        world: World,
        csrf: Callable[[FlaskClient], str],
        monkeypatch: pytest.MonkeyPatch,
        case: tuple[int, str],
    ) -> None:
        n, said = case
        monkeypatch.setattr(pages, "N_LIST", n)
        client, word = cook, world.items["Word"].id
        form = {"csrf_token": csrf(client)}

        client.post(f"/recommendations/{word}/ignore", data=form)
        changed = client.get("/recommendations").text
        client.post(f"/recommendations/{word}/ignore", data=form)
        same = client.get("/recommendations").text

        assert f"Your list was made again. {said}" in changed
        assert "Your list was made again and stays as it was." in same

    def test_is_404_for_a_draft(self, world: World, ada: User, sign_in: SignIn) -> None:
        response = sign_in(ada).get(f"/recommendations/{world.items['Secret'].id}/why")

        assert response.status_code == 404


class TestDismiss:
    def test_takes_the_item_off_and_undo_brings_it_back(
        self, world: World, ada: User, sign_in: SignIn, csrf: Callable[[FlaskClient], str]
    ) -> None:
        client, excel = sign_in(ada), world.items["Excel"].id
        form = {"csrf_token": csrf(client)}

        client.post(f"/recommendations/{excel}/dismiss", data=form)
        without = client.get("/api/v1/recommendations").json["items"]
        client.post(f"/recommendations/{excel}/restore", data=form)
        again = client.get("/api/v1/recommendations").json["items"]

        assert excel not in [each["item"]["id"] for each in without]
        assert excel in [each["item"]["id"] for each in again]

    def test_needs_a_csrf_token(self, world: World, ada: User, sign_in: SignIn) -> None:
        response = sign_in(ada).post(f"/recommendations/{world.items['Excel'].id}/dismiss")

        assert response.status_code == 400


class TestWorkspace:
    def test_says_what_to_do_before_the_first_run(self, as_analyst: FlaskClient) -> None:
        assert "Nothing has been trained yet" in as_analyst.get("/workspace/recommendations").text

    def test_shows_the_charts_and_the_baseline(
        self, ada: User, train: Train, as_analyst: FlaskClient
    ) -> None:
        train()

        page = as_analyst.get("/workspace/recommendations").text

        assert page.count('data-island="Chart"') == 11
        assert "Popularity (baseline)" in page

    def test_refuses_a_learner(self, as_learner: FlaskClient) -> None:
        assert as_learner.get("/workspace/recommendations").status_code == 403

    def test_train_now_queues_one_job_and_links_to_it(
        self, as_analyst: FlaskClient, csrf: Callable[[FlaskClient], str]
    ) -> None:
        form = {"csrf_token": csrf(as_analyst)}

        first = as_analyst.post("/workspace/recommendations/train", data=form)
        second = as_analyst.post("/workspace/recommendations/train", data=form)

        jobs = db.session.scalars(select(Job).where(Job.kind == "recommendations.train")).all()
        assert len(jobs) == 1
        assert first.location == second.location == f"/jobs/{jobs[0].id}"


class TestChartData:
    @pytest.mark.parametrize(
        "name",
        [
            *("similarity", "graph", "activity", "popularity", "cold", "coverage"),
            *("metrics", "runs", "coverage_runs", "segments", "people"),
        ],
    )
    def test_is_the_table_of_the_chart(self, ada: User, as_analyst: FlaskClient, name: str) -> None:
        table = as_analyst.get(f"/workspace/recommendations/{name}.csv")
        rows = as_analyst.get(f"/workspace/recommendations/{name}.json").json

        assert table.mimetype == "text/csv"
        assert f'filename="{name}.csv"' in table.headers["Content-Disposition"]
        assert len(table.text.splitlines()) == len(rows) + 1

    def test_disarms_a_title_that_is_a_formula(
        self, world: World, ada: User, as_analyst: FlaskClient
    ) -> None:
        world.items["Word"].title = '=HYPERLINK("http://evil.example")'
        db.session.commit()

        text = as_analyst.get("/workspace/recommendations/popularity.csv").text

        assert "'=HYPERLINK" in text

    def test_an_unknown_chart_is_404(self, ada: User, as_analyst: FlaskClient) -> None:
        assert as_analyst.get("/workspace/recommendations/nothing.csv").status_code == 404


class TestRecipe:
    def test_says_what_the_run_was_made_of(self, ada: User, as_analyst: FlaskClient) -> None:
        response = as_analyst.get("/workspace/recommendations/recipe.json")

        recipe = json.loads(response.text)
        assert recipe["n_pairs"] > 0
        assert len(recipe["data_sha256"]) == 64
        assert recipe["parameters"]["blend"]["neighbours"] == 100
        assert recipe["versions"]["numpy"]
        assert recipe["started_at"] <= recipe["finished_at"]
        assert recipe["finished_at"].endswith("Z")
