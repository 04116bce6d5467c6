import logging
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from dashboard.accounts import queries, security, services
from dashboard.accounts.models import User, UserSession
from dashboard.audit.models import AuditEntry
from dashboard.core.database import db, utcnow
from tests.dashboard.accounts.conftest import Post
from tests.factories.people import PASSWORD

NEW_PASSWORD = "another long passphrase"
COOKIE = "atrium_session"
MakeUser = Callable[..., User]
SignIn = Callable[[User], FlaskClient]


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/api/v1/me").status_code == 200


def copy_of(client: FlaskClient, app: Flask) -> FlaskClient:
    """Another browser that stole the first one's session cookie."""
    thief = app.test_client()
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    thief.set_cookie(COOKIE, cookie.value)
    return thief


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

    @pytest.mark.parametrize(
        ("page", "back"),
        [
            ("/", ""),
            ("/courses?q=data", "?next=/courses?q%3Ddata"),
            ("/login?next=/me", "?next=/me"),
        ],
    )
    def test_is_offered_with_the_way_back(self, client: FlaskClient, page: str, back: str) -> None:
        assert f'href="/register{back}"' in client.get(page).text

    def test_goes_back_to_the_page_first_asked_for(self, client: FlaskClient, post: Post) -> None:
        answer = post(client, "/register?next=/courses/3", user_name="ana", password=PASSWORD)

        assert answer.location == "/courses/3"

    def test_then_signs_out_and_in_again(
        self, client: FlaskClient, post: Post, enter: Post
    ) -> None:
        post(client, "/register", phone="13812345678", password=PASSWORD)

        post(client, "/logout")
        assert not is_signed_in(client)
        answer = enter(client, "+86 138-1234-5678")

        assert answer.status_code == 302
        assert is_signed_in(client)

    def test_says_at_the_field_that_somebody_has_it_and_keeps_the_input(
        self, client: FlaskClient, post: Post, make_user: MakeUser
    ) -> None:
        make_user(phone="+8613812345678")

        answer = post(client, "/register", phone="138 1234 5678", nickname="Ana", password=PASSWORD)

        assert answer.status_code == 200
        assert re.search(r'id="phone-error">\s*<div>This phone number is in use', answer.text)
        assert 'value="Ana"' in answer.text
        assert queries.count_users() == 1

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"password": PASSWORD}, "at least one"),
            ({"user_name": "13800000000", "password": PASSWORD}, "cannot look like a phone number"),
            ({"user_name": "a@b.org", "password": PASSWORD}, "cannot look like an email"),
            ({"user_name": "ana", "password": "short"}, "at least 8 characters"),
            ({"user_name": "ana", "password": "password1"}, "most common"),
            ({"user_name": "ana"}, "Choose a password"),
            ({"user_name": "ana", "password": "x" * 2000}, "too long"),
        ],
        ids=["nothing", "phone shape", "email shape", "short", "common", "none", "endless"],
    )
    def test_says_what_is_wrong(
        self, client: FlaskClient, post: Post, fields: dict[str, str], message: str
    ) -> None:
        answer = post(client, "/register", **fields)

        assert answer.status_code == 200
        assert message in answer.text
        assert queries.count_users() == 0

    def test_takes_no_roles_from_the_form(self, client: FlaskClient, post: Post) -> None:
        post(
            client,
            "/register",
            user_name="ana",
            password=PASSWORD,
            roles="admin",
            active="0",
            id="7",
        )

        user = queries.find_by_identity("ana")
        assert user is not None
        assert (user.role_names, user.active) == (["learner"], True)

    def test_sends_who_is_signed_in_away(self, as_learner: FlaskClient) -> None:
        assert as_learner.get("/register?next=/courses").location == "/courses"

    def test_needs_the_token_of_its_page(self, client: FlaskClient) -> None:
        answer = client.post("/register", data={"user_name": "ana", "password": PASSWORD})

        assert answer.status_code == 400
        assert queries.count_users() == 0


class TestClosedRegistration:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return {**environ, "ATRIUM_ACCOUNTS__REGISTRATION_OPEN": "false"}

    def test_has_no_page_and_no_link(self, client: FlaskClient) -> None:
        assert client.get("/register").status_code == 404
        assert "/register" not in client.get("/login").text


class TestLogin:
    @pytest.mark.parametrize("identity", ["ANA@example.org", "138 1234 5678", "Ａna"])
    def test_takes_every_identity_in_one_box(
        self, client: FlaskClient, enter: Post, make_user: MakeUser, identity: str
    ) -> None:
        make_user(email="ana@example.org", phone="+8613812345678", user_name="ana")

        assert enter(client, identity).status_code == 302
        assert is_signed_in(client)

    def test_says_the_same_of_unknown_wrong_and_disabled(
        self, client: FlaskClient, enter: Post, make_user: MakeUser
    ) -> None:
        make_user(user_name="ana")
        make_user(user_name="ben", active=False)

        pages = {
            re.sub(r'(value|content|nonce)="[^"]*"', "", enter(client, identity, password).text)
            for identity, password in (("nobody", PASSWORD), ("ana", "wrong"), ("ben", PASSWORD))
        }

        assert len(pages) == 1
        assert "did not match" in pages.pop()
        assert not is_signed_in(client)

    def test_says_it_in_chinese(self, client: FlaskClient, enter: Post) -> None:
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"

        answer = enter(client, "nobody", "wrong")

        shown = re.search(r'role="alert".*?</div>', answer.text, re.DOTALL)
        assert shown is not None
        assert re.search("[\u4e00-\u9fff]", shown.group())
        assert not re.search("[a-z]{4,} [a-z]{3,}", re.sub("<[^>]+>", "", shown.group()))

    @pytest.mark.parametrize("target", ["/courses/3?page=2", "/me"])
    def test_goes_back_to_the_page_first_asked_for(
        self, client: FlaskClient, enter: Post, make_user: MakeUser, target: str
    ) -> None:
        make_user(user_name="ana")

        answer = enter(client, "ana", address="/login", next=target)

        assert answer.location == target

    @pytest.mark.parametrize(
        "target",
        [
            "//evil.org",
            "https:evil.org",
            "https://evil.org",
            "\\\\evil.org",
            "/\\evil.org",
            "/\t/evil.org",
        ],
    )
    @pytest.mark.parametrize("way", ["address", "form"])
    def test_never_leads_to_another_host(
        self, client: FlaskClient, enter: Post, make_user: MakeUser, target: str, way: str
    ) -> None:
        make_user(user_name="ana")
        where = {"address": f"/login?next={target}"} if way == "address" else {"next": target}

        answer = enter(client, "ana", **where)

        assert answer.location == "/"

    def test_comes_from_the_page_that_needs_it(
        self, client: FlaskClient, enter: Post, make_user: MakeUser
    ) -> None:
        make_user(user_name="ana")
        sent_to = client.get("/me/tokens").location

        answer = enter(client, "ana", address=sent_to)

        assert answer.location == "/me/tokens"

    def test_sends_who_is_signed_in_away(self, as_learner: FlaskClient) -> None:
        assert as_learner.get("/login").location == "/"
        assert as_learner.get("/login?next=/courses").location == "/courses"

    def test_needs_the_token_of_its_page(self, client: FlaskClient, make_user: MakeUser) -> None:
        make_user(user_name="ana")

        answer = client.post("/login", data={"identity": "ana", "password": PASSWORD})
        as_text = client.post(
            "/login", data='{"identity": "ana", "password": "x"}', content_type="text/plain"
        )

        assert (answer.status_code, as_text.status_code) == (400, 400)
        assert not is_signed_in(client)

    def test_puts_no_password_anywhere(
        self,
        client: FlaskClient,
        enter: Post,
        make_user: MakeUser,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        make_user(user_name="ana")

        pages = enter(client, "ana", "canary-4711").text + enter(client, "ana").text

        assert "canary-4711" not in caplog.text + pages
        assert PASSWORD not in caplog.text


class TestSession:
    def test_is_a_new_one_after_sign_in(
        self, client: FlaskClient, enter: Post, make_user: MakeUser
    ) -> None:
        make_user(user_name="ana")
        with client.session_transaction() as session:
            session["planted"] = "by somebody else"
            session["language"] = "zh"
        client.get("/login")
        with client.session_transaction() as session:
            token = session["csrf_token"]

        enter(client, "ana")

        with client.session_transaction() as session:
            assert "planted" not in session
            assert session.get("csrf_token") != token
            assert session["language"] == "zh"

    def test_dies_on_sign_out_wherever_its_cookie_is(
        self, app: Flask, as_learner: FlaskClient, post: Post
    ) -> None:
        thief = copy_of(as_learner, app)
        assert is_signed_in(thief)

        post(as_learner, "/logout")

        assert not is_signed_in(as_learner)
        assert not is_signed_in(thief)

    def test_dies_when_the_account_is_disabled_and_stays_dead(
        self, make_user: MakeUser, sign_in: SignIn
    ) -> None:
        make_user("admin")
        user = make_user()
        client = sign_in(user)

        services.set_active(user.id, actor_id=user.id, active=False)
        assert client.get("/me").location.startswith("/login")
        services.set_active(user.id, actor_id=user.id, active=True)

        assert not is_signed_in(client)

    def test_dies_with_the_account(self, make_user: MakeUser, sign_in: SignIn) -> None:
        user = make_user()
        client = sign_in(user)

        services.delete_user(user.id, actor_id=make_user("admin").id)

        assert not is_signed_in(client)

    def test_ends_without_use(self, app: Flask, as_learner: FlaskClient) -> None:
        hours = app.config["ATRIUM"].accounts.session_hours
        with as_learner.session_transaction() as session:
            session[security.SEEN_AT] -= hours * 3600 + 1

        assert not is_signed_in(as_learner)

    def test_goes_on_while_it_is_used(self, app: Flask, as_learner: FlaskClient) -> None:
        hours = app.config["ATRIUM"].accounts.session_hours
        for _ in range(2):
            with as_learner.session_transaction() as session:
                session[security.SEEN_AT] -= hours * 3600 - 10

            assert is_signed_in(as_learner)

    def test_ends_after_thirty_days_however_busy(self, as_learner: FlaskClient) -> None:
        long_ago = utcnow() - timedelta(days=30, minutes=1)
        db.session.execute(update(UserSession).values(created_at=long_ago))
        db.session.commit()

        assert not is_signed_in(as_learner)

    def test_is_worth_nothing_without_its_row(
        self, client: FlaskClient, make_user: MakeUser
    ) -> None:
        user = make_user()
        with client.session_transaction() as session:
            session.update({**security.session_values(user, "x"), "sid": "made up"})

        assert not is_signed_in(client)

    def test_outlives_the_browser_only_when_asked_to(
        self, app: Flask, enter: Post, make_user: MakeUser
    ) -> None:
        make_user(user_name="ana")

        plain = enter(app.test_client(), "ana").headers.getlist("Set-Cookie")
        remembered = enter(app.test_client(), "ana", remember="y").headers.getlist("Set-Cookie")

        assert not any("Expires" in cookie or "Max-Age" in cookie for cookie in plain)
        assert any("Expires" in cookie for cookie in remembered)

    def test_takes_a_change_of_roles_at_the_next_request(
        self, make_user: MakeUser, sign_in: SignIn
    ) -> None:
        make_user("admin")
        user = make_user("learner", "admin")
        client = sign_in(user)
        assert client.get("/admin/").status_code == 200

        services.set_roles(user.id, actor_id=user.id, roles=["learner"])

        assert client.get("/admin/").status_code == 403


class TestCookies:
    @pytest.fixture(params=["false", "true"], ids=["http", "https"])
    def https_only(self, request: pytest.FixtureRequest, environ: dict[str, str]) -> bool:
        environ["ATRIUM_SERVER__HTTPS_ONLY"] = request.param
        return bool(request.param == "true")

    def test_are_one_with_every_flag(self, https_only: bool, app: Flask, post: Post) -> None:
        client = app.test_client()
        client.environ_base["wsgi.url_scheme"] = "https" if https_only else "http"

        answers = [
            client.get("/login"),
            post(client, "/register", user_name="ana", password=PASSWORD),
            client.get("/me"),
        ]

        cookies = [line for answer in answers for line in answer.headers.getlist("Set-Cookie")]
        assert cookies
        for line in cookies:
            assert line.startswith(f"{COOKIE}=")
            assert "HttpOnly" in line
            assert "SameSite=Lax" in line
            assert ("Secure" in line) == https_only

    def test_that_are_off_would_not_need_https_either(self, https_only: bool, app: Flask) -> None:
        for name in ("CSRF_COOKIE", "TWO_FACTOR_VALIDITY_COOKIE", "REFRESH_TOKEN_COOKIE"):
            assert app.config[f"SECURITY_{name}"]["secure"] == https_only
        assert app.config["REMEMBER_COOKIE_SECURE"] == https_only


class TestLogout:
    def test_asks_first(self, as_learner: FlaskClient) -> None:
        answer = as_learner.get("/logout")

        assert answer.status_code == 200
        assert is_signed_in(as_learner)

    def test_needs_the_token_of_its_page(self, as_learner: FlaskClient) -> None:
        assert as_learner.post("/logout").status_code == 400
        assert is_signed_in(as_learner)

    def test_leads_home(self, as_learner: FlaskClient, client: FlaskClient, post: Post) -> None:
        assert post(as_learner, "/logout").location == "/"
        assert post(client, "/logout", page="/login").location == "/"
        assert client.get("/logout").location == "/"


class TestProfile:
    def test_shows_what_she_is_called_and_may_do(
        self, make_user: MakeUser, sign_in: SignIn
    ) -> None:
        client = sign_in(make_user("analyst", nickname="Ana", phone="+8613812345678"))

        page = client.get("/me").text

        for text in ("Ana", "+8613812345678", "user1@example.org", "analyst"):
            assert text in page
        assert "argon2" not in page

    def test_changes_all_of_it(self, make_user: MakeUser, sign_in: SignIn, post: Post) -> None:
        user = make_user()

        answer = post(
            sign_in(user),
            "/me",
            email="new@example.org",
            phone="13812345678",
            user_name="newname",
            nickname="<b>Ana</b>",
            current_password=PASSWORD,
        )

        assert answer.location == "/me"
        db.session.expire_all()
        assert (user.email, user.phone) == ("new@example.org", "+8613812345678")
        assert (user.user_name, user.nickname) == ("newname", "<b>Ana</b>")

    def test_shows_markup_as_text(self, make_user: MakeUser, sign_in: SignIn) -> None:
        page = sign_in(make_user(nickname="<img src=x onerror=alert(1)>{{7*7}}")).get("/me").text

        assert "<img src=x" not in page
        assert "{{7*7}}" in page

    def test_asks_for_the_password_at_its_field(
        self, make_user: MakeUser, sign_in: SignIn, post: Post
    ) -> None:
        user = make_user()

        answer = post(sign_in(user), "/me", email="new@example.org", user_name="user1")

        assert answer.status_code == 200
        assert 'id="current_password-error"' in answer.text
        db.session.expire_all()
        assert user.email == "user1@example.org"

    def test_says_at_the_field_that_somebody_has_it(
        self, make_user: MakeUser, sign_in: SignIn, post: Post
    ) -> None:
        make_user(user_name="taken")

        answer = post(sign_in(make_user()), "/me", email="user2@example.org", user_name="Taken")

        assert re.search(r'id="user_name-error">\s*<div>This username is in use', answer.text)

    def test_is_for_those_who_are_signed_in(self, client: FlaskClient) -> None:
        for address in ("/me", "/me/password", "/me/sessions", "/me/tokens"):
            assert client.get(address).location == f"/login?next={address}"


class TestPassword:
    def test_ends_every_other_session_and_keeps_this_one(
        self, make_user: MakeUser, sign_in: SignIn, post: Post
    ) -> None:
        user = make_user()
        here, there = sign_in(user), sign_in(user)
        token = user.get_auth_token()

        answer = post(here, "/me/password", current_password=PASSWORD, password=NEW_PASSWORD)

        assert answer.location == "/me"
        assert is_signed_in(here)
        assert not is_signed_in(there)
        headers = {"Authentication-Token": token}
        assert there.get("/api/v1/me", headers=headers).status_code == 401

    def test_refuses_a_wrong_present_one(
        self, make_user: MakeUser, sign_in: SignIn, post: Post
    ) -> None:
        client = sign_in(make_user(user_name="ana"))

        answer = post(client, "/me/password", current_password="wrong", password=NEW_PASSWORD)

        assert "This is not your password" in answer.text
        assert services.authenticate("ana", PASSWORD)


class TestSessions:
    def test_shows_where_she_is_signed_in_and_ends_the_others(
        self, make_user: MakeUser, sign_in: SignIn, post: Post
    ) -> None:
        user = make_user()
        here, there = sign_in(user), sign_in(user)
        assert here.get("/me/sessions").text.count("since ") == 2

        post(here, "/me/sessions")

        assert is_signed_in(here)
        assert not is_signed_in(there)


class TestTokens:
    def test_shows_a_new_one_once(
        self, as_learner: FlaskClient, client: FlaskClient, post: Post
    ) -> None:
        answer = post(as_learner, "/me/tokens", current_password=PASSWORD)

        found = re.search(r"<code[^>]*>([^<]+)</code>", answer.text)
        assert found is not None
        assert answer.headers["Cache-Control"] == "no-store"
        assert found.group(1) not in as_learner.get("/me/tokens").text
        headers = {"Authorization": f"Bearer {found.group(1)}"}
        assert client.get("/api/v1/me", headers=headers).status_code == 200

    def test_costs_the_password(self, as_learner: FlaskClient, post: Post) -> None:
        answer = post(as_learner, "/me/tokens", current_password="wrong")

        assert "This is not your password" in answer.text
        assert "<code" not in answer.text

    def test_end_all_at_once(
        self, make_user: MakeUser, sign_in: SignIn, client: FlaskClient, post: Post
    ) -> None:
        user = make_user()
        mine = sign_in(user)
        headers = {"Authentication-Token": user.get_auth_token()}

        post(mine, "/me/tokens/revoke", page="/me/tokens")

        assert client.get("/api/v1/me", headers=headers).status_code == 401
        assert is_signed_in(mine)


class TestRefusals:
    def test_go_on_record(self, make_user: MakeUser, sign_in: SignIn) -> None:
        user = make_user()

        assert sign_in(user).get("/admin/").status_code == 403

        entry = db.session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.actor_id) == ("access.refused", user.id)
        assert entry.summary == "GET /admin/"
