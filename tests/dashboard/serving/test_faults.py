"""A deployment that hangs, runs out of memory or cannot start: it alone suffers, and says so. Real replicas."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.serving import keeper, queries, services
from dashboard.serving.models import Deployment, Health, Model
from tests.factories.models import (
    deploy,
    greedy_model,
    keeping,
    ready,
    tireless_model,
    viewer_of,
    wait_for,
)

# Replicas start, die and are started again.
pytestmark = pytest.mark.slow
LINE = {"a": 1, "b": 1}


@pytest.fixture
def kept(app: Flask) -> Iterator[keeper.Keeper]:
    with keeping(app) as built:
        yield built


@pytest.fixture
def sound(kept: keeper.Keeper, line: Model, analyst: User) -> tuple[Deployment, str]:
    """Another deployment, in service."""
    found = deploy(line, analyst, name="sound")
    wait_for(found[0], ready)
    return found


@pytest.fixture
def make(analyst: User, tmp_path: Path) -> Callable[..., tuple[Deployment, str]]:
    """Deploys a model file made by a function."""

    def deployed(build: Callable[[Path], Path], **wishes: Any) -> tuple[Deployment, str]:
        path = build(tmp_path / f"{build.__name__}.onnx")
        model = services.add_model(
            path, original_name=path.name, name=path.stem, viewer=viewer_of(analyst)
        )
        return deploy(model, analyst, **wishes)

    return deployed


def ask(portal: str, deployment: tuple[Deployment, str], record: Any) -> tuple[int, Any]:
    """The portal's answer over the network, and its status."""
    connection = HTTPConnection(portal.removeprefix("http://"), timeout=60)
    connection.request(
        "POST",
        f"/api/v1/deployments/{deployment[0].id}/predict",
        orjson.dumps(record),
        {"Authorization": f"Bearer {deployment[1]}", "Content-Type": "application/json"},
    )
    answer = connection.getresponse()
    found = answer.status, orjson.loads(answer.read())
    connection.close()
    return found


def health_page(client: FlaskClient, deployment: Deployment) -> str:
    return client.get(f"/deployments/{deployment.id}").text


def test_a_prediction_without_end_is_stopped(
    portal: str, sound: tuple[Deployment, str], make: Callable[..., tuple[Deployment, str]]
) -> None:
    hanging = make(tireless_model, timeout_s=2.0)
    wait_for(hanging[0], ready)
    assert ask(portal, hanging, {"n": 3})[1]["outputs"] == [{"y": 3.0}]
    said: list[tuple[int, Any]] = []
    caller = threading.Thread(target=lambda: said.append(ask(portal, hanging, {"n": 1e12})))
    caller.start()
    time.sleep(0.3)

    start = time.monotonic()
    others = [ask(portal, sound, LINE)[0] for _ in range(20)]
    took_s = time.monotonic() - start
    caller.join()

    assert others == [200] * 20
    assert took_s < 2
    assert (said[0][0], said[0][1]["code"]) == (504, "timed_out")
    wait_for(hanging[0], ready)
    assert ask(portal, hanging, {"n": 3})[0] == 200
    assert wait_for(sound[0], ready).n_restarts == 0


def test_a_frozen_replica_is_ended_and_started_again(
    portal: str,
    kept: keeper.Keeper,
    sound: tuple[Deployment, str],
    make: Callable[..., tuple[Deployment, str]],
) -> None:
    frozen = make(greedy_model, timeout_s=1.0)
    wait_for(frozen[0], ready)
    os.kill(kept._supervisor.status()[f"d{frozen[0].id}"].pids[0], signal.SIGSTOP)

    status, said = ask(portal, frozen, {"n": 3})

    assert (status, said["code"]) in {(504, "timed_out"), (422, "prediction_failed")}
    assert ask(portal, sound, LINE)[0] == 200
    wait_for(frozen[0], lambda d: d.n_restarts >= 1 and ready(d))
    assert ask(portal, frozen, {"n": 3})[0] == 200
    assert wait_for(sound[0], ready).n_restarts == 0


def test_one_that_runs_out_of_memory_fails_alone(
    portal: str, sound: tuple[Deployment, str], make: Callable[..., tuple[Deployment, str]]
) -> None:
    greedy = make(greedy_model)
    wait_for(greedy[0], ready)
    assert ask(portal, greedy, {"n": 1000})[1]["outputs"] == [{"y": 1000.0}]

    status, said = ask(portal, greedy, {"n": 2**30})

    # Four gigabytes where 256 MiB are reserved.
    assert (status, said["code"]) == (422, "prediction_failed")
    assert ask(portal, sound, LINE)[0] == 200
    wait_for(greedy[0], ready)
    assert ask(portal, greedy, {"n": 1000})[0] == 200
    assert wait_for(sound[0], ready).n_restarts == 0


def test_one_that_cannot_start_says_why_and_tries_less_and_less_often(
    portal: str,
    sound: tuple[Deployment, str],
    make: Callable[..., tuple[Deployment, str]],
    analyst: User,
    as_admin: FlaskClient,
) -> None:
    failing = make(greedy_model, name="broken")[0]
    wait_for(failing, ready)
    # The disk lost it; the next start finds out.
    queries.path_of(failing.version).write_bytes(b"no model")
    services.change_deployment(failing.id, viewer=viewer_of(analyst), cpus=0.2)

    wait_for(failing, lambda d: bool(d.health_text))
    assert failing.health == Health.READY
    assert "what was there before still answers" in health_page(as_admin, failing)

    services.pause_deployment(failing.id, viewer=viewer_of(analyst))
    time.sleep(2)  # the replicas that still answered leave
    services.start_deployment(failing.id, viewer=viewer_of(analyst))
    wait_for(failing, lambda d: d.health == Health.FAILED and d.n_restarts >= 3)
    first = failing.n_restarts
    time.sleep(5)
    wait_for(failing, lambda _d: True)

    # After 1, 2 and 4 seconds: in five seconds more there is room for two at most.
    assert failing.n_restarts - first <= 2
    assert failing.health_text
    assert failing.health_text in health_page(as_admin, failing)
    assert ask(portal, sound, LINE)[0] == 200
    assert wait_for(sound[0], ready).n_restarts == 0
