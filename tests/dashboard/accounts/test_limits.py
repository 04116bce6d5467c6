from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.core.limits import limiter
from tests.dashboard.accounts.conftest import Post
from tests.factories.people import PASSWORD

MakeUser = Callable[..., User]
SignIn = Callable[[User], FlaskClient]
N = 3


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {
        **environ,
        "ATRIUM_ACCOUNTS__SIGN_IN_PER_MINUTE": str(N),
        "ATRIUM_ACCOUNTS__REGISTER_PER_HOUR": str(N),
    }


@pytest.fixture
def from_address(app: Flask) -> Callable[[int], FlaskClient]:
    """A browser at an address of its own."""

    def browser(number: int) -> FlaskClient:
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        return client

    return browser


FromAddress = Callable[[int], FlaskClient]


class TestSignIn:
    def test_stops_one_address_that_tries_many_accounts(
        self, from_address: FromAddress, enter: Post, make_user: MakeUser
    ) -> None:
        make_user(user_name="ana")
        client = from_address(1)
        for number in range(N):
            assert enter(client, f"nobody{number}", "wrong").status_code == 200

        answer = enter(client, "ana")

        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) <= 60
        assert enter(from_address(2), "ana").status_code == 302

    def test_stops_many_addresses_that_try_one_account_by_all_its_names(
        self, from_address: FromAddress, enter: Post, make_user: MakeUser
    ) -> None:
        make_user(user_name="ana", email="ana@example.org", phone="+8613812345678")
        for number, identity in enumerate(["Ana", "ANA@example.org", "138 1234 5678"]):
            enter(from_address(number), identity, "wrong")

        assert enter(from_address(9), "ana").status_code == 429

    def test_stops_the_api_by_the_same_count(
        self, from_address: FromAddress, enter: Post, make_user: MakeUser
    ) -> None:
        make_user(user_name="ana")
        for number in range(N):
            enter(from_address(number), "ana", "wrong")

        body = {"identity": "ana", "password": PASSWORD}
        answer = from_address(9).post("/api/v1/tokens", json=body)

        assert answer.status_code == 429
        assert answer.mimetype == "application/problem+json"

    def test_counts_a_guess_for_an_account_that_is_not_there_alike(
        self, from_address: FromAddress, enter: Post
    ) -> None:
        for number in range(N):
            assert enter(from_address(number), "nobody", "wrong").status_code == 200

        assert enter(from_address(9), "nobody", "wrong").status_code == 429

    def test_does_not_count_success(
        self, from_address: FromAddress, enter: Post, make_user: MakeUser
    ) -> None:
        for number in range(N + 2):
            make_user(user_name=f"learner{number}")

        answers = [
            enter(from_address(1), f"learner{number}").status_code for number in range(N + 2)
        ]

        assert set(answers) == {302}

    def test_lets_the_owner_in_when_the_minute_is_over(
        self, from_address: FromAddress, enter: Post, make_user: MakeUser
    ) -> None:
        make_user(user_name="ana")
        for number in range(N):
            enter(from_address(number), "ana", "wrong")
        assert enter(from_address(9), "ana").status_code == 429

        limiter.reset()  # as the end of the window does

        assert enter(from_address(9), "ana").status_code == 302

    def test_leaves_those_who_are_signed_in_alone(
        self, from_address: FromAddress, enter: Post, make_user: MakeUser, sign_in: SignIn
    ) -> None:
        user = make_user(user_name="ana")
        owner = sign_in(user)
        for number in range(N):
            enter(from_address(number), "ana", "wrong")

        assert owner.get("/me").status_code == 200

    def test_is_not_fooled_by_a_forged_address(
        self, from_address: FromAddress, enter: Post
    ) -> None:
        client = from_address(1)
        for number in range(N):
            client.environ_base["HTTP_X_FORWARDED_FOR"] = f"198.51.100.{number}"
            enter(client, f"nobody{number}", "wrong")

        assert enter(client, "nobody", "wrong").status_code == 429


class TestCurrentPassword:
    @pytest.mark.parametrize("address", ["/me/password", "/me/tokens", "/me"])
    def test_cannot_be_guessed_from_a_stolen_session(
        self, make_user: MakeUser, sign_in: SignIn, post: Post, address: str
    ) -> None:
        client = sign_in(make_user())
        fields = {
            "current_password": "wrong",
            "password": "quite another one",
            "email": "n@example.org",
        }
        for _ in range(N):
            assert post(client, address, **fields).status_code == 200

        assert post(client, address, **fields).status_code == 429


class TestRegister:
    def test_stops_one_address(self, from_address: FromAddress, post: Post) -> None:
        for number in range(N):
            client = from_address(1)
            post(client, "/register", user_name=f"ana{number}", password=PASSWORD)

        answer = post(from_address(1), "/register", user_name="ana9", password=PASSWORD)

        assert answer.status_code == 429
        other = post(from_address(2), "/register", user_name="ana9", password=PASSWORD)
        assert other.status_code == 302
