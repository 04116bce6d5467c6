"""A small portal: ten people took the office courses in order, three took cooking, one item is a draft."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.catalogue.models import Item, ItemStatus
from dashboard.recommendations import services
from dashboard.recommendations.models import TrainingRun
from tests.factories.behaviour import add_event, make_item


@dataclass
class World:
    """Who and what there is."""

    crowd: list[User]
    items: dict[str, Item]


@pytest.fixture
def world(make_user: Callable[..., User]) -> World:
    names = ["Word", "Excel", "Charts", "Macros", "Baking", "Soup", "Lonely"]
    items = {name: make_item(name) for name in names}
    items["Secret"] = make_item("Secret")
    crowd, cooks = [make_user() for _ in range(10)], [make_user() for _ in range(3)]
    for number, user in enumerate(crowd):
        course = ["Word", "Excel", "Charts", "Macros", "Secret"][: 3 + number % 3]
        for step, name in enumerate(course):
            add_event(user.id, items[name].id, minute=number * 10 + step)
    for number, user in enumerate(cooks):
        for step, name in enumerate(["Baking", "Soup"]):
            add_event(user.id, items[name].id, minute=500 + number * 10 + step)
    items["Secret"].status = ItemStatus.DRAFT.value
    return World(crowd=crowd, items=items)


@pytest.fixture
def csrf() -> Callable[[FlaskClient], str]:
    """The CSRF token of a client's session, from the head of a page."""

    def token_of(client: FlaskClient) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/jobs").text)
        assert found
        return found.group(1)

    return token_of


def silent(_fraction: float, _text: str) -> None:
    """Nobody wants to hear about progress."""


@pytest.fixture
def train() -> Callable[[], TrainingRun]:
    """Runs a training here and now."""
    return lambda: services.train(progress=silent)
