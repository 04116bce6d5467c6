"""Models, deployments and predictions over the API."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from dashboard.accounts.models import User
from dashboard.core.database import session, transaction
from dashboard.job_queue.models import Job, JobState
from dashboard.serving import monitoring, queries, replicas, runtime, services
from dashboard.serving.models import Deployment, Model
from tests.factories.browsing import csrf
from tests.factories.models import line_model, viewer_of

Browser = Callable[[User], FlaskClient]
Deployed = tuple[Deployment, str]
RECORD = {"a": 1, "b": 1}


def send(client: FlaskClient, method: str, path: str, **options: Any) -> Any:
    """A call as a page makes it."""
    return client.open(f"/api/v1{path}", method=method, headers=csrf(client), **options)


def with_token(client: FlaskClient, method: str, path: str, token: str, **options: Any) -> Any:
    """A call as a program makes it."""
    headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
    return client.open(f"/api/v1{path}", method=method, headers=headers, **options)


class TestModels:
    def test_from_upload_to_deletion(
        self, analyst: User, browser_of: Browser, tmp_path: Path
    ) -> None:
        client = browser_of(analyst)
        with line_model(tmp_path / "x.onnx").open("rb") as file:
            made = send(client, "POST", "/models", data={"name": "x", "file": (file, "x.onnx")})
        path = f"/models/{made.json['id']}"

        assert made.status_code == 201
        assert [each["name"] for each in made.json["newest"]["inputs"]] == ["a", "b"]
        assert send(client, "PATCH", path, json={"description": "new"}).json["description"] == "new"
        tried = send(client, "POST", f"{path}/versions/1/test", json={"records": [RECORD]})
        assert tried.json["outputs"] == [{"y": 3.0}]
        assert send(client, "DELETE", path).status_code == 204
        assert client.get(f"/api/v1{path}").status_code == 404

    def test_deleting_a_deployed_one_conflicts(
        self, line: Model, deployed: Deployed, analyst: User, browser_of: Browser
    ) -> None:
        client = browser_of(analyst)

        answer = send(client, "DELETE", f"/models/{line.id}")

        assert (answer.status_code, answer.json["code"]) == (409, "model_deployed")
        assert send(client, "DELETE", f"/models/{line.id}?force=true").status_code == 204

    def test_a_refused_file_is_a_problem(
        self, analyst: User, browser_of: Browser, tmp_path: Path
    ) -> None:
        (tmp_path / "x").write_bytes(b"nothing")
        with (tmp_path / "x").open("rb") as file:
            answer = send(
                browser_of(analyst), "POST", "/models", data={"name": "x", "file": (file, "x")}
            )

        assert (answer.status_code, answer.json["code"]) == (422, "model_refused")


class TestDeployments:
    def test_the_token_is_given_once(self, line: Model, analyst: User, browser_of: Browser) -> None:
        client = browser_of(analyst)

        made = send(
            client, "POST", f"/models/{line.id}/deployments", json={"name": "d", "cpus": 0.1}
        )

        assert made.status_code == 201
        assert made.json["token"].startswith("atd_")
        assert "token" not in client.get(f"/api/v1/deployments/{made.json['id']}").json

    def test_more_than_the_machine_has_is_refused(
        self, line: Model, analyst: User, browser_of: Browser
    ) -> None:
        answer = send(
            browser_of(analyst),
            "POST",
            f"/models/{line.id}/deployments",
            json={"name": "d", "cpus": 1000, "memory_mb": 4_000_000},
        )

        assert (answer.status_code, answer.json["code"]) == (409, "over_reserved")
        assert {each["field"] for each in answer.json["errors"]} == {"cpus", "memory_mb"}

    def test_a_new_token_voids_the_old(
        self,
        deployed: Deployed,
        analyst: User,
        browser_of: Browser,
        client: FlaskClient,
        answering: list[Any],
    ) -> None:
        deployment, old = deployed
        path = f"/deployments/{deployment.id}"

        new = send(browser_of(analyst), "POST", f"{path}/token").json["token"]

        assert with_token(client, "POST", f"{path}/predict", old, json=RECORD).status_code == 401
        assert with_token(client, "POST", f"{path}/predict", new, json=RECORD).status_code == 200


class TestPredict:
    @pytest.mark.parametrize(
        "body",
        [RECORD, [RECORD], {"records": [RECORD]}, {"columns": ["a", "b"], "data": [[1, 1]]}],
        ids=["record", "list", "records", "split"],
    )
    def test_takes_every_form(
        self, deployed: Deployed, client: FlaskClient, answering: list[Any], body: Any
    ) -> None:
        path = f"/deployments/{deployed[0].id}/predict"

        answer = with_token(client, "POST", path, deployed[1], json=body)

        assert answer.json["outputs"] == [{"y": 3}]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b'{"a": NaN, "b": 1}',
            b"[]",
            b'[{"a": 1}]',
            b'[{"a": "x", "b": 1}]',
            b"[" * 9999,
        ],
        ids=["nothing", "cut", "nan", "empty", "missing", "type", "deep"],
    )
    def test_bad_input_is_422_and_tells_a_stranger_no_field(
        self, deployed: Deployed, client: FlaskClient, answering: list[Any], body: bytes
    ) -> None:
        answer = with_token(
            client, "POST", f"/deployments/{deployed[0].id}/predict", deployed[1], data=body
        )

        assert answer.status_code == 422
        assert answer.json["request_id"]
        assert not [each["field"] for each in answer.json.get("errors", []) if each["field"]]

    @pytest.mark.parametrize(
        ("body", "code", "message"),
        [
            (b"{", "invalid", "The body is no JSON."),
            (b"3", "invalid_input", "The records do not fit the model's inputs. (records)"),
            (b" " * (17 * 2**20), "too_large", "The request is too large: send a batch."),
        ],
        ids=["cut", "no record", "large"],
    )
    def test_what_cannot_be_read_counts_as_failed(
        self, deployed: Deployed, client: FlaskClient, body: bytes, code: str, message: str
    ) -> None:
        deployment, token = deployed
        path = f"/deployments/{deployment.id}/predict"

        answer = with_token(client, "POST", path, token, data=body)
        other = client.post(
            f"/v2/models/{deployment.name}/infer",
            data=body,
            headers={"Authorization": f"Bearer {token}"},
        )

        services.count_all()
        span = monitoring.total(queries.list_hours(deployment.id, hours=1))
        assert (span.n_requests, span.n_errors, span.n_records) == (2, 2, 0)
        assert answer.json["code"] == code
        faults = {each.request_id: each for each in queries.list_faults(deployment.id)}
        assert faults[answer.json["request_id"]].message == message
        assert faults[other.json["request_id"]].code in (code, "invalid")

    def test_the_owner_learns_the_field_and_what_was_expected(
        self, deployed: Deployed, analyst: User, browser_of: Browser, answering: list[Any]
    ) -> None:
        answer = send(
            browser_of(analyst),
            "POST",
            f"/deployments/{deployed[0].id}/predict",
            json={"a": "x", "b": 1},
        )

        (error,) = answer.json["errors"]
        assert error["field"] == "a"
        assert error["message"].startswith("expected a")

    def test_only_wanted_outputs(
        self, deployed: Deployed, client: FlaskClient, answering: list[Any]
    ) -> None:
        path = f"/deployments/{deployed[0].id}/predict"

        known = with_token(client, "POST", f"{path}?outputs=y", deployed[1], json=RECORD)
        unknown = with_token(client, "POST", f"{path}?outputs=z", deployed[1], json=RECORD)

        assert known.status_code == 200
        assert unknown.status_code == 422

    def test_who_may(  # noqa: PLR0917 - fixtures
        self,
        deployed: Deployed,
        analyst: User,
        other: User,
        make_user: Callable[..., User],
        browser_of: Browser,
        client: FlaskClient,
        answering: list[Any],
    ) -> None:
        path = f"/deployments/{deployed[0].id}/predict"
        people = {
            "analyst": browser_of(analyst),
            "other": browser_of(other),
            "learner": browser_of(make_user("learner")),
            "admin": browser_of(make_user("admin")),
        }

        found = {
            name: send(each, "POST", path, json=RECORD).status_code for name, each in people.items()
        }
        found["visitor"] = client.post(f"/api/v1{path}", json=RECORD).status_code

        assert found == {
            **{"analyst": 200, "other": 404, "learner": 403, "admin": 200, "visitor": 401}
        }

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (runtime.NoReplica(), 503, "not_ready"),
            (runtime.OutOfTime("x"), 504, "timed_out"),
            (runtime.ModelError("secret"), 422, "prediction_failed"),
            (runtime.ScriptError("secret"), 422, "script_failed"),
        ],
    )
    def test_what_goes_wrong_has_a_code(  # noqa: PLR0917 - fixtures
        self,
        deployed: Deployed,
        client: FlaskClient,
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
        status: int,
        code: str,
    ) -> None:
        def fail(_deployment: Deployment, _records: list[Any]) -> None:
            raise error

        monkeypatch.setattr(replicas, "call", fail)

        answer = with_token(
            client, "POST", f"/deployments/{deployed[0].id}/predict", deployed[1], json=RECORD
        )
        services.count_all()

        assert (answer.status_code, answer.json["code"]) == (status, code)
        assert "secret" not in answer.text
        span = monitoring.total(queries.list_hours(deployed[0].id, hours=1))
        assert span.errors == {code: 1}
        assert queries.list_faults(deployed[0].id)[0].request_id == answer.json["request_id"]


class TestTasks:
    def test_one_key_makes_one_task(self, deployed: Deployed, client: FlaskClient) -> None:
        path = f"/deployments/{deployed[0].id}/tasks"
        key = {"Idempotency-Key": "k-1"}

        first = with_token(client, "POST", path, deployed[1], json=RECORD, headers=key)
        again = with_token(client, "POST", path, deployed[1], json=RECORD, headers=key)
        reused = with_token(client, "POST", path, deployed[1], json={"a": 2, "b": 2}, headers=key)

        assert first.status_code == 202
        assert first.headers["Location"].endswith(first.json["id"])
        assert again.json["id"] == first.json["id"]
        assert (reused.status_code, reused.json["code"]) == (409, "idempotency_mismatch")

    def test_a_key_of_another_caller_does_not_give_her_task(
        self, deployed: Deployed, analyst: User
    ) -> None:
        deployment, records = deployed[0], [{"a": 1.0, "b": 2.0}]
        services.submit(deployment, records, owner_id=analyst.id, idempotency_key="k-1")

        with pytest.raises(services.KeyReused):
            services.submit(deployment, records, owner_id=None, idempotency_key="k-1")

    def test_a_result_comes_after_the_end(self, deployed: Deployed, client: FlaskClient) -> None:
        path = f"/deployments/{deployed[0].id}/tasks"
        task = with_token(client, "POST", path, deployed[1], json=RECORD).json

        early = with_token(client, "GET", f"{path}/{task['id']}/result", deployed[1])
        ended = with_token(client, "POST", f"{path}/{task['id']}/cancel", deployed[1])
        late = with_token(client, "POST", f"{path}/{task['id']}/cancel", deployed[1])

        assert (early.status_code, early.json["code"]) == (409, "not_finished")
        assert ended.json["state"] == "cancelled"
        assert late.status_code == 409

    def test_tells_at_once_that_its_job_failed(
        self, deployed: Deployed, client: FlaskClient
    ) -> None:
        path = f"/deployments/{deployed[0].id}/tasks"
        task = with_token(client, "POST", path, deployed[1], json=RECORD).json
        with transaction():
            job = session.scalars(select(Job)).one()
            job.state, job.error = JobState.FAILED, "no luck"

        answer = with_token(client, "GET", f"{path}/{task['id']}", deployed[1]).json

        assert (answer["state"], answer["error"]) == ("failed", "no luck")

    def test_another_deployments_token_finds_nothing(
        self, line: Model, deployed: Deployed, analyst: User, client: FlaskClient
    ) -> None:
        _other, token = services.deploy_model(
            line.id, name="second", viewer=viewer_of(analyst), cpus=0.1
        )
        path = f"/deployments/{deployed[0].id}/tasks"
        task = with_token(client, "POST", path, deployed[1], json=RECORD).json

        answer = with_token(client, "GET", f"{path}/{task['id']}", token)

        assert answer.status_code == 404
        session.rollback()


class TestInference:
    @pytest.mark.parametrize(
        ("outputs", "headers"),
        [
            ([{"name": "y", "parameters": [1]}], {}),
            ([{"name": 1}], {}),
            ("y", {}),
            ([], {"Inference-Header-Content-Length": "9" * 5000}),
            ([], {"Inference-Header-Content-Length": "-1"}),
        ],
    )
    def test_nonsense_is_refused(
        self,
        deployed: Deployed,
        client: FlaskClient,
        answering: list[Any],
        outputs: Any,
        headers: dict[str, str],
    ) -> None:
        inputs = [
            {"name": name, "datatype": "FP64", "shape": [1], "data": [1.0]} for name in ("a", "b")
        ]

        answer = client.post(
            f"/v2/models/{deployed[0].name}/infer",
            json={"inputs": inputs, "outputs": outputs},
            headers={"Authorization": f"Bearer {deployed[1]}", **headers},
        )

        assert (answer.status_code, answer.json["code"]) == (422, "invalid")
        assert answering == []
