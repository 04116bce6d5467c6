"""What the tests of accounts share."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories.people import PASSWORD

Post = Callable[..., TestResponse]


@pytest.fixture
def post() -> Post:
    """Send a form the way a browser does: with the token of the page it stands on."""

    def send(
        client: FlaskClient, address: str, *, page: str = "", **fields: object
    ) -> TestResponse:
        shown = client.get(page or address).get_data(as_text=True)
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', shown)
        token = found.group(1) if found else ""
        return client.post(address, data={"csrf_token": token, **fields})

    return send


@pytest.fixture
def enter(post: Post) -> Post:
    """Sign in through the page."""

    def send(
        client: FlaskClient, identity: str, password: str = PASSWORD, **more: object
    ) -> TestResponse:
        address = str(more.pop("address", "/login"))
        return post(client, address, identity=identity, password=password, **more)

    return send
