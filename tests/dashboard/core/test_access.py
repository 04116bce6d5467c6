"""The guard in front of every view: deny by default, roles, CSRF."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.core.access import PUBLIC, SIGNED_IN, Access, roles


@pytest.fixture
def add_route(app: Flask) -> Callable[[str, Access | None], None]:
    """Adds a page at /probe (and /api/v1/probe) with the access given, or none."""

    def add(path: str, access: Access | None) -> None:
        endpoint = path.strip("/").replace("/", "_")
        app.add_url_rule(path, endpoint, lambda: "inside", methods=["GET", "POST"])
        rules = dict(app.extensions["atrium_access"])
        if access is not None:
            rules[endpoint] = access
        app.extensions["atrium_access"] = rules

    return add


class TestNul:
    """PostgreSQL takes no text that holds it."""

    @pytest.mark.usefixtures("each_database")
    def test_is_refused_in_every_part_of_a_request(
        self, app: Flask, as_learner: FlaskClient, as_admin: FlaskClient
    ) -> None:
        form = {"title": "a\0b", "language": "en", "status": "draft"}
        token = {"Authentication-Token": "stands in for a CSRF token"}
        answers = [
            as_learner.get("/jobs?kind=a%00b"),
            as_learner.get("/admin/users/export/a%00b/"),
            as_admin.get("/courses?level=&tag=x&tag=a%00b"),
            as_admin.post("/admin/courses/new/", data=form, headers=token),
        ]

        assert [answer.status_code for answer in answers] == [400, 400, 400, 400]


class TestGuard:
    def test_refuses_a_route_that_nobody_listed_even_to_an_admin(
        self, add_route: Callable[..., None], as_admin: FlaskClient
    ) -> None:
        add_route("/probe", None)

        assert as_admin.get("/probe").status_code == 403

    def test_sends_a_visitor_to_the_sign_in_page_and_remembers_the_way(
        self, add_route: Callable[..., None], client: FlaskClient
    ) -> None:
        add_route("/probe", SIGNED_IN)

        answer = client.get("/probe?page=2")

        assert answer.status_code == 302
        assert answer.location == "/login?next=/probe?page%3D2"

    def test_tells_a_program_that_it_is_not_signed_in(
        self, add_route: Callable[..., None], client: FlaskClient
    ) -> None:
        add_route("/api/v1/probe", SIGNED_IN)

        answer = client.get("/api/v1/probe")

        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"

    def test_refuses_the_wrong_role(
        self, add_route: Callable[..., None], as_learner: FlaskClient, as_analyst: FlaskClient
    ) -> None:
        add_route("/probe", roles("analyst"))

        assert as_learner.get("/probe").status_code == 403
        assert as_analyst.get("/probe").text == "inside"

    def test_takes_a_withdrawn_role_away_at_the_next_request(
        self,
        app: Flask,
        add_route: Callable[..., None],
        make_user: Callable[..., User],
        sign_in: Callable[[User], FlaskClient],
    ) -> None:
        add_route("/probe", roles("analyst"))
        user = make_user("analyst")
        client = sign_in(user)
        assert client.get("/probe").status_code == 200

        from dashboard.core.database import transaction

        with transaction():
            user.roles.clear()

        assert client.get("/probe").status_code == 403

    def test_takes_a_disabled_account_for_a_visitor(
        self,
        add_route: Callable[..., None],
        make_user: Callable[..., User],
        sign_in: Callable[[User], FlaskClient],
    ) -> None:
        add_route("/probe", SIGNED_IN)

        assert sign_in(make_user(active=False)).get("/probe").status_code == 302

    @pytest.mark.parametrize("access", [PUBLIC, SIGNED_IN], ids=["public", "signed in"])
    def test_refuses_a_change_without_a_csrf_token(
        self, add_route: Callable[..., None], as_learner: FlaskClient, access: Access
    ) -> None:
        add_route("/probe", access)

        answer = as_learner.post("/probe")

        assert answer.status_code == 400
        assert "form is too old" in answer.text
