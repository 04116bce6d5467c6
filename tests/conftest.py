"""Shared fixtures: a fresh portal on a real database, people with accounts, and the servers that are there."""

import gc
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from dashboard.accounts.models import RoleName, User
from dashboard.app import create_app
from dashboard.core.config import Config, load_config
from dashboard.core.database import db
from dashboard.job_queue import publishing
from tests.factories import people
from tests.factories.brokers import rabbitmq
from tests.factories.databases import DATABASES, database_uri, drop_own_databases, make_empty
from tests.factories.demo import DemoPortal, demo_portal
from tests.factories.portal import Visitor, serving
from tests.factories.routes import compile_once

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "config.toml"


compile_once()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for a process or a browser."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_finish() -> None:
    """Let the collector pass over what stays until the end: every portal made would have it looked through again."""
    gc.collect()
    gc.freeze()


def chromium() -> str:
    """Where Chromium is; skips with the reason where there is none, but never in CI."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        reason = "no Chromium on this machine (Debian: apt-get install chromium)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """What the environment tells the portal under test; tests add to it before asking for `config`."""
    return {
        "ATRIUM_SITE__DATA_DIR": str(tmp_path / "data"),
        "ATRIUM_ACCOUNTS__SIGN_IN_PER_MINUTE": "1000",
        "ATRIUM_ACCOUNTS__REGISTER_PER_HOUR": "1000",
        "ATRIUM_SERVER__CHANGES_PER_MINUTE": "100000",
    }


@pytest.fixture
def config(environ: dict[str, str]) -> Config:
    return load_config(CONFIG, environ)


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    """A portal with empty tables and the three roles."""
    app = create_app(config)
    app.config["TESTING"] = True
    app.test_client_class = people.FreshClient
    with app.app_context():
        make_empty()
        people.make_roles()
        yield app
        publishing.close(app)
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(params=DATABASES)
def each_database(request: pytest.FixtureRequest, environ: dict[str, str]) -> str:
    """Ask for this before `app` to run a test on SQLite, PostgreSQL and MariaDB."""
    uri = database_uri(request.param)
    if uri:
        environ["SQLALCHEMY_DATABASE_URI"] = uri
    return str(request.param)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor who is not signed in."""
    return app.test_client()


@pytest.fixture
def make_user(app: Flask) -> Callable[..., User]:
    """Makes users: make_user("analyst", nickname="Ana"); a plain one is a learner."""
    numbers = itertools.count(1)
    return lambda *roles, **fields: people.make_user(next(numbers), roles, **fields)


@pytest.fixture
def sign_in(app: Flask) -> Callable[[User], FlaskClient]:
    """A client that holds a session of the user."""
    return lambda user: people.signed_in_client(app, user)


@pytest.fixture
def as_learner(
    make_user: Callable[..., User], sign_in: Callable[[User], FlaskClient]
) -> FlaskClient:
    return sign_in(make_user(RoleName.LEARNER))


@pytest.fixture
def as_analyst(
    make_user: Callable[..., User], sign_in: Callable[[User], FlaskClient]
) -> FlaskClient:
    return sign_in(make_user(RoleName.LEARNER, RoleName.ANALYST))


@pytest.fixture
def as_admin(make_user: Callable[..., User], sign_in: Callable[[User], FlaskClient]) -> FlaskClient:
    return sign_in(make_user(RoleName.LEARNER, RoleName.ADMIN))


@pytest.fixture
def rabbitmq_url() -> str:
    """The address of a real RabbitMQ."""
    return rabbitmq()


@pytest.fixture(scope="session", autouse=True)
def _drop_databases() -> Iterator[None]:
    yield
    drop_own_databases()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    """Debian's Chromium, as root in a container, without looking for the outside world."""
    quiet = [
        "--no-sandbox",
        "--disable-gpu",
        "--enable-unsafe-swiftshader",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    return {**browser_type_launch_args, "executable_path": chromium(), "args": quiet}


@pytest.fixture
def portal(app: Flask) -> Iterator[str]:
    """The address of the portal, listening on a port."""
    with serving(app) as address:
        yield address


@pytest.fixture
def visitor(app: Flask, portal: str, browser: Browser) -> Iterator[Visitor]:
    """Opens the portal's pages in Chromium: visitor.open("/courses", user=..., width=390)."""
    visitor = Visitor(browser, app, portal)
    yield visitor
    visitor.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoPortal]:
    """The portal with demo data and its job runner, as real processes; shared by the tests of a session."""
    with demo_portal(tmp_path_factory.mktemp("demo")) as portal:
        yield portal
