"""Lists follow behaviour, hide what must be hidden, and say why."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from dashboard.accounts.models import User
from dashboard.activity.models import EventKind
from dashboard.catalogue.models import ItemStatus
from dashboard.catalogue.services import delete_item
from dashboard.core.database import db
from dashboard.core.errors import NotFound
from dashboard.recommendations import services
from dashboard.recommendations.models import TrainingRun
from dashboard.recommendations.queries import behaviour
from dashboard.recommendations.services import artefacts, lists
from tests.dashboard.recommendations.conftest import World
from tests.factories.behaviour import add_event

DAY_MIN = 24 * 60
Train = Callable[[], TrainingRun]


def titles(found: list[services.Recommendation]) -> list[str]:
    return [each.item.title for each in found]


def reason_of(title: str, found: list[services.Recommendation]) -> str:
    return next(each.reason for each in found if each.item.title == title)


class TestRecommendationsFor:
    def test_follows_from_the_history_with_its_reason(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()
        ada = make_user()
        add_event(ada.id, world.items["Word"].id, minute=900)

        first = services.recommendations_for(ada.id, n=5)[0]

        assert first.item.title == "Excel"
        assert first.reason == "Because you viewed “Word”"
        assert first.people_text == "10 of 10 people who did also took this"

    def test_an_event_changes_the_next_list(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()
        ada = make_user()
        add_event(ada.id, world.items["Word"].id, minute=900)
        before = services.recommendations_for(ada.id, n=6)

        add_event(ada.id, world.items["Baking"].id, minute=901)
        after = services.recommendations_for(ada.id, n=6)

        assert "Baking" in titles(before) and "Baking" not in titles(after)
        assert reason_of("Soup", before) == "Popular"
        assert reason_of("Soup", after) == "Because you viewed “Baking”"

    def test_an_old_history_gives_way_to_what_is_wanted_now_until_she_comes_back(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        ada = make_user()
        add_event(ada.id, world.items["Baking"].id, minute=0)
        for number in range(30):
            add_event(make_user().id, world.items["Lonely"].id, minute=DAY_MIN * 400 + number)
        train()

        assert titles(services.recommendations_for(ada.id, n=5))[0] == "Lonely"
        add_event(ada.id, world.items["Macros"].id, minute=DAY_MIN * 400 + 30)
        back = services.recommendations_for(ada.id, n=5)[0]

        assert back.reason != "Popular"

    def test_never_shows_what_she_met_or_rated(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()
        ada = make_user()
        add_event(ada.id, world.items["Word"].id, minute=900)
        add_event(ada.id, world.items["Excel"].id, EventKind.RATING, value=1, minute=901)

        found = titles(services.recommendations_for(ada.id, n=20))

        assert not {"Word", "Excel"} & set(found)

    def test_a_low_rating_is_no_reason(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()
        ada = make_user()
        add_event(ada.id, world.items["Baking"].id, EventKind.RATING, value=1, minute=900)

        found = services.recommendations_for(ada.id, n=20)

        assert all(each.popular for each in found)

    def test_an_event_of_no_weight_is_no_reason(
        self, app: Flask, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()
        ada = make_user()
        add_event(ada.id, world.items["Baking"].id, minute=900)
        config = app.config["ATRIUM"]
        silent = replace(config.recommendations, weight_view=0.0)

        app.config["ATRIUM"] = replace(config, recommendations=silent)
        found = services.recommendations_for(ada.id, n=20)

        assert all(each.popular for each in found)
        assert "Baking" not in titles(found)

    def test_never_shows_drafts(self, world: World, train: Train) -> None:
        train()
        world.items["Charts"].status = ItemStatus.DRAFT.value
        db.session.commit()

        everybody = [
            t for u in world.crowd for t in titles(services.recommendations_for(u.id, n=20))
        ]

        assert not {"Charts", "Secret"} & set(everybody)

    def test_a_deleted_item_is_in_no_list_and_no_reason(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()
        ada = make_user()
        for minute, name in enumerate(["Word", "Excel"]):
            add_event(ada.id, world.items[name].id, minute=900 + minute)
        before = services.recommendations_for(ada.id, n=20)

        delete_item(world.items["Charts"].id, actor_id=None)
        delete_item(world.items["Word"].id, actor_id=None)
        after = services.recommendations_for(ada.id, n=20)

        assert "Charts" in titles(before) and not {"Charts", "Word"} & set(titles(after))
        assert "Because you viewed “Excel”" in {each.reason for each in after}
        assert not any("Word" in why.text for each in after for why in each.reasons)

    def test_of_very_many_events_the_newest_count_and_all_stay_out(
        self,
        world: World,
        train: Train,
        make_user: Callable[..., User],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        train()
        monkeypatch.setattr(behaviour, "MAX_OWN_EVENTS", 2)
        ada = make_user()
        for minute, name in enumerate(["Baking", "Word", "Excel"]):
            add_event(ada.id, world.items[name].id, minute=900 + minute)

        found = services.recommendations_for(ada.id, n=20)

        assert not {"Baking", "Word", "Excel"} & set(titles(found))
        assert reason_of("Soup", found) == "Popular"

    def test_gives_a_newcomer_popular_items_so_labelled(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()

        found = services.recommendations_for(make_user().id, n=3)

        assert len(found) == 3
        assert {each.reason for each in found} == {"Popular"}

    @pytest.mark.parametrize(
        ("name", "content"),
        [("empty.npz", b""), ("zip.npz", b"PK\x03\x04 torn"), ("text.npz", b"not an archive")],
    )
    def test_falls_back_on_the_stored_rows(
        self, world: World, train: Train, name: str, content: bytes
    ) -> None:
        run = train()
        user = world.crowd[0]
        live = titles(services.recommendations_for(user.id, n=3))

        run.artefact = f"torn-{name}"
        (artefacts.folder() / run.artefact).write_bytes(content)
        db.session.commit()
        stored = services.recommendations_for(user.id, n=3)

        assert titles(stored) == live
        assert stored[0].reason.startswith("Because you viewed")

    def test_shows_popular_items_before_any_training(self, world: World) -> None:
        found = services.recommendations_for(world.crowd[9].id, n=2)

        assert [each.popular for each in found] == [True, True]

    @pytest.mark.parametrize("people", [4, 5])
    def test_counts_people_only_from_five(
        self, world: World, train: Train, make_user: Callable[..., User], people: int
    ) -> None:
        for number in range(people):
            user = make_user()
            for step, name in enumerate(["Lonely", "Soup"]):
                add_event(user.id, world.items[name].id, minute=600 + number * 9 + step)
        train()
        ada = make_user()
        add_event(ada.id, world.items["Lonely"].id, minute=900)

        first = services.recommendations_for(ada.id, n=1)[0]

        assert first.item.title == "Soup"
        assert bool(first.people_text) is (people >= 5)


class TestDismiss:
    def test_never_returns_until_restored(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()
        ada = make_user()
        excel = world.items["Excel"].id
        add_event(ada.id, world.items["Word"].id, minute=900)

        services.dismiss(user_id=ada.id, item_id=excel)
        dismissed = titles(services.recommendations_for(ada.id, n=20))
        train()
        retrained = titles(services.recommendations_for(ada.id, n=20))
        services.restore(user_id=ada.id, item_id=excel)

        assert "Excel" not in dismissed + retrained
        assert "Excel" in titles(services.recommendations_for(ada.id, n=20))

    def test_holds_after_any_number_of_later_events(
        self,
        world: World,
        train: Train,
        make_user: Callable[..., User],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        train()
        monkeypatch.setattr(behaviour, "MAX_OWN_EVENTS", 3)
        ada = make_user()
        add_event(ada.id, world.items["Excel"].id, EventKind.DISMISS, minute=900)
        for minute in range(901, 910):
            add_event(ada.id, world.items["Word"].id, minute=minute)

        assert "Excel" not in titles(services.recommendations_for(ada.id, n=20))
        assert services.explain(ada.id, world.items["Excel"].id).dismissed

    def test_refuses_a_draft(self, world: World) -> None:
        with pytest.raises(NotFound):
            services.dismiss(user_id=world.crowd[0].id, item_id=world.items["Secret"].id)


class TestRelatedItems:
    def test_lists_neighbours_without_the_item_itself(self, world: World, train: Train) -> None:
        train()

        found = titles(services.related_items(world.items["Baking"].id, n=4))

        assert found[0] == "Soup"
        assert "Baking" not in found

    def test_leaves_out_what_the_reader_met_or_dismissed(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()
        ada, word = make_user(), world.items["Word"].id
        add_event(ada.id, world.items["Excel"].id, EventKind.RATING, value=1, minute=900)
        add_event(ada.id, world.items["Charts"].id, EventKind.DISMISS, minute=901)

        everybody, hers = (
            services.related_items(word, n=4, user_id=reader) for reader in (None, ada.id)
        )

        assert {"Excel", "Charts"} <= set(titles(everybody))
        assert titles(hers)[0] == "Macros"
        assert not {"Excel", "Charts"} & set(titles(hers))
        counts = {each.item.title: each.people_text for each in everybody}
        assert counts["Macros"] == hers[0].people_text != ""

    def test_looks_further_for_a_reader_who_met_much(
        self,
        world: World,
        train: Train,
        make_user: Callable[..., User],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        train()
        monkeypatch.setattr(lists, "N_NEAR", 1)
        ada = make_user()
        for name in ("Word", "Excel"):
            add_event(ada.id, world.items[name].id, minute=900)

        found = services.related_items(world.items["Word"].id, n=4, user_id=ada.id)

        assert found
        assert "Excel" not in titles(found)

    def test_a_draft_is_not_found(self, world: World, train: Train) -> None:
        train()

        with pytest.raises(NotFound):
            services.related_items(world.items["Secret"].id, n=4)


class TestExplain:
    def test_names_own_signals_with_shares_that_add_up(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()
        ada = make_user()
        for minute, name in enumerate(["Word", "Excel"]):
            add_event(ada.id, world.items[name].id, minute=900 + minute)

        found = services.explain(ada.id, world.items["Charts"].id)

        assert {each.title for each in found.reasons} == {"Word", "Excel"}
        assert sum(each.share for each in found.reasons) == pytest.approx(1.0)

    def test_what_she_likes_more_says_more(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()
        ada = make_user()
        word, charts = world.items["Word"].id, world.items["Charts"].id
        for minute, name in enumerate(["Word", "Excel"]):
            add_event(ada.id, world.items[name].id, minute=900 + minute)

        viewed = {each.title: each.share for each in services.explain(ada.id, charts).reasons}
        add_event(ada.id, word, EventKind.FAVOURITE, minute=900)
        liked = {each.title: each.share for each in services.explain(ada.id, charts).reasons}

        # A favourite weighs three times what an opened page does; the other item is the same.
        odds = viewed["Word"] / viewed["Excel"]
        assert liked["Word"] / liked["Excel"] == pytest.approx(3 * odds, rel=1e-4)
