"""The prediction server in a process of its own: the portal's answers, exact counts, and only who may."""

import socket
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import stamp

from dashboard.accounts.models import User
from dashboard.core.config import Config
from dashboard.core.database import session
from dashboard.serving import monitoring, queries, replicas, services
from dashboard.serving.models import Deployment, Health
from tests.factories.models import viewer_of
from tests.factories.processes import Portal, clean_environment, free_port, run

READY_S = 90
ONE = {"a": 1, "b": 1}


@pytest.fixture
def port(app: Flask, config: Config) -> Iterator[int]:
    """Where `run.py models` answers predictions."""
    stamp()
    number = free_port()
    environment = clean_environment(config.site.data_dir)
    environment["ATRIUM_SERVING__PREDICTION_PORT"] = str(number)
    keeping = Portal(environment, "models")
    yield number
    assert keeping.stop() == 0, keeping.output
    replicas.close(app)


def ask(port: int, deployment_id: int, token: str, body: Any) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/api/v1/deployments/{deployment_id}/predict"
    try:
        connection.request("POST", path, orjson.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, orjson.loads(answer.read())
    finally:
        connection.close()


def wait_until(holds: Callable[[], bool], seconds: float = READY_S) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.1)


def is_ready(deployment: Deployment) -> bool:
    session.rollback()
    session.refresh(deployment)
    return deployment.health == Health.READY


@pytest.mark.slow  # a process, a replica and waiting
def test_answers_as_the_portal_does_and_counts_every_call(
    port: int, deployed: tuple[Deployment, str], analyst: User, client: FlaskClient
) -> None:
    deployment, token = deployed
    deployment.version.baseline = {"a": {"edges": [0, 1, 2], "shares": [0.5, 0.5, 0.0]}}
    session.commit()
    wait_until(lambda: is_ready(deployment))

    # The same answer as from the portal's route, and the same words for what does not fit.
    for body in (ONE, [ONE, {"a": 2, "b": 5}], {"a": "text", "b": 1}):
        status, said = ask(port, deployment.id, token, body)
        portal = client.post(
            f"/api/v1/deployments/{deployment.id}/predict",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        )
        assert portal.json is not None
        assert status == portal.status_code
        for key in ("outputs", "code", "detail"):
            assert said.get(key) == portal.json.get(key)

    # Who may not: told so, and not counted.
    assert ask(port, deployment.id, "atd_wrong", ONE)[0] == 401
    assert ask(port, deployment.id, "", ONE)[0] == 401
    assert ask(port, deployment.id + 1, token, ONE)[0] == 404

    # A pause is seen within a second.
    services.pause_deployment(deployment.id, viewer=viewer_of(analyst))
    time.sleep(1)
    status, said = ask(port, deployment.id, token, ONE)
    assert (status, said["code"]) == (409, "deployment_paused")

    def counted() -> bool:
        session.rollback()
        services.count_all()
        span = monitoring.total(queries.list_hours(deployment.id, hours=1))
        return span.n_requests == 7

    wait_until(counted, 15)
    span = monitoring.total(queries.list_hours(deployment.id, hours=1))
    assert span.errors == {"invalid_input": 2, "deployment_paused": 1}
    assert span.n_records >= 6
    assert sum(queries.drift_bins(deployment.id, days=2)["a"]) == 6

    # A new token is known at once, the old one no more.
    _same, new = services.renew_token(deployment.id, viewer=viewer_of(analyst))
    assert ask(port, deployment.id, new, ONE)[0] == 409
    assert ask(port, deployment.id, token, ONE)[0] == 401


def test_a_taken_port_is_named(app: Flask, config: Config) -> None:
    stamp()
    environment = clean_environment(config.site.data_dir)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment["ATRIUM_SERVING__PREDICTION_PORT"] = str(taken.getsockname()[1])
        done = run(environment, "models")

    assert done.returncode == 2
    assert "serving.prediction_port: cannot listen" in done.stderr
    assert "Traceback" not in done.stderr
