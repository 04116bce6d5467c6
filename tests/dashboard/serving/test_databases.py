"""The model service on each database: exact counts, reservations and limits when many come at once, nothing left over."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from dashboard.accounts.models import User
from dashboard.core.database import db, session
from dashboard.core.errors import DomainError
from dashboard.serving import models, monitoring, queries, services
from dashboard.serving.journal import Answer, Journal
from dashboard.serving.models import Deployment, Model
from dashboard.serving.services import incoming
from dashboard.serving.services.counting import journal_folder
from tests.factories.models import deploy, viewer_of

pytestmark = pytest.mark.usefixtures("each_database", "app")
Deployed = tuple[Deployment, str]
TABLES = [
    *(models.Model, models.ModelVersion, models.ModelRight, models.IncomingFile),
    *(models.Deployment, models.PredictionTask, models.PredictionHour),
    *(models.PredictionFault, models.DriftCount),
]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A machine with two CPUs to reserve."""
    return {
        "ATRIUM_SITE__DATA_DIR": str(tmp_path / "data"),
        "ATRIUM_SERVING__CPUS": "2",
        "ATRIUM_SERVING__MAX_OPEN_TASKS": "3",
    }


def at_once(app: Flask, n: int, do: Callable[[int], Any]) -> Counter[str]:
    """Do it n times at once, each with a session of its own; how often what came of it."""

    def one(number: int) -> str:
        with app.app_context():
            try:
                do(number)
                return "done"
            except DomainError as error:
                return error.code
            finally:
                db.session.remove()

    session.rollback()
    with ThreadPoolExecutor(n) as pool:
        return Counter(pool.map(one, range(n)))


def test_counts_are_exact_when_many_count_at_once(app: Flask, deployed: Deployed) -> None:
    number, folder = deployed[0].id, journal_folder()
    for _journal in range(12):
        own = Journal(folder)
        for place in range(50):
            own.write(Answer(number, "sync", 2, "invalid_input" if place == 0 else ""))
        own.rotate()

    # Whoever finds the database busy leaves the journal to the next one.
    at_once(app, 6, lambda _n: services.count_all())
    services.count_all()

    span = monitoring.total(queries.list_hours(number, hours=1))
    assert (span.n_requests, span.n_records, span.n_errors) == (600, 1200, 12)
    assert list(folder.glob("*.jsonl")) == []


def test_the_last_cpu_is_given_once(
    app: Flask, line: Model, analyst: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = viewer_of(analyst)
    number = line.id
    reserved = queries.reserved

    def look_and_think(**besides: Any) -> tuple[float, int]:
        found = reserved(**besides)
        time.sleep(0.1)
        return found

    # Long enough for all to have looked before the first is done, were they let.
    monkeypatch.setattr(queries, "reserved", look_and_think)

    came = at_once(
        app,
        4,
        lambda n: services.deploy_model(number, name=f"d{n}", viewer=viewer, cpus=1.5),
    )

    assert came == {"done": 1, "over_reserved": 3}
    assert reserved() == (1.5, 512)


def test_open_tasks_are_bounded(app: Flask, deployed: Deployed) -> None:
    number = deployed[0].id

    def submit(_n: int) -> None:
        deployment = session.get_one(Deployment, number)
        services.submit(deployment, [{"a": 1, "b": 1}], owner_id=None)

    came = at_once(app, 6, submit)

    assert came == {"done": 3, "too_many_tasks": 3}


def test_one_key_makes_one_task(app: Flask, deployed: Deployed) -> None:
    number = deployed[0].id

    def submit(_n: int) -> str:
        deployment = session.get_one(Deployment, number)
        record = {"a": 1, "b": 1}
        return services.submit(deployment, [record], owner_id=None, idempotency_key="k").public_id

    assert at_once(app, 4, submit) == {"done": 4}
    assert session.scalar(select(func.count()).select_from(models.PredictionTask)) == 1


def test_nothing_is_left_of_a_deleted_model(
    line: Model, analyst: User, other: User, answering: list[Any]
) -> None:
    viewer = viewer_of(analyst)
    services.share_model(line.id, identity=other.user_name, right="use", viewer=viewer)
    reference = BytesIO(b"a,b\n1,1\n2,2\n")
    services.set_reference(line.id, 1, reference, original_name="r.csv", viewer=viewer)
    deployment, _token = deploy(line, analyst)
    services.predict(deployment, [{"a": 1, "b": 1}])
    with pytest.raises(services.InvalidInput):
        services.predict(deployment, [{"a": "x", "b": 1}])
    services.submit(deployment, [{"a": 1, "b": 1}], owner_id=analyst.id)
    sender = incoming.Sender(deployment_id=deployment.id)
    incoming.begin_upload(sender, original_name="x", size_bytes=1)
    services.count_all()
    services.pause_deployment(deployment.id, viewer=viewer)
    services.start_deployment(deployment.id, viewer=viewer)
    services.change_deployment(deployment.id, viewer=viewer, replicas=2)

    services.delete_model(line.id, viewer=viewer, force=True)

    for table in TABLES:
        assert session.scalar(select(func.count()).select_from(table)) == 0, table.__tablename__
