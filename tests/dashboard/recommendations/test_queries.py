"""Reads hold for a large catalogue, whatever the database."""

import pytest

from dashboard.recommendations import queries
from tests.dashboard.recommendations.conftest import World


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
