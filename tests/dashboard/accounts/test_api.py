import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner

from dashboard.accounts import services
from dashboard.accounts.models import User
from tests.dashboard.accounts.conftest import Post
from tests.factories.people import PASSWORD

MakeUser = Callable[..., User]
SignIn = Callable[[User], FlaskClient]


def ask_for_token(client: FlaskClient, **body: Any) -> Any:
    return client.post("/api/v1/tokens", json=body)


class TestTokens:
    @pytest.mark.parametrize("identity", ["ana", "ANA@example.org", "138 1234 5678"])
    @pytest.mark.parametrize("header", ["Authentication-Token", "Authorization"])
    def test_opens_the_api_to_a_program(
        self, client: FlaskClient, make_user: MakeUser, identity: str, header: str
    ) -> None:
        make_user(user_name="ana", email="ana@example.org", phone="+8613812345678")

        answer = ask_for_token(client, identity=identity, password=PASSWORD)

        assert answer.status_code == 201
        assert "Set-Cookie" not in answer.headers
        prefix = "Bearer " if header == "Authorization" else ""
        me = client.get("/api/v1/me", headers={header: prefix + answer.get_json()["token"]})
        assert me.status_code == 200
        assert me.get_json()["user_name"] == "ana"

    def test_says_the_same_of_unknown_wrong_and_disabled(
        self, client: FlaskClient, make_user: MakeUser
    ) -> None:
        make_user(user_name="ana")
        make_user(user_name="ben", active=False)

        answers = [
            ask_for_token(client, identity=identity, password=password)
            for identity, password in (("nobody", PASSWORD), ("ana", "wrong"), ("ben", PASSWORD))
        ]

        assert {answer.status_code for answer in answers} == {401}
        assert {answer.mimetype for answer in answers} == {"application/problem+json"}
        assert {(answer.get_json()["code"], answer.get_json()["detail"]) for answer in answers} == {
            ("sign_in_failed", answers[0].get_json()["detail"])
        }

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"identity": "ana"},
            {"identity": 1, "password": []},
            {"identity": "", "password": ""},
            [],
        ],
    )
    def test_names_what_is_wrong_with_the_body(self, client: FlaskClient, body: Any) -> None:
        answer = client.post("/api/v1/tokens", json=body)

        assert answer.status_code == 422
        assert answer.get_json()["errors"]

    def test_are_not_taken_from_an_address_or_a_body(
        self, client: FlaskClient, make_user: MakeUser
    ) -> None:
        token = str(make_user().get_auth_token())

        assert client.get(f"/api/v1/me?auth_token={token}").status_code == 401
        assert client.delete("/api/v1/tokens", json={"auth_token": token}).status_code == 401

    @pytest.mark.parametrize("token", ["", "x", "WyJ4Il0.x.y", "é"])
    def test_are_refused_when_made_up(self, client: FlaskClient, token: str) -> None:
        for headers in ({"Authentication-Token": token}, {"Authorization": f"Bearer {token}"}):
            assert client.get("/api/v1/me", headers=headers).status_code == 401

    def test_end_after_the_configured_days(
        self,
        app: Flask,
        client: FlaskClient,
        make_user: MakeUser,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        make_user(user_name="ana")
        token = ask_for_token(client, identity="ana", password=PASSWORD).get_json()["token"]
        issued, lifetime = int(time.time()), app.config["ATRIUM"].accounts.token_days * 86_400

        def status_at(moment: int) -> int:
            monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _signer: moment)
            return client.get("/api/v1/me", headers={"Authentication-Token": token}).status_code

        assert status_at(issued + lifetime - 60) == 200
        assert status_at(issued + lifetime + 60) == 401

    def test_open_no_pages(self, client: FlaskClient, make_user: MakeUser) -> None:
        headers = {"Authentication-Token": make_user().get_auth_token()}

        assert client.get("/me", headers=headers).status_code == 302

    def test_die_when_the_account_is_disabled(
        self, client: FlaskClient, make_user: MakeUser
    ) -> None:
        make_user("admin")
        user = make_user()
        headers = {"Authentication-Token": user.get_auth_token()}
        assert client.get("/api/v1/me", headers=headers).status_code == 200

        services.set_active(user.id, actor_id=user.id, active=False)

        assert client.get("/api/v1/me", headers=headers).status_code == 401

    def test_end_all_by_one_of_them(
        self, client: FlaskClient, make_user: MakeUser, sign_in: SignIn
    ) -> None:
        user = make_user()
        browser = sign_in(user)
        headers = {"Authentication-Token": user.get_auth_token()}

        assert client.delete("/api/v1/tokens", headers=headers).status_code == 204

        assert client.get("/api/v1/me", headers=headers).status_code == 401
        assert browser.get("/api/v1/me").status_code == 200

    def test_need_a_csrf_token_from_a_browser(self, as_learner: FlaskClient) -> None:
        assert as_learner.delete("/api/v1/tokens").status_code == 400

    def test_put_no_secret_in_the_log(
        self, client: FlaskClient, make_user: MakeUser, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        make_user(user_name="ana")

        answer = ask_for_token(client, identity="ana", password=PASSWORD)
        ask_for_token(client, identity="ana", password="canary-4711")

        for secret in (PASSWORD, "canary-4711", answer.get_json()["token"]):
            assert secret not in caplog.text


class TestMe:
    def test_is_closed_to_strangers(self, client: FlaskClient) -> None:
        answer = client.get("/api/v1/me")

        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"

    def test_holds_nothing_secret(self, as_learner: FlaskClient) -> None:
        answer = as_learner.get("/api/v1/me")

        assert answer.headers["Cache-Control"] == "no-store"
        assert set(answer.get_json()) == {
            "id", "user_name", "phone", "email", "nickname", "display_name", "roles",
        }  # fmt: skip
        assert answer.get_json()["roles"] == ["learner"]


class TestChange:
    def test_of_password_on_the_page_ends_tokens(
        self, make_user: MakeUser, sign_in: SignIn, client: FlaskClient, post: Post
    ) -> None:
        user = make_user()
        headers = {"Authentication-Token": user.get_auth_token()}

        post(sign_in(user), "/me/password", current_password=PASSWORD, password="quite another one")

        assert client.get("/api/v1/me", headers=headers).status_code == 401
