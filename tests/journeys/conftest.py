"""The whole portal on each stack it is made for: database and broker, with its job runner."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.factories.brokers import rabbitmq
from tests.factories.databases import database_uri
from tests.factories.demo import DemoPortal, demo_portal

STACKS = ["sqlite and the embedded queue", "postgresql and rabbitmq", "mariadb and rabbitmq"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys are long: `make test-all` runs them."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", params=STACKS)
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DemoPortal]:
    """The demo portal on SQLite, and on the servers that are there."""
    database, _and, broker = request.param.partition(" and ")
    if database == "sqlite":
        yield request.getfixturevalue("demo")
        return
    # The stack may be started once for each file of journeys: each time with a database of its own.
    folder = tmp_path_factory.mktemp(database)
    settings = {
        "SQLALCHEMY_DATABASE_URI": database_uri(database, purpose=folder.name),
        "ATRIUM_BROKER__URL": rabbitmq() if broker == "rabbitmq" else "embedded",
        "ATRIUM_BROKER__PREFIX": f"atrium-test-{os.getpid()}-{folder.name}",
    }
    with demo_portal(folder, **settings) as portal:
        yield portal


@pytest.fixture
def phone(browser: Browser, stack: DemoPortal) -> Iterator[Page]:
    """A visitor's phone at the portal."""
    context = stack.context(browser, width=390, language="en", dark=False)
    yield context.new_page()
    context.close()


@pytest.fixture
def desk(browser: Browser, stack: DemoPortal) -> Iterator[Page]:
    """A second person's computer at the portal."""
    context = stack.context(browser, width=1280, language="en", dark=False)
    yield context.new_page()
    context.close()
