"""Schemathesis against every operation of the OpenAPI document, as a learner and as an administrator.

Ids are drawn from objects that exist, every second time, so that a green run has met real ones.
"""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dashboard.accounts.models import RoleName, User
from dashboard.core.database import db
from dashboard.recommendations import services
from jobs.engines.clonal import figures
from tests.factories import analyses
from tests.factories.behaviour import add_event, make_item

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
EXAMPLES = 8
ORDER = ("head", "get", "post", "put", "patch", "delete")
ROLES = {
    "learner": (RoleName.LEARNER,),
    "admin": (RoleName.LEARNER, RoleName.ANALYST, RoleName.ADMIN),
}


@pytest.fixture
def known_ids(app: Flask, make_user: Callable[..., User]) -> dict[str, int]:
    """Something behind every name of an id in an address."""
    items = [make_item(f"Course {number}") for number in range(3)]
    for number in range(12):
        user = make_user()
        for step in range(3):
            add_event(user.id, items[(number + step) % 3].id, minute=10 * number + step)
    run = services.train(progress=lambda _fraction, _text: None)
    job = services.request_training(actor_id=1)
    return {"item_id": items[0].id, "run_id": run.id, "job_id": job.id, "position_id": items[1].id}


@pytest.fixture
def known_analysis(monkeypatch: pytest.MonkeyPatch) -> Callable[[User], dict[str, int]]:
    """Makes a finished analysis of a user, without pictures: they take most of the time."""
    monkeypatch.setattr(figures, "write_figures", lambda *_arguments, **_options: [])

    def known_analysis(user: User) -> dict[str, int]:
        upload = analyses.make_upload(user)
        analyses.finish_run(analyses.start_run(upload))
        return {"upload_id": upload.id}

    return known_analysis


class TestEveryOperation:
    @pytest.mark.parametrize("role", ROLES)
    def test_keeps_what_the_document_says(
        self,
        app: Flask,
        make_user: Callable[..., User],
        known_ids: dict[str, int],
        known_analysis: Callable[[User], dict[str, int]],
        role: str,
    ) -> None:
        user = make_user(*ROLES[role])
        known_ids |= known_analysis(user)
        schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", _served(app))
        answered: set[str] = set()

        faults: list[Exception] = []
        # What only reads comes first: later operations change and delete what there is.
        operations = [result.ok() for result in schema.get_all_operations()]
        for operation in sorted(operations, key=lambda each: ORDER.index(each.method.lower())):
            try:
                _fuzz(operation, user, known_ids, answered)
            except (ExceptionGroup, AssertionError) as fault:
                faults.append(fault)

        if faults:
            raise ExceptionGroup(f"{len(faults)} operations break their promise", faults)
        assert "GET /api/v1/recommendations" in answered
        assert "GET /api/v1/items/{item_id}/related" in answered
        assert ("GET /api/v1/recommendations/runs/{run_id}" in answered) is (role == "admin")
        of_analyses = ("", "/plots", "/tables/{table_name}", "/progress.json")
        for part in of_analyses:
            path = f"GET /api/v1/analyses/{{upload_id}}{part}"
            assert (path in answered) is (role == "admin"), path


def _served(app: Flask) -> Callable[..., Iterable[bytes]]:
    """The portal with an application context for every request, as in the server."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with app.app_context():
            return list(app(environ, start_response))

    return serve


def _fuzz(operation: Any, user: User, known_ids: dict[str, int], answered: set[str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), known=st.booleans())
    def check(case: Any, known: bool) -> None:
        if known:
            case.path_parameters.update(
                {name: known_ids[name] for name in case.path_parameters if name in known_ids}
            )
        db.session.expire_all()
        # A fresh token each time: one of the operations ends them all.
        headers = {
            "Authentication-Token": str(user.get_auth_token()),
            # Called in this process, nobody unpacks a compressed answer.
            "Accept-Encoding": "identity",
        }
        response = case.call_and_validate(headers=headers, checks=CHECKS)
        if response.status_code < 300:
            answered.add(f"{operation.method.upper()} {operation.path}")

    check()
