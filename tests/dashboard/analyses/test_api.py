"""Analyses by programs: from the first byte to the tables."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.analyses import queries
from dashboard.analyses.models import Run, Upload
from dashboard.core.database import session
from dashboard.job_queue.queries import Viewer
from tests.factories.analyses import NAME, QUICK, make_tables

API = "/api/v1/analyses"


@pytest.fixture
def call(ana: User, client: FlaskClient) -> Callable[..., Any]:
    """Speaks to the API with a token of the analyst."""
    token = str(ana.get_auth_token())

    def call(method: str, path: str = "", **options: Any) -> Any:
        headers = {"Authentication-Token": token, **options.pop("headers", {})}
        return client.open(f"{API}{path}", method=method, headers=headers, **options)

    return call


def test_a_whole_analysis(
    call: Callable[..., Any], viewer: Viewer, no_pictures: None, finish: Callable[..., Run]
) -> None:
    number = call("POST").json["load_id"]
    for name, text in make_tables().items():
        assert call("PUT", f"/{number}/files/{name}.tsv", data=text.encode()).status_code == 204
    checked = call("POST", f"/{number}/check").json
    assert checked["preflight"]["good"] and checked["state"] == "uploaded"
    samples = [{"label": "before"}, {"label": "after"}]
    described = {"patient_name": NAME, "patient_age": 43, "samples": samples}
    assert call("PUT", f"/{number}", json=described).json["patient"] == "欧**娜"
    assert call("POST", f"/{number}/start", json={}).status_code == 409  # new labels: check again
    call("POST", f"/{number}/check")

    started = call("POST", f"/{number}/start", json={"parameters": QUICK})
    again = call("POST", f"/{number}/start", json={"parameters": QUICK})
    assert started.status_code == 202
    assert started.json["job_id"] == again.json["job_id"]
    assert call("GET", f"/{number}/progress.json").json["state"] == "queued"
    finish(session.get_one(Run, started.json["run_id"]))

    table = call("GET", f"/{number}/tables/cluster").json
    assert table["columns"] == ["sample_id", "cluster_id", "size", "mean", "std"]
    assert len(call("GET", f"/{number}/plots").json["items"]) == 9
    assert call("POST", f"/{number}/reproduce", json={}).status_code == 202
    assert call("POST", f"/{number}/cancel").json["state"] == "cancelled"
    assert call("POST", f"/{number}/retry").json["state"] == "preparing"
    assert call("POST", f"/{number}/cancel").status_code == 202
    assert call("DELETE", f"/{number}").status_code == 204
    assert call("GET", f"/{number}").status_code == 404


def test_a_table_in_pieces(call: Callable[..., Any], viewer: Viewer) -> None:
    number = call("POST").json["load_id"]
    tus = {"Tus-Resumable": "1.0.0"}
    name = base64.b64encode("张三.tsv".encode()).decode()
    begun = call(
        "POST",
        f"/{number}/files",
        headers={**tus, "Upload-Length": "6", "Upload-Metadata": f"filename {name}"},
    )
    assert begun.status_code == 201
    path = begun.location.removeprefix(API)
    piece = {**tus, "Content-Type": "application/offset+octet-stream"}

    assert (
        call("PATCH", path, headers={**piece, "Upload-Offset": "0"}, data=b"abc").status_code == 204
    )
    assert call("HEAD", path, headers=tus).headers["Upload-Offset"] == "3"
    wrong = call("PATCH", path, headers={**piece, "Upload-Offset": "0"}, data=b"abc")
    assert wrong.status_code == 409
    assert (
        call("PATCH", path, headers={**piece, "Upload-Offset": "3"}, data=b"def").status_code == 204
    )

    file = call("GET", f"/{number}").json["files"][0]
    assert (file["has_arrived"], file["name"]) == (True, "张*.tsv")
    assert "张三" not in str(call("GET", f"/{number}").json)


class TestRefusals:
    @pytest.mark.parametrize(
        ("request_", "body", "status"),
        [
            ("POST /{id}/start", {"parameters": {"clusters": 0}}, 422),
            ("POST /{id}/start", {"parameters": {"rate": 1}}, 422),
            ("POST /{id}/start", {"state": "done"}, 422),
            ("PUT /{id}", {"owner_id": 1}, 422),
            ("PUT /{id}", {"samples": [{"label": "<b>"}, {"label": "b"}]}, 422),
            ("POST /{id}/cancel", {}, 409),
            ("POST /{id}/retry", {}, 409),
            ("GET /{id}/tables/loci", None, 404),
            ("GET /2147483647", None, 404),
        ],
        ids=str,
    )
    def test_say_why_as_problem_json(
        self,
        call: Callable[..., Any],
        upload: Upload,
        request_: str,
        body: object,
        status: int,
    ) -> None:
        options = {} if body is None else {"json": body}
        method, path = request_.split()
        answer = call(method, path.format(id=upload.id), **options)

        assert answer.status_code == status
        assert answer.mimetype == "application/problem+json"
        assert answer.json["detail"]

    def test_hide_the_analyses_of_others(
        self, make_user: Callable[..., User], client: FlaskClient, upload: Upload
    ) -> None:
        for role, read, write in (("analyst", 404, 404), ("admin", 200, 403)):
            token = {"Authentication-Token": str(make_user(role).get_auth_token())}
            assert client.get(f"{API}/{upload.id}", headers=token).status_code == read
            assert (
                client.post(f"{API}/{upload.id}/start", headers=token, json={}).status_code == write
            )
            assert client.delete(f"{API}/{upload.id}", headers=token).status_code == write
            assert client.get(f"{API}", headers=token).json["total"] == int(role == "admin")
        assert queries.find_latest_run(upload.id) is None
