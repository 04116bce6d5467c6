"""An analyst deploys a model and programs call it: real replicas, real processes, over HTTP."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.core.database import session
from dashboard.serving import keeper, monitoring, queries, services
from dashboard.serving.models import Deployment, Model
from tests.factories.models import (
    add_line,
    deploy,
    keeping,
    line_model,
    ready,
    viewer_of,
    wait_for,
)


@pytest.fixture
def analyst(make_user: Callable[..., User]) -> User:
    return make_user("learner", "analyst")


@pytest.fixture
def line(analyst: User, tmp_path: Path) -> Model:
    return add_line(analyst, tmp_path)


@pytest.fixture
def kept(app: Flask) -> Iterator[keeper.Keeper]:
    with keeping(app) as built:
        yield built


def call(client: FlaskClient, deployment: Deployment, token: str, body: Any) -> Any:
    return client.post(
        f"/api/v1/deployments/{deployment.id}/predict",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
    )


def test_a_deployment_answers_pauses_rolls_and_counts(  # noqa: PLR0917 - fixtures
    kept: keeper.Keeper,
    line: Model,
    analyst: User,
    client: FlaskClient,
    portal: str,
    tmp_path: Path,
) -> None:
    deployment, token = deploy(line, analyst)
    wait_for(deployment, ready)

    # Now: the answer, and who may not have it.
    assert call(client, deployment, token, {"a": 1, "b": 1}).json["outputs"] == [{"y": 3.0}]
    assert call(client, deployment, "atd_wrong", {"a": 1, "b": 1}).status_code == 401
    wrong = call(client, deployment, token, {"a": "secret-text", "b": 1})
    assert (wrong.status_code, wrong.json["code"]) == (422, "invalid_input")
    assert "errors" not in wrong.json
    assert "secret-text" not in wrong.text

    # Paused: a code, and tasks wait.
    services.pause_deployment(deployment.id, viewer=viewer_of(analyst))
    paused = call(client, deployment, token, {"a": 1, "b": 1})
    assert (paused.status_code, paused.json["code"]) == (409, "deployment_paused")
    task = services.submit(deployment, [{"a": 1, "b": 1}], owner_id=analyst.id)
    assert task.state == "waiting"
    services.start_deployment(deployment.id, viewer=viewer_of(analyst))
    session.refresh(task)
    assert task.state == "queued"
    wait_for(deployment, ready)

    # Rolled to another version while somebody calls: no request fails.
    version = services.add_version(
        line.id,
        line_model(tmp_path / "steep.onnx", slope=10),
        original_name="steep.onnx",
        viewer=viewer_of(analyst),
    )
    answers = _call_while(
        portal,
        deployment,
        token,
        lambda: (
            services.change_deployment(
                deployment.id, viewer=viewer_of(analyst), version=version.number
            ),
            wait_for(deployment, lambda d: ready(d) and d.served_version == version.number),
            time.sleep(0.5),
        ),
    )
    assert {status for status, _y in answers} == {200}
    # For a moment both versions may answer; in the end only the new one does.
    assert answers[-1][1] == 11.0
    assert {y for _status, y in answers} == {3.0, 11.0}

    # Counted: sent = shown.
    time.sleep(0.1)
    services.count_all()
    span = monitoring.total(queries.list_hours(deployment.id, hours=1))
    assert span.n_requests == len(answers) + 3
    assert span.errors == {"invalid_input": 1, "deployment_paused": 1}


def _call_while(
    portal: str, deployment: Deployment, token: str, action: Callable[[], object]
) -> list[tuple[int, float]]:
    """Call again and again until `action` is over; status and y of every answer, in order."""
    stop = threading.Event()
    found: list[tuple[int, float]] = []
    path = f"/api/v1/deployments/{deployment.id}/predict"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def go_on() -> None:
        connection = HTTPConnection(portal.removeprefix("http://"))
        while not stop.is_set():
            connection.request("POST", path, '{"a": 1, "b": 1}', headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
            found.append((answer.status, body["outputs"][0]["y"] if answer.status == 200 else -1))
        connection.close()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        action()
    finally:
        stop.set()
        thread.join()
    return found


def test_a_stock_triton_client_works(
    kept: keeper.Keeper, line: Model, analyst: User, portal: str
) -> None:
    deployment, token = deploy(line, analyst, name="line")
    wait_for(deployment, ready)
    headers = {"Authorization": f"Bearer {token}"}
    client = triton.InferenceServerClient(portal.removeprefix("http://"))

    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("line", headers=headers)
    metadata = client.get_model_metadata("line", headers=headers)
    assert [each["name"] for each in metadata["inputs"]] == ["a", "b"]

    numbers = np.array([[1.0], [2.0], [3.0]], dtype=np.float32)
    for binary in (True, False):
        inputs = [triton.InferInput(name, [3, 1], "FP32") for name in ("a", "b")]
        for each in inputs:
            each.set_data_from_numpy(numbers, binary_data=binary)
        wanted = [triton.InferRequestedOutput("y", binary_data=binary)]
        result = client.infer("line", inputs, outputs=wanted, headers={**headers})
        assert result.as_numpy("y").ravel().tolist() == [3.0, 6.0, 9.0]
    client.close()


def test_a_dead_replica_is_replaced(
    kept: keeper.Keeper, line: Model, analyst: User, client: FlaskClient
) -> None:
    import os
    import signal

    deployment, token = deploy(line, analyst)
    other, other_token = deploy(line, analyst, name="other")
    wait_for(deployment, ready)
    wait_for(other, ready)
    standing = kept._supervisor.status()[f"d{deployment.id}"]

    os.kill(standing.pids[0], signal.SIGKILL)
    wait_for(deployment, lambda d: d.n_restarts == 1 and ready(d))

    assert call(client, deployment, token, {"a": 1, "b": 1}).status_code == 200
    assert call(client, other, other_token, {"a": 1, "b": 1}).status_code == 200
    session.refresh(other)
    assert other.n_restarts == 0
