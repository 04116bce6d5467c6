from typing import Any

import argon2.low_level
import pytest

from dashboard.accounts import passwords

pytestmark = pytest.mark.usefixtures("app")


class TestFaultOf:
    @pytest.mark.parametrize(
        "password", ["correct horse", "x7-" + "long" * 31, "正确的马电池订书钉", "pass word 12"]
    )
    def test_accepts_long_and_foreign_ones(self, password: str) -> None:
        assert passwords.fault_of(password, min_length=8) is None

    @pytest.mark.parametrize("password", ["", "short12", "abcdefg"])
    def test_refuses_the_short(self, password: str) -> None:
        assert "at least 8" in (passwords.fault_of(password, min_length=8) or "")

    def test_refuses_the_endless(self) -> None:
        assert "at most 256" in (passwords.fault_of("ab c" * 100, min_length=8) or "")

    @pytest.mark.parametrize(
        "password", ["password1", "12345678", "QWERTYUIOP", "iloveyou", "88888888"]
    )
    def test_refuses_what_everybody_tries_first(self, password: str) -> None:
        assert "most common" in (passwords.fault_of(password, min_length=8) or "")

    def test_refuses_the_owners_own_name(self) -> None:
        assert passwords.fault_of("Wangxiaoming", min_length=8, words=["wangxiaoming"])


class TestCommonPasswords:
    def test_has_more_than_three_thousand_that_the_policy_would_let_through(self) -> None:
        assert sum(len(word) >= 8 for word in passwords.common_passwords()) >= 3000


class TestMatches:
    def test_knows_the_password_by_its_hash(self) -> None:
        stored = passwords.hash_password("correct horse")

        assert passwords.matches("correct horse", stored)
        assert not passwords.matches("wrong horse", stored)

    def test_knows_it_typed_on_another_system(self) -> None:
        stored = passwords.hash_password("caf\u00e9 au lait")

        assert passwords.matches("cafe\u0301 au lait", stored)

    def test_keeps_nothing_readable_and_fits_the_column(self) -> None:
        stored = passwords.hash_password("x" * 128)

        assert stored.startswith("$argon2id$")
        assert len(stored) <= 255

    @pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
    def test_computes_a_hash_whether_or_not_there_is_an_account(
        self, known: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored = passwords.hash_password("correct horse")
        passwords.matches("", None)  # the decoy is made at its first use
        computed: list[object] = []
        verify = argon2.low_level.verify_secret

        def counted(*args: Any) -> bool:
            computed.append(args)
            return verify(*args)

        for module in (argon2.low_level, argon2._password_hasher):
            monkeypatch.setattr(module, "verify_secret", counted)

        passwords.matches("wrong horse", stored if known else None)

        assert len(computed) == 1
