"""What a browser does for a page: sends the CSRF token, reads a file to its end."""

import re
from typing import Any
from weakref import WeakKeyDictionary

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
_tokens: "WeakKeyDictionary[FlaskClient, str]" = WeakKeyDictionary()


def csrf(client: FlaskClient) -> dict[str, str]:
    """The header that says a change was asked for by a page of ours."""
    if client not in _tokens:
        found = _TOKEN.search(client.get("/courses").text)
        assert found, "a page without a CSRF token"
        _tokens[client] = found[1]
    return {"X-CSRFToken": _tokens[client]}


def post(client: FlaskClient, address: str, **options: Any) -> TestResponse:
    """POST as a page does."""
    return client.post(address, headers=csrf(client), **options)


def fetch(client: FlaskClient, address: str, **options: Any) -> TestResponse:
    """GET a file: all of it is read and the file is closed."""
    return client.get(address, buffered=True, **options)
