"""Every error is a page or problem JSON with a request id, never a stack trace."""

from collections.abc import Callable
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from dashboard.core.access import PUBLIC
from dashboard.core.errors import Conflict, Invalid, NotFound, Problem, TooLarge, Unavailable

# Made within the request, as services do: the text is in the language of whoever asked.
ERRORS: dict[str, tuple[Callable[[], Exception], int, str]] = {
    "not-found": (NotFound, 404, "not_found"),
    "conflict": (lambda: Conflict("analysis 7 is running"), 409, "conflict"),
    "invalid": (lambda: Invalid(problems=[Problem("title", "is missing")]), 422, "invalid"),
    "too-large": (TooLarge, 413, "too_large"),
    "busy": (Unavailable, 503, "unavailable"),
    "locked": (
        lambda: OperationalError("", {}, Exception("database is locked")),
        503,
        "unavailable",
    ),
    "pool": (lambda: NoConnectionLeft("QueuePool limit"), 503, "unavailable"),
    "surprise": (lambda: RuntimeError("secret detail"), 500, "internal_server_error"),
}


@pytest.fixture
def failing(app: Flask) -> FlaskClient:
    """A client of a portal with a route for each error, as page and API."""
    rules = dict(app.extensions["atrium_access"])
    for name, (make, _status, _code) in ERRORS.items():
        for path in (f"/{name}", f"/api/v1/{name}"):

            def fail(make: Callable[[], Exception] = make) -> NoReturn:
                raise make()

            app.add_url_rule(path, path, fail)
            rules[path] = PUBLIC
    app.extensions["atrium_access"] = rules
    return app.test_client()


@pytest.mark.parametrize("name", ERRORS)
class TestAnswers:
    def test_api_gets_problem_json(self, failing: FlaskClient, name: str) -> None:
        _make, status, code = ERRORS[name]

        answer = failing.get(f"/api/v1/{name}")

        assert answer.status_code == status
        assert answer.mimetype == "application/problem+json"
        assert answer.json is not None
        assert (answer.json["status"], answer.json["code"]) == (status, code)
        assert len(answer.json["request_id"]) == 12
        assert answer.headers["Cache-Control"] == "no-store"

    def test_visitor_gets_a_page(self, failing: FlaskClient, name: str) -> None:
        _make, status, _code = ERRORS[name]

        answer = failing.get(f"/{name}")

        assert answer.status_code == status
        assert answer.mimetype == "text/html"
        assert "Traceback" not in answer.text
        assert "secret detail" not in answer.text


class TestDetails:
    def test_problems_name_the_field(self, failing: FlaskClient) -> None:
        answer = failing.get("/api/v1/invalid")

        assert answer.json is not None
        assert answer.json["errors"] == [{"field": "title", "message": "is missing"}]

    def test_unavailable_says_when_to_try_again(self, failing: FlaskClient) -> None:
        assert failing.get("/api/v1/locked").headers["Retry-After"] == "5"

    def test_wrong_method_keeps_allow(self, client: FlaskClient) -> None:
        answer = client.delete("/api/v1/openapi.json")

        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]
        assert answer.mimetype == "application/problem+json"

    def test_is_in_the_visitors_language(self, failing: FlaskClient) -> None:
        answer = failing.get("/api/v1/busy", headers={"Accept-Language": "zh-CN,zh;q=0.9"})

        assert answer.json is not None
        assert answer.json["detail"] == "数据库正忙，请稍后再试。"
