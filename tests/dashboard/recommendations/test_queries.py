"""Reads hold for a large catalogue and a long history, whatever the database."""

from collections.abc import Callable

import pytest

from dashboard.accounts.models import User
from dashboard.activity.models import EventKind
from dashboard.recommendations import queries
from dashboard.recommendations.queries import behaviour
from jobs.engines.collaborative_filtering import EventWeights
from tests.dashboard.recommendations.conftest import World
from tests.factories.behaviour import add_event, make_item

STORY = [
    ("Dismissed", EventKind.DISMISS, None),
    ("Restored", EventKind.DISMISS, None),
    ("Restored", EventKind.UNDISMISS, None),
    ("Ignored", EventKind.IGNORE, None),
    ("Heeded", EventKind.IGNORE, None),
    ("Heeded", EventKind.UNIGNORE, None),
    ("Disliked", EventKind.RATING, 5),
    ("Disliked", EventKind.RATING, 2),
    ("Forgiven", EventKind.RATING, 1),
    ("Forgiven", EventKind.RATING, 4),
    ("Forgiven again", EventKind.RATING, 1),
    ("Watched", EventKind.WATCH, 0.3),
    # From here on the newest events, by which a long history is judged.
    ("Ignored", EventKind.VIEW, None),
    ("Heeded", EventKind.VIEW, None),
    ("Disliked", EventKind.VIEW, None),
    ("Forgiven", EventKind.VIEW, None),
    ("Forgiven again", EventKind.RATING, 3),
]


class TestTitles:
    def test_are_found_among_100_000_items_on_every_database(
        self, each_database: str, request: pytest.FixtureRequest
    ) -> None:
        world: World = request.getfixturevalue("world")
        ids = range(1, 100_001)

        titles, facts = queries.titles_of(ids), queries.facts_of(ids)

        assert titles[world.items["Word"].id] == "Word"
        assert world.items["Secret"].id not in titles
        assert set(facts) == set(titles)


class TestSignalsOf:
    def test_what_was_refused_long_ago_holds_on_every_database(
        self,
        each_database: str,
        request: pytest.FixtureRequest,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        make_user: Callable[..., User] = request.getfixturevalue("make_user")
        monkeypatch.setattr(behaviour, "MAX_OWN_EVENTS", 5)
        user = make_user()
        ids = {name: make_item(name).id for name in dict.fromkeys(name for name, *_ in STORY)}
        for minute, (name, kind, value) in enumerate(STORY):
            add_event(user.id, ids[name], kind, value=value, minute=minute)

        own = queries.signals_of(user.id, weights=EventWeights())

        assert own.dismissed == (ids["Dismissed"],)
        assert own.ignored == (ids["Ignored"],)
        liked = [signal.item_id for signal in own.liked]
        assert liked == [ids["Heeded"], ids["Forgiven"], ids["Forgiven again"]]
        assert own.hidden == set(ids.values()) - {ids["Restored"]}

    def test_keep_the_order_of_the_log_within_one_moment(
        self, world: World, make_user: Callable[..., User]
    ) -> None:
        ada = make_user()
        names = ["Soup", "Word", "Baking"]
        for name in names:
            add_event(ada.id, world.items[name].id, minute=7)

        own = queries.signals_of(ada.id, weights=EventWeights())

        assert [each.item_id for each in own.liked] == [world.items[name].id for name in names]
