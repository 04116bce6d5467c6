"""The endpoints of the customer's document, to the letter (R150-R158)."""

import logging
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.serving.legacy import further
from dashboard.serving.models import Deployment, Model
from tests.factories.people import PASSWORD

Deployed = tuple[Deployment, str]


def who(user: User, **more: str) -> dict[str, str]:
    return {"user": user.user_name or "", "password": PASSWORD, **more}


@pytest.mark.parametrize("name", ["uesr", "user"])
def test_login_answers_a_word(client: FlaskClient, analyst: User, name: str) -> None:
    def login(user: str, password: str) -> str:
        return client.post("/api/v0/login", data={name: user, "password": password}).text

    assert login(analyst.user_name or "", PASSWORD) == "success"
    assert login(analyst.user_name or "", "wrong") == "invalid password"
    assert login("nobody", PASSWORD) == "user not found"


def test_register_answers_a_word(client: FlaskClient, analyst: User) -> None:
    def register(user: str) -> str:
        return client.post("/api/v0/register", data={"uesr": user, "password": PASSWORD}).text

    assert register("newcomer") == "success"
    assert register("newcomer") == "duplication"


def test_a_parameter_that_is_no_text_is_refused(client: FlaskClient) -> None:
    answer = client.post("/api/v0/login", json={"user": 1, "password": 2})

    assert (answer.status_code, answer.json["code"]) == (422, "bad_parameter")


def test_models_are_listed_and_described(client: FlaskClient, analyst: User, line: Model) -> None:
    listed = client.get("/api/v0/getusermodel", query_string=who(analyst)).json
    info = client.get("/api/v0/getmodelinfo", query_string=who(analyst, modelname="line")).json

    assert listed["status"] == "success"
    assert set(listed["model"][0]) == {"modelname", "modeltype", "time"}
    assert set(info) == {
        *("status", "modelname", "time", "modeltype", "algorithm", "description", "engine"),
        *("input", "output"),
    }
    assert set(info["input"][0]) == {"name", "type", "range", "dimension", "optype"}


def test_deployments_start_and_pause(
    client: FlaskClient, analyst: User, deployed: Deployed
) -> None:
    name = deployed[0].name
    both = who(analyst, modelname="line", deployment=name)

    paused = client.post("/api/v0/settaskstatuspause", data=both).json
    listed = client.get("/api/v0/getmodeldeployment", query_string=both).json
    started = client.post("/api/v0/setdeploymentstatusrunning", data=both).json
    unknown = client.post("/api/v0/settaskstatuspause", data={**both, "deployment": "x"}).json

    assert paused == started == {"status": "success"}
    assert [(d["deployment"], d["status"]) for d in listed["deployment"]] == [(name, "paused")]
    assert unknown == {"status": "deployment not found"}


def test_deleting_says_what_there_is(client: FlaskClient, analyst: User, line: Model) -> None:
    def delete(name: str) -> Any:
        return client.delete("/api/v0/deletemodel", query_string=who(analyst, modelname=name)).json

    assert delete("none") == {"status": "model not found"}
    assert delete("line") == {"status": "success"}


@pytest.mark.parametrize(
    ("method", "path", "wrong", "status"),
    [
        (method, path, wrong, status)
        for method, path, third in (
            ("DELETE", "deletemodel", ("modelname", "model not found")),
            ("GET", "getmodeldeployment", ("modelname", "model not found")),
            ("POST", "setdeploymentstatusrunning", ("deployment", "deployment not found")),
            ("POST", "settaskstatuspause", ("deployment", "deployment not found")),
        )
        for wrong, status in (
            *(("user", "user not found"), ("password", "invalid password")),
            third,
        )
    ],
)
def test_some_never_raise(  # noqa: PLR0917 - fixtures
    client: FlaskClient,
    analyst: User,
    deployed: Deployed,
    method: str,
    path: str,
    wrong: str,
    status: str,
) -> None:
    sent = who(analyst, modelname="line", deployment=deployed[0].name)
    left_out = {key: value for key, value in sent.items() if key != wrong}

    for body in ({**sent, wrong: 7}, left_out):
        answer = client.open(f"/api/v0/{path}", method=method, json=body)
        assert (answer.status_code, answer.json) == (200, {"status": status})


def test_a_deployment_of_another_model_is_not_found(
    client: FlaskClient, analyst: User, deployed: Deployed
) -> None:
    both = who(analyst, modelname="none", deployment=deployed[0].name)

    answer = client.post("/api/v0/settaskstatuspause", data=both)

    assert answer.json == {"status": "deployment not found"}


def test_a_large_file_is_no_test(
    client: FlaskClient, analyst: User, line: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(further, "MAX_TEST_BYTES", 8)
    file = (BytesIO(b"a,b\n1,1\n2,2\n"), "rows.csv")

    answer = client.post(
        "/api/v0/testmodelfile", data={**who(analyst, modelname="line"), "file": file}
    )

    assert (answer.status_code, answer.json["code"]) == (422, "bad_parameter")


def test_predicts(
    client: FlaskClient, analyst: User, deployed: Deployed, answering: list[Any]
) -> None:
    asked = who(analyst, deployment=deployed[0].name, data='{"a": 1, "b": 1}')

    assert client.post("/api/v0/predict", data=asked).json["result"] == [{"y": 3}]


def test_learners_may_not_deploy(client: FlaskClient, make_user: Any) -> None:
    learner = make_user("learner")

    answer = client.delete("/api/v0/deletemodel", query_string=who(learner, modelname="x"))

    assert answer.json == {"status": "not allowed"}


@pytest.mark.parametrize(
    ("environment", "wish", "status"),
    [
        ("development", None, 200),
        ("development", "off", 404),
        ("production", None, 404),
        ("production", "on", 200),
    ],
)
def test_is_off_in_production_unless_wanted(
    app: Flask, client: FlaskClient, environment: str, wish: str | None, status: int
) -> None:
    config = app.config["ATRIUM"]
    serving = replace(config.serving, **({"legacy_api": wish} if wish else {}))
    site = replace(config.site, environment=environment)
    app.config["ATRIUM"] = replace(config, serving=serving, site=site)

    answer = client.post("/api/v0/login", data={"user": "x", "password": "y"})

    assert answer.status_code == status


def test_no_log_holds_a_password(
    client: FlaskClient, analyst: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    client.get("/api/v0/getusermodel", query_string=who(analyst))
    client.get("/api/v0/getusermodel", query_string={**who(analyst), "password": "canary-pw-1"})

    assert PASSWORD not in caplog.text
    assert "canary-pw-1" not in caplog.text


@pytest.mark.parametrize("value", ["nan", "inf", "many"])
def test_a_number_that_is_none_is_refused(
    client: FlaskClient, analyst: User, line: Model, value: str
) -> None:
    wishes = who(analyst, modelname="line", deployment="x", replicas=value)

    answer = client.post("/api/v0/deploymodel", data=wishes)

    assert (answer.status_code, answer.json["code"]) == (422, "bad_parameter")
