"""Security headers stand on every answer, whatever it is."""

import pytest
from flask.testing import FlaskClient

PATHS = [
    "/",
    "/courses",
    "/login",
    "/nowhere",
    "/healthz",
    "/api/v1/openapi.json",
    "/api/v1/nowhere",
    "/admin/",
]


@pytest.mark.parametrize("path", PATHS)
class TestHeaders:
    def test_policy_has_no_unsafe_source(self, client: FlaskClient, path: str) -> None:
        policy = client.get(path).headers["Content-Security-Policy"]

        assert "unsafe-" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy

    def test_nothing_is_sniffed_framed_or_kept(self, client: FlaskClient, path: str) -> None:
        headers = client.get(path).headers

        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"]

    def test_nonce_is_new_each_time(self, client: FlaskClient, path: str) -> None:
        first, second = (client.get(path).headers["Content-Security-Policy"] for _ in range(2))

        assert first != second


class TestPrivacy:
    @pytest.mark.parametrize("path", ["/", "/login", "/register", "/logout", "/me", "/api/v1/me"])
    def test_pages_that_know_who_asks_are_never_stored(
        self, client: FlaskClient, as_learner: FlaskClient, path: str
    ) -> None:
        for answer in (client.get(path), as_learner.get(path)):
            assert answer.headers["Cache-Control"] == "no-store"


class TestCookies:
    def test_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
        self, client: FlaskClient
    ) -> None:
        cookies = client.get("/login").headers.getlist("Set-Cookie")

        assert cookies
        for cookie in cookies:
            assert "SameSite=Lax" in cookie
            assert "HttpOnly" in cookie


class TestHttpsOnly:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return {
            **environ,
            "ATRIUM_SERVER__HTTPS_ONLY": "true",
            "ATRIUM_SERVER__TRUSTED_PROXIES": "1",
        }

    def test_cookies_are_secure_and_https_is_remembered(self, client: FlaskClient) -> None:
        answer = client.get("/login", headers={"X-Forwarded-Proto": "https"})

        assert all("Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie"))
        assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


class TestProxies:
    def test_forged_forwarding_headers_are_not_believed(self, client: FlaskClient) -> None:
        answer = client.get("/", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil"})

        assert "Strict-Transport-Security" not in answer.headers
