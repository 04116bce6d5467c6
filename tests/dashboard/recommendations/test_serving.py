"""Rules of administrators, languages, experiments and what is counted of them."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from dashboard.accounts.models import RoleName, User
from dashboard.activity.models import EventKind
from dashboard.core.database import db, utcnow
from dashboard.core.errors import Conflict, Invalid
from dashboard.recommendations import queries, services
from dashboard.recommendations.models import Impression, Source, TrainingRun
from dashboard.recommendations.services import RuleFields, serving
from tests.dashboard.recommendations.conftest import World
from tests.factories.behaviour import START, add_event, make_item
from tests.factories.dashboard import Desk

Train = Callable[[], TrainingRun]
SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def ada(world: World, train: Train, make_user: Callable[..., User]) -> User:
    """A learner who viewed Word, after a training."""
    train()
    user = make_user()
    add_event(user.id, world.items["Word"].id, minute=900)
    return user


def titles(found: list[services.Recommendation]) -> list[str]:
    return [each.item.title for each in found]


class TestRules:
    def test_a_pin_comes_first_and_says_so(self, world: World, ada: User) -> None:
        services.create_rule(RuleFields("pin", world.items["Lonely"].id), actor_id=ada.id)

        first = services.recommendations_for(ada.id, n=3)[0]

        assert (first.item.title, first.reason, first.ground) == ("Lonely", "Picked for you", "pin")

    def test_what_is_excluded_is_nowhere(self, world: World, ada: User) -> None:
        services.create_rule(RuleFields("exclude", world.items["Excel"].id), actor_id=ada.id)

        assert "Excel" not in titles(services.recommendations_for(ada.id, n=20))
        assert "Excel" not in titles(services.popular_items(n=20))
        assert "Excel" not in titles(services.related_items(world.items["Word"].id, n=20))

    def test_holds_for_its_audience_only(
        self, world: World, ada: User, make_user: Callable[..., User]
    ) -> None:
        fields = RuleFields("pin", world.items["Lonely"].id, audience="analyst")
        services.create_rule(fields, actor_id=ada.id)
        analyst = make_user(RoleName.ANALYST)

        assert services.recommendations_for(ada.id, n=1)[0].ground != "pin"
        assert services.recommendations_for(analyst.id, n=1)[0].ground == "pin"
        assert services.popular_items(n=1)[0].ground != "pin"

    def test_holds_for_related_items_of_its_audience_only(
        self, world: World, ada: User, make_user: Callable[..., User]
    ) -> None:
        fields = RuleFields("exclude", world.items["Excel"].id, audience="analyst")
        services.create_rule(fields, actor_id=ada.id)
        analyst, word = make_user(RoleName.ANALYST), world.items["Word"].id

        assert "Excel" in titles(services.related_items(word, n=9))
        assert "Excel" in titles(services.related_items(word, n=9, user_id=ada.id))
        assert "Excel" not in titles(services.related_items(word, n=9, user_id=analyst.id))

    def test_ends(self, world: World, ada: User) -> None:
        over = utcnow() - timedelta(minutes=1)
        fields = RuleFields("exclude", world.items["Excel"].id, ends_at=over)
        services.create_rule(fields, actor_id=ada.id)

        assert "Excel" in titles(services.recommendations_for(ada.id, n=20))

    def test_a_pin_she_took_is_not_shown_again(self, world: World, ada: User) -> None:
        services.create_rule(RuleFields("pin", world.items["Word"].id), actor_id=ada.id)

        assert "Word" not in titles(services.recommendations_for(ada.id, n=20))

    @pytest.mark.parametrize(
        "fields",
        [
            RuleFields("promote", 1),
            RuleFields("pin", 10**6),
            RuleFields("pin", 1, audience="cats"),
            RuleFields("pin", 1, language="fr"),
        ],
        ids=["effect", "item", "audience", "language"],
    )
    def test_refuses_what_means_nothing(self, world: World, ada: User, fields: RuleFields) -> None:
        with pytest.raises(Invalid):
            services.create_rule(fields, actor_id=ada.id)

    def test_are_kept_in_the_dashboard(self, desk: Desk, world: World) -> None:
        item_id = world.items["Excel"].id
        form = {"effect": "exclude", "item_id": str(item_id), "audience": "", "language": "zh"}

        # What the fixture left open would lock SQLite for the request.
        db.session.commit()
        desk.post("/recommendation-rules/new/", **form)

        assert queries.ruled_for(roles=[], language="zh").excluded == {item_id}
        assert queries.ruled_for(roles=[], language="en").excluded == frozenset()
        assert f"Excel (#{item_id})" in desk.get("/recommendation-rules/").text


class TestListSettings:
    def test_refuses_numbers_outside_of_0_to_1(self, world: World, ada: User) -> None:
        with pytest.raises(Invalid):
            services.set_list_settings(
                diversity=float("nan"),
                penalty=0,
                content=2,
                own_language_first=True,
                actor_id=ada.id,
            )

        assert queries.get_settings().content == 0.2

    def test_is_a_form_of_administrators(
        self, as_admin: FlaskClient, csrf: Callable[[FlaskClient], str]
    ) -> None:
        form = {"csrf_token": csrf(as_admin), "diversity": "0.3", "penalty": "0.2", "content": "1"}

        as_admin.post("/workspace/recommendations/lists", data=form)
        wrong = as_admin.post("/workspace/recommendations/lists", data={**form, "content": "7"})

        settings = queries.get_settings()
        assert (settings.diversity, settings.penalty, settings.content) == (0.3, 0.2, 1.0)
        assert settings.own_language_first is False
        assert "This must be a number from 0 to 1." in wrong.text

    def test_tells_what_events_weigh(self, app: Flask, as_admin: FlaskClient) -> None:
        config = app.config["ATRIUM"]
        loud = replace(config.recommendations, weight_favourite=7.25)
        app.config["ATRIUM"] = replace(config, recommendations=loud)

        page = as_admin.get("/workspace/recommendations/lists").text

        assert re.search(r"Favourite</th>\s*<td[^>]*>7.25<", page)
        assert re.search(r"One or two stars.*</th>\s*<td[^>]*>takes the item out<", page)

    def test_the_readers_language_comes_first(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        world.items["Soup"].language = "zh"
        db.session.commit()
        train()
        newcomer = make_user()

        assert titles(services.recommendations_for(newcomer.id, n=20))[-1] == "Soup"


class TestImpressions:
    def test_counts_an_item_once_a_day_and_place(
        self, world: World, ada: User, sign_in: SignIn
    ) -> None:
        client = sign_in(ada)
        for _visit in range(2):
            client.get("/recommendations")
        client.get("/recommendations/panel")

        rows = db.session.scalars(select(Impression).order_by(Impression.id)).all()
        of_list = [row for row in rows if row.source == Source.LIST]
        assert len({row.item_id for row in of_list}) == len(of_list) > 0
        assert {row.source for row in rows} == {"list", "home"}
        assert [row.place for row in of_list] == list(range(1, len(of_list) + 1))
        assert of_list[0].ground == "behaviour"

    def test_a_click_leads_on_and_is_counted_with_the_watch_after_it(
        self, world: World, ada: User, sign_in: SignIn
    ) -> None:
        client, excel = sign_in(ada), world.items["Excel"].id
        client.get("/recommendations")

        response = client.get(f"/recommendations/{excel}/open?source=list")
        before = queries.shown_by("source", since=utcnow() - timedelta(days=1))
        minutes = int((utcnow() - START).total_seconds() / 60) + 2
        add_event(ada.id, excel, EventKind.WATCH, value=0.5, minute=minutes)
        after = queries.shown_by("source", since=utcnow() - timedelta(days=1))

        assert response.location == f"/courses/{excel}"
        assert [(row.n_clicked, row.n_watched) for row in before] == [(1, 0)]
        assert [(row.n_clicked, row.n_watched) for row in after] == [(1, 1)]

    def test_a_click_nobody_was_shown_counts_nothing(
        self, world: World, ada: User, sign_in: SignIn
    ) -> None:
        response = sign_in(ada).get(f"/recommendations/{world.items['Excel'].id}/open?source=x")

        assert response.status_code == 302
        assert not db.session.scalars(select(Impression)).all()

    def test_a_draft_is_404(self, world: World, ada: User, sign_in: SignIn) -> None:
        secret = world.items["Secret"].id

        assert sign_in(ada).get(f"/recommendations/{secret}/open?source=list").status_code == 404


class TestExperiment:
    def test_divides_learners_and_keeps_them_where_they_are(
        self, world: World, train: Train
    ) -> None:
        a, b = train(), train()
        services.start_experiment(run_a_id=a.id, run_b_id=b.id, share_b=0.5, actor_id=1)

        first = [serving.served_to(user_id).run_id for user_id in range(1, 201)]

        assert first == [serving.served_to(user_id).run_id for user_id in range(1, 201)]
        assert 70 < first.count(b.id) < 130
        assert serving.served_to(None).run_id == b.id

    def test_only_one_runs(self, world: World, train: Train) -> None:
        a, b = train(), train()
        services.start_experiment(run_a_id=a.id, run_b_id=b.id, share_b=0.5, actor_id=1)

        with pytest.raises(Conflict, match="running already"):
            services.start_experiment(run_a_id=a.id, run_b_id=b.id, share_b=0.5, actor_id=1)

        services.stop_experiment(actor_id=1)
        with pytest.raises(Conflict, match="No experiment"):
            services.stop_experiment(actor_id=1)

    def test_refuses_a_run_against_itself_and_a_share_of_all(
        self, world: World, train: Train
    ) -> None:
        a, b = train(), train()

        with pytest.raises(Invalid, match="different"):
            services.start_experiment(run_a_id=a.id, run_b_id=a.id, share_b=0.5, actor_id=1)
        with pytest.raises(Invalid, match="share"):
            services.start_experiment(run_a_id=a.id, run_b_id=b.id, share_b=1, actor_id=1)

    def test_tests_the_difference_of_people_who_opened_something(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        a, b = train(), train()
        running = services.start_experiment(run_a_id=a.id, run_b_id=b.id, share_b=0.5, actor_id=1)
        item = make_item("Shown")
        for run, n_clicked in ((a, 0), (b, 6)):
            for number in range(6):
                db.session.add(
                    Impression(
                        user_id=make_user().id,
                        item_id=item.id,
                        run_id=run.id,
                        experiment_id=running.id,
                        source="list",
                        ground="behaviour",
                        place=1,
                        day=1,
                        clicked_at=utcnow() if number < n_clicked else None,
                    )
                )
        db.session.commit()

        outcome = services.outcome_of(running)

        # Of C(12, 6) = 924 ways to choose six of twelve people two are as far apart as this.
        assert outcome.p_value == pytest.approx(2 / 924)
        assert outcome.significant
        assert (outcome.a.rate, outcome.b.rate) == (0.0, 1.0)

    def test_counts_from_its_start_what_was_shown_that_day_before(
        self, world: World, ada: User, train: Train, sign_in: SignIn
    ) -> None:
        a, b = train(), train()
        client, excel = sign_in(ada), world.items["Excel"].id
        client.get("/recommendations")
        client.get(f"/recommendations/{excel}/open?source=list")

        running = services.start_experiment(run_a_id=a.id, run_b_id=b.id, share_b=0.5, actor_id=1)
        drawn = serving.served_to(ada.id).run_id
        client.get("/recommendations")
        client.get("/recommendations")
        client.get(f"/recommendations/{excel}/open?source=list")
        services.stop_experiment(actor_id=1)
        client.get("/recommendations")
        client.get(f"/recommendations/{excel}/open?source=list")

        rows = db.session.scalars(select(Impression).where(Impression.item_id == excel)).all()
        clicked = [(row.experiment_id, row.clicked_at is not None) for row in rows]
        assert clicked == [(None, True), (running.id, True)]
        outcome = services.outcome_of(running)
        arm, other = (outcome.a, outcome.b) if drawn == a.id else (outcome.b, outcome.a)
        assert (arm.n_people, arm.n_clicked, arm.people_clicked) == (1, 1, 1)
        assert arm.n_shown > 1
        assert (other.n_people, other.n_shown) == (0, 0)

    def test_shows_related_items_of_the_side_that_was_drawn(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        a = train()
        lonely, word = world.items["Lonely"].id, world.items["Word"].id
        for user in world.crowd:
            add_event(user.id, lonely, minute=1)
        b = train()
        running = services.start_experiment(run_a_id=a.id, run_b_id=b.id, share_b=0.5, actor_id=1)
        people = [make_user() for _ in range(12)]

        sides = {serving.in_arm_b(running, user.id): user for user in people}
        counts = {
            in_b: {
                each.item.title: each.n_both
                for each in services.related_items(word, n=9, user_id=user.id)
            }
            for in_b, user in sides.items()
        }

        assert counts[True]["Lonely"] == len(world.crowd)
        assert not counts[False].get("Lonely")

    def test_has_no_part_in_a_click_on_what_it_did_not_show(
        self, world: World, ada: User, train: Train, sign_in: SignIn
    ) -> None:
        a, b = train(), train()
        client = sign_in(ada)
        client.get("/recommendations")

        running = services.start_experiment(run_a_id=a.id, run_b_id=b.id, share_b=0.5, actor_id=1)
        client.get(f"/recommendations/{world.items['Excel'].id}/open?source=list")

        outcome = services.outcome_of(running)
        assert (outcome.a.n_shown, outcome.b.n_shown) == (0, 0)
        (shown,) = queries.shown_by("source", since=utcnow() - timedelta(days=1))
        assert shown.n_clicked == 1

    def test_is_started_and_ended_in_the_page(
        self,
        world: World,
        train: Train,
        as_analyst: FlaskClient,
        csrf: Callable[[FlaskClient], str],
    ) -> None:
        a, b = train(), train()
        form = {"csrf_token": csrf(as_analyst), "run_a": a.id, "run_b": b.id, "percent_b": "30"}

        as_analyst.post("/workspace/recommendations/experiment", data=form)
        page = as_analyst.get("/workspace/recommendations/runs").text
        as_analyst.post("/workspace/recommendations/experiment/stop", data=form)

        assert "End the experiment" in page
        assert "No people on both sides yet." in page
        assert queries.find_experiment() is None
