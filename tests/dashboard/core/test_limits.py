"""A person may change only so much a minute."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from tests.factories.behaviour import make_item


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "ATRIUM_SERVER__CHANGES_PER_MINUTE": "3"}


def statuses(client: FlaskClient, item_id: int) -> list[int]:
    event = {"kind": "view", "item_id": item_id}
    headers = {"Authentication-Token": "none"}  # stands in for a CSRF token
    return [
        client.post("/api/v1/events", json=event, headers=headers).status_code for _ in range(4)
    ]


class TestLimiter:
    def test_stops_one_person_and_nobody_else(
        self, make_user: Callable[..., User], sign_in: Callable[[User], FlaskClient]
    ) -> None:
        item = make_item("Course")
        eager, other = sign_in(make_user()), sign_in(make_user())

        assert statuses(eager, item.id) == [202, 202, 202, 429]
        assert statuses(other, item.id)[:3] == [202, 202, 202]

    def test_says_so_as_problem_json(self, as_learner: FlaskClient) -> None:
        item = make_item("Course")
        statuses(as_learner, item.id)

        answer = as_learner.post(
            "/api/v1/events",
            json={"kind": "view", "item_id": item.id},
            headers={"Authentication-Token": "none"},
        )

        assert answer.mimetype == "application/problem+json"
        assert int(answer.headers["Retry-After"]) <= 60

    def test_does_not_count_reading(self, as_learner: FlaskClient) -> None:
        assert {as_learner.get("/api/v1/items").status_code for _ in range(6)} == {200}
