"""The API's base: what holds for every operation, asked of the real ones."""

from collections.abc import Callable, Iterator
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import RoleName, User
from dashboard.core.api import MAX_PER_PAGE, ApiBlueprint, PageArgs, is_storable
from dashboard.core.ids import MAX_ID

BIG = 20 * 2**20


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    return dict(client.get("/api/v1/openapi.json").json or {})


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                yield method, path, operation


@pytest.fixture
def token(make_user: Callable[..., User]) -> dict[str, str]:
    user = make_user(RoleName.LEARNER, RoleName.ANALYST)
    return {"Authentication-Token": str(user.get_auth_token())}


class TestDocument:
    def test_is_openapi_3_1_and_may_be_kept(self, client: FlaskClient) -> None:
        response = client.get("/api/v1/openapi.json")

        assert response.json["openapi"] == "3.1.0"
        assert response.headers["Cache-Control"] == "public, max-age=300"

    def test_every_operation_documents_problem_json(self, document: dict[str, Any]) -> None:
        responses = document["components"]["responses"]
        for method, path, operation in operations(document):
            assert "default" in operation["responses"], f"{method} {path}"
        assert list(responses["DEFAULT_ERROR"]["content"]) == ["application/problem+json"]
        assert list(responses["UNPROCESSABLE_ENTITY"]["content"]) == ["application/problem+json"]

    def test_says_of_every_operation_who_may_call_it(
        self, app: Flask, document: dict[str, Any]
    ) -> None:
        paths = document["paths"]

        assert paths["/api/v1/items/{item_id}/related"]["get"]["security"] == []
        assert paths["/api/v1/recommendations"]["get"]["security"] == [
            {"token": []},
            {"bearer": []},
        ]
        assert paths["/api/v1/recommendations/runs"]["post"]["x-roles"] == ["admin", "analyst"]

    def test_every_operation_has_a_summary(self, document: dict[str, Any]) -> None:
        without = [f"{m} {p}" for m, p, o in operations(document) if not o.get("summary")]

        assert without == []

    def test_every_list_has_the_one_paging_shape(self, document: dict[str, Any]) -> None:
        paged = [
            (path, operation)
            for method, path, operation in operations(document)
            if any(each.get("name") == "per_page" for each in operation.get("parameters", []))
        ]

        assert paged
        for path, operation in paged:
            reference = operation["responses"]["200"]["content"]["application/json"]["schema"]
            schema = document["components"]["schemas"][reference["$ref"].rpartition("/")[2]]
            assert set(schema["required"]) >= {"items", "page", "per_page", "total"}, path


class TestDocsPage:
    def test_shows_every_operation_with_a_call_to_copy(
        self, client: FlaskClient, document: dict[str, Any]
    ) -> None:
        page = client.get("/api/v1/docs").text

        for method, path, _operation in operations(document):
            assert f"<code>{path}</code>" in page, f"{method} {path}"
        assert "curl -X POST" in page
        assert "urllib.request" in page

    def test_speaks_chinese(self, client: FlaskClient) -> None:
        page = client.get("/api/v1/docs", headers={"Accept-Language": "zh-CN"}).text

        assert 'lang="zh-Hans"' in page


class TestErrors:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("get", "/api/v1/nothing", 404),
            ("get", "/api/v1/items/0/related", 404),
            ("get", f"/api/v1/items/{MAX_ID}/related", 404),
            ("get", f"/api/v1/items/{MAX_ID + 1}/related", 404),
            ("get", "/api/v1/items/99999999999999999999999/related", 404),
            ("get", "/api/v1/items/-1/related", 404),
            ("get", "/api/v1/recommendations", 401),
            ("patch", "/api/v1/recommendations", 405),
        ],
    )
    def test_are_problem_json(
        self, client: FlaskClient, method: str, path: str, status: int
    ) -> None:
        response = client.open(path, method=method.upper(), headers={"Authorization": "Bearer no"})

        assert (response.status_code, response.mimetype) == (status, "application/problem+json")
        assert {"type", "title", "status", "detail", "code", "request_id"} <= set(response.json)
        assert response.headers["Cache-Control"] == "no-store"

    def test_405_names_the_methods_there_are(self, client: FlaskClient) -> None:
        response = client.patch("/api/v1/recommendations", headers={"Authorization": "Bearer no"})

        assert "GET" in response.headers["Allow"]

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            (b"{", "application/json", 400),
            (b"\xff\xfe", "application/json", 400),
            (b"[" * 100_000, "application/json", 400),
            (b'{"a": "\\ud800"}', "application/json", 400),
            (b'{"a": "\\u0000"}', "application/json", 400),
            (b"9" * 5_000, "application/json", 400),
            (b"a=1", "application/x-www-form-urlencoded", 415),
            (b"<a/>", "text/xml", 415),
            (b'{"nobody_knows": 1}', "application/json", 422),
            (b"[]", "application/json", 422),
            (b" " * BIG, "application/json", 413),
        ],
        ids=[
            *("broken", "not UTF-8", "deep", "surrogate", "NUL", "long number"),
            *("form", "XML", "unknown member", "list", "too large"),
        ],
    )
    def test_a_bad_body_is_refused(
        self,
        client: FlaskClient,
        token: dict[str, str],
        body: bytes,
        content_type: str,
        status: int,
    ) -> None:
        response = client.post(
            "/api/v1/recommendations/runs", data=body, content_type=content_type, headers=token
        )

        assert (response.status_code, response.mimetype) == (status, "application/problem+json")

    @pytest.mark.parametrize("query", ["page=0", "per_page=101", "page=x", "page=" + "9" * 5_000])
    def test_a_bad_argument_is_refused_by_name(
        self, client: FlaskClient, token: dict[str, str], query: str
    ) -> None:
        response = client.get(f"/api/v1/recommendations/runs?{query}", headers=token)

        assert response.status_code == 422
        assert response.json["errors"][0]["field"] in ("page", "per_page")

    def test_an_unknown_argument_is_ignored(
        self, client: FlaskClient, token: dict[str, str]
    ) -> None:
        response = client.get("/api/v1/recommendations/runs?nobody=knows", headers=token)

        assert response.status_code == 200
        assert response.json == {"items": [], "page": 1, "per_page": 20, "total": 0}

    def test_no_other_site_is_let_in(self, client: FlaskClient) -> None:
        response = client.get("/api/v1/openapi.json", headers={"Origin": "https://evil.example"})

        assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


class TestCaching:
    def test_every_answer_says_whether_it_may_be_kept(
        self, client: FlaskClient, token: dict[str, str], document: dict[str, Any]
    ) -> None:
        for method, path, _operation in operations(document):
            if (method, path) == ("delete", "/api/v1/tokens"):
                continue  # it would end the token in use
            address = "/".join("1" if part.startswith("{") else part for part in path.split("/"))
            response = client.open(address, method=method.upper(), headers=token)
            assert response.headers["Cache-Control"], f"{method} {path}"

    def test_an_answer_about_oneself_is_never_stored(
        self, client: FlaskClient, token: dict[str, str]
    ) -> None:
        response = client.get("/api/v1/recommendations", headers=token)

        assert response.headers["Cache-Control"] == "no-store"


class TestPageArgs:
    def test_bounds_a_page(self) -> None:
        with pytest.raises(ma.ValidationError):
            PageArgs().load({"per_page": MAX_PER_PAGE + 1})


class TestIsStorable:
    @pytest.mark.parametrize("value", ["中文", {"a": ["😀", 1, None]}, [], 1.5])
    def test_takes_text(self, value: object) -> None:
        assert is_storable(value)

    @pytest.mark.parametrize("value", ["\0", {"\0": 1}, [["\ud800"]], {"a": {"b": "\udfff"}}])
    def test_refuses_what_no_table_holds(self, value: object) -> None:
        assert not is_storable(value)


class TestApiBlueprint:
    def test_lies_below_the_version(self) -> None:
        assert ApiBlueprint("a", __name__, description="").url_prefix == "/api/v1"
