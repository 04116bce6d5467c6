"""An analyst with a model of her own, her browser, and strangers."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.serving import replicas, runtime
from dashboard.serving.models import Deployment, Model
from jobs.engines import scoring
from tests.factories.models import add_line, deploy

_inspections: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def _inspect_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Understand each file once in a session: a child process for every test would take minutes."""
    inspect_file = scoring.inspect_file

    def inspect(path: Path, **limits: Any) -> Any:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest not in _inspections:
            _inspections[digest] = inspect_file(path, **limits)
        return _inspections[digest]

    monkeypatch.setattr(scoring, "inspect_file", inspect, raising=False)


@pytest.fixture
def analyst(make_user: Callable[..., User]) -> User:
    return make_user("learner", "analyst")


@pytest.fixture
def other(make_user: Callable[..., User]) -> User:
    return make_user("learner", "analyst")


@pytest.fixture
def browser_of(sign_in: Callable[[User], FlaskClient]) -> Callable[[User], FlaskClient]:
    return sign_in


@pytest.fixture
def line(analyst: User, tmp_path: Path) -> Model:
    """A model of the analyst: y = 2 a + b."""
    return add_line(analyst, tmp_path)


@pytest.fixture
def deployed(line: Model, analyst: User) -> tuple[Deployment, str]:
    """A deployment of it, and its token."""
    return deploy(line, analyst)


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> list[list[dict[str, Any]]]:
    """Replicas that compute y = 2 a + b in this process, after the engine's own checks; what they were asked.

    The real ones are processes of their own: tests/journeys has them.
    """
    asked: list[list[dict[str, Any]]] = []

    def call(deployment: Deployment, records: list[dict[str, Any]]) -> runtime.Prediction:
        asked.append(records)
        runtime.check(records, deployment.version.details)
        outputs = [{"y": 2 * record["a"] + record["b"]} for record in records]
        return runtime.Prediction(outputs, {"validate": 0.1, "predict": 0.2})

    monkeypatch.setattr(replicas, "call", call)
    return asked
