import pytest

from dashboard.accounts.models import User, UserSession

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"


class TestDisplayName:
    @pytest.mark.parametrize(
        ("fields", "shown"),
        [
            ({"nickname": "Ana", "user_name": "ana"}, "Ana"),
            ({"nickname": "", "user_name": "ana"}, "ana"),
            ({"nickname": "", "phone": "+8613812345678", "email": "ana@example.org"}, "#7"),
        ],
        ids=["nickname", "username", "neither"],
    )
    def test_never_gives_away_address_or_phone(self, fields: dict[str, str], shown: str) -> None:
        assert User(id=7, **fields).display_name == shown


class TestBrowser:
    @pytest.mark.parametrize(
        ("user_agent", "shown"),
        [
            (f"Mozilla/5.0 (Windows NT 10.0) {CHROME} Safari/537.36", "Chrome 140, Windows"),
            (
                f"Mozilla/5.0 (Windows NT 10.0) {CHROME} Safari/537.36 Edg/141.0.0.0",
                "Edge 141, Windows",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "Firefox 128, Linux",
            ),
            (
                f"Mozilla/5.0 (Linux; Android 14) {CHROME} Mobile Safari/537.36",
                "Chrome 140, Android",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("", ""),
        ],
    )
    def test_is_said_in_words(self, user_agent: str, shown: str) -> None:
        assert UserSession(user_agent=user_agent).browser == shown
