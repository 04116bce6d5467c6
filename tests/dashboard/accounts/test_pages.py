from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts import queries, security, services
from dashboard.accounts.models import User
from dashboard.audit.models import AuditEntry
from dashboard.core.database import db
from tests.dashboard.accounts.conftest import Post
from tests.factories.people import PASSWORD

NEW_PASSWORD = "another long passphrase"
MakeUser = Callable[..., User]
SignIn = Callable[[User], FlaskClient]


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/api/v1/me").status_code == 200


class TestRegister:
    @pytest.mark.parametrize(
        ("fields", "stored"),
        [
            ({"email": "Ana@Example.ORG"}, "ana@example.org"),
            ({"phone": "138 1234 5678"}, "+8613812345678"),
            ({"user_name": "王小明"}, "王小明"),
        ],
        ids=["email", "phone", "user_name"],
    )
    def test_takes_any_one_identity_and_signs_in(
        self, client: FlaskClient, post: Post, fields: dict[str, str], stored: str
    ) -> None:
        answer = post(client, "/register", password=PASSWORD, **fields)

        assert answer.status_code == 302
        user = queries.find_by_identity(stored)
        assert user is not None
        assert user.role_names == ["learner"]
        assert is_signed_in(client)

    def test_goes_back_to_the_page_first_asked_for(self, client: FlaskClient, post: Post) -> None:
        answer = post(client, "/register?next=/courses/3", user_name="ana", password=PASSWORD)

        assert answer.location == "/courses/3"

    def test_then_signs_out_and_in_again(self, client: FlaskClient, post: Post, enter: Post) -> None:
        post(client, "/register", phone="13812345678", password=PASSWORD)

        post(client, "/logout")
        assert not is_signed_in(client)
        answer = enter(client, "+86 138-1234-5678")

        assert answer.status_code == 302
        assert is_signed_in(client)
