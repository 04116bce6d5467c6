"""Interactions in and out as files: streamed, judged whole, every bad line named."""

import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from dashboard.accounts.models import RoleName, User
from dashboard.activity.models import Event, Favourite, Rating
from dashboard.core.database import db
from jobs.engines.collaborative_filtering.event_file import read_events
from tests.dashboard.recommendations.conftest import World

URL = "/api/v1/recommendations/interactions"
Headers = dict[str, str]


@pytest.fixture
def admin(make_user: Callable[..., User]) -> Headers:
    return {"Authentication-Token": str(make_user(RoleName.ADMIN).get_auth_token())}


def n_events() -> int:
    return db.session.scalar(select(func.count()).select_from(Event)) or 0


def row(world: World, **other: Any) -> dict[str, Any]:
    plain = {"user_id": world.crowd[0].id, "item_id": world.items["Soup"].id}
    return {**plain, "created_at": "2026-05-01T10:00:00Z", **other}


def written(form: str, rows: list[dict[str, Any]]) -> bytes:
    if form == "json":
        return json.dumps(rows).encode()
    if form == "ndjson":
        return "\n".join(map(json.dumps, rows)).encode()
    names = list(dict.fromkeys(name for each in rows for name in each))
    if form == "csv":
        lines = [",".join(str(each.get(name, "")) for name in names) for each in rows]
        return "\n".join([",".join(names), *lines]).encode()
    file = io.BytesIO()
    full = [{name: each.get(name) for name in names} for each in rows]
    pq.write_table(pa.Table.from_pylist(full), file)
    return file.getvalue()


class TestImport:
    @pytest.mark.parametrize("form", ["csv", "json", "ndjson", "parquet"])
    def test_stores_what_is_new(
        self, world: World, client: FlaskClient, admin: Headers, form: str
    ) -> None:
        rows = [
            row(world),
            row(world, kind="rating", value=4.0),
            row(world, kind="favourite", created_at="2026-05-01T12:00:00+02:00"),
            row(world),
        ]
        before, kind = n_events(), form.replace("nd", "")

        def send(more: str = "") -> Any:
            body = written(form, rows)
            return client.post(f"{URL}?format={kind}{more}", data=body, headers=admin).json

        judged = send("&dry_run=true")
        untouched = n_events()
        first, again = send(), send()

        assert judged == {"n_lines": 4, "n_new": 3, "n_known": 1, "dry_run": True}
        assert untouched == before
        assert first == {"n_lines": 4, "n_new": 3, "n_known": 1, "dry_run": False}
        assert again["n_new"] == 0
        assert n_events() == before + 3
        pair = (world.crowd[0].id, world.items["Soup"].id)
        assert db.session.get_one(Rating, pair).stars == 4
        # Noon in the zone of the file is ten o'clock UTC.
        assert db.session.get_one(Favourite, pair).created_at == datetime(2026, 5, 1, 10)

    def test_names_every_bad_line_and_stores_nothing(
        self, world: World, client: FlaskClient, admin: Headers
    ) -> None:
        before = n_events()
        rows = [
            row(world),
            row(world, user_id=10**6),
            row(world, item_id=10**6),
            row(world, kind="stare"),
            row(world, kind="rating", value="nan"),
            row(world, kind="rating", value=9),
            row(world, kind="watch", value=1.5),
            row(world, created_at="yesterday"),
            row(world, created_at="2999-01-01"),
            row(world, user_id="x"),
            row(world, created_at=""),
        ]

        response = client.post(URL, data=written("csv", rows), headers=admin)

        assert response.status_code == 422
        assert response.json["detail"] == "10 lines cannot be used; nothing was stored."
        assert [each["field"] for each in response.json["errors"]] == [
            f"line {number}" for number in range(3, 13)
        ]
        assert "there is no user 1000000" in response.json["errors"][0]["message"]
        assert n_events() == before

    def test_names_a_line_of_more_fields_than_the_header(
        self, world: World, client: FlaskClient, admin: Headers
    ) -> None:
        body = written("csv", [row(world), row(world)]) + b",0.5"

        response = client.post(URL, data=body, headers=admin)

        (error,) = response.json["errors"]
        assert error == {"field": "line 3", "message": "the line has more fields than the header"}

    def test_takes_nanoseconds_and_names_a_time_that_is_none(
        self, world: World, client: FlaskClient, admin: Headers
    ) -> None:
        ids = {"user_id": [world.crowd[0].id] * 2, "item_id": [world.items["Soup"].id] * 2}

        def sent(times: list[int], unit: str) -> Any:
            file = io.BytesIO()
            columns = {**ids, "created_at": pa.array(times, pa.timestamp(unit))}
            pq.write_table(pa.table(columns), file)
            return client.post(f"{URL}?format=parquet", data=file.getvalue(), headers=admin)

        second = 1_700_000_000
        good = sent([second * 10**9 + 1, second * 10**9], "ns")
        bad = sent([second * 10**6, 2**62], "us")

        assert (good.json["n_lines"], good.json["n_new"]) == (2, 1)
        (error,) = bad.json["errors"]
        assert error["field"] == "line 2"
        assert "expected a time" in error["message"]

    @pytest.mark.parametrize("form", ["csv", "json", "parquet"])
    def test_takes_seconds_and_finer_units(
        self, world: World, client: FlaskClient, admin: Headers, form: str
    ) -> None:
        pair = {"user_id": world.crowd[0].id, "item_id": world.items["Soup"].id}
        rows = [{**pair, "timestamp": 1_777_629_600 * 1000**finer} for finer in range(4)]

        body = written(form, rows)
        response = client.post(f"{URL}?format={form}", data=body, headers=admin)

        assert (response.json["n_lines"], response.json["n_new"]) == (4, 1)
        newest = select(Event.created_at).order_by(Event.id.desc()).limit(1)
        assert db.session.scalar(newest) == datetime(2026, 5, 1, 10)

    @pytest.mark.parametrize("form", ["csv", "json", "parquet"])
    def test_believes_the_column_of_times_that_the_engine_believes(
        self, world: World, client: FlaskClient, admin: Headers, tmp_path: Path, form: str
    ) -> None:
        pair = {"user_id": world.crowd[0].id, "item_id": world.items["Soup"].id}
        both = {**pair, "created_at": "2020-01-01T00:00:00Z", "timestamp": 1_777_629_600}
        body = written(form, [both])

        client.post(f"{URL}?format={form}", data=body, headers=admin)

        stored = db.session.scalar(select(Event.created_at).order_by(Event.id.desc()).limit(1))
        assert stored == datetime(2026, 5, 1, 10)
        if form == "csv":
            path = tmp_path / "both.csv"
            path.write_bytes(body)
            assert read_events([path]).times_s.tolist() == [1_777_629_600]

    @pytest.mark.parametrize("name", ["created_at", "timestamp"])
    @pytest.mark.parametrize(
        "wrong",
        [
            ("soon", "is “soon”, expected a time"),
            ("nan", "is “nan”, expected a time"),
            (True, "is “True”, expected a time"),
            ([1], "is “[1]”, expected a time"),
            ("2999-01-01", "is 2999-01-01T00:00:00, which is not in the past"),
        ],
    )
    def test_names_the_column_of_a_wrong_time(
        self, client: FlaskClient, admin: Headers, name: str, wrong: tuple[Any, str]
    ) -> None:
        value, fault = wrong

        body = written("json", [{"user_id": 1, "item_id": 1, name: value}])
        response = client.post(f"{URL}?format=json", data=body, headers=admin)

        (error,) = response.json["errors"]
        assert error["message"] == f"{name} {fault}"

    def test_names_the_bad_elements_and_the_place_where_a_list_breaks_off(
        self, world: World, client: FlaskClient, admin: Headers
    ) -> None:
        before = n_events()
        good, bad = json.dumps(row(world)), json.dumps(row(world, kind="stare"))
        body = f"[{good}, {bad}, {good} {good}]"

        response = client.post(f"{URL}?format=json", data=body, headers=admin)

        assert response.status_code == 422
        second, third = response.json["errors"]
        assert second["field"] == "line 2"
        assert "kind is “stare”" in second["message"]
        place = len(f"[{good}, {bad}, {good} ") + 1
        why = f"Expecting ',' delimiter, character {place} of the file"
        assert third == {
            "field": "line 3",
            "message": f"from here on this is no JSON list: {why}",
        }
        assert n_events() == before

    @pytest.mark.parametrize(
        ("form", "body"),
        [
            ("csv", b"a,b\n1,2\n"),
            ("csv", b"\xff\xfe\x00"),
            ("json", b"[1, 2"),
            ("json", b"[" * 100_000),
            ("parquet", b"PAR1 nothing"),
        ],
    )
    def test_refuses_what_is_no_such_file(
        self, client: FlaskClient, admin: Headers, form: str, body: bytes
    ) -> None:
        response = client.post(f"{URL}?format={form}", data=body, headers=admin)

        assert response.status_code == 422
        assert response.json["code"] == "invalid"

    def test_takes_an_empty_list(self, client: FlaskClient, admin: Headers) -> None:
        response = client.post(f"{URL}?format=json", data=b"[]", headers=admin)

        assert response.json["n_lines"] == 0

    def test_is_for_administrators(
        self, client: FlaskClient, make_user: Callable[..., User]
    ) -> None:
        analyst = {"Authentication-Token": str(make_user(RoleName.ANALYST).get_auth_token())}

        assert client.post(URL, data=b"", headers=analyst).status_code == 403
        assert client.get(URL, headers=analyst).status_code == 403


def test_the_description_of_the_api_names_every_form(client: FlaskClient) -> None:
    paths = client.get("/api/v1/openapi.json").json["paths"]

    there = paths["/api/v1/recommendations/interactions"]
    forms = {"text/csv", "application/json", "application/vnd.apache.parquet"}
    assert set(there["get"]["responses"]["200"]["content"]) == forms
    assert set(there["post"]["requestBody"]["content"]) == forms


class TestExport:
    @pytest.mark.parametrize("form", ["csv", "json", "parquet"])
    def test_can_be_read_in_again(
        self, world: World, client: FlaskClient, admin: Headers, form: str
    ) -> None:
        before = n_events()

        response = client.get(f"{URL}?format={form}", headers=admin)
        again = client.post(f"{URL}?format={form}", data=response.data, headers=admin)

        assert f"interactions.{form}" in response.headers["Content-Disposition"]
        assert again.json == {
            "n_lines": before,
            "n_new": 0,
            "n_known": before,
            "dry_run": False,
        }

    def test_an_empty_portal_gives_an_empty_list(self, client: FlaskClient, admin: Headers) -> None:
        assert client.get(f"{URL}?format=json", headers=admin).json == []
