"""Sealed text: unreadable without the secret, readable with a former one."""

from dataclasses import replace

from flask import Flask

from dashboard.core.encryption import reseal, seal, unseal


def give_secret(app: Flask, secret: str, *, former: str = "") -> None:
    config = app.config["ATRIUM"]
    server = replace(config.server, secret_key=secret, former_secret_keys=former)
    app.config["ATRIUM"] = replace(config, server=server)


class TestSeal:
    def test_hides_a_text_and_gives_it_back(self, app: Flask) -> None:
        sealed = seal("张三")

        assert "张三" not in sealed
        assert unseal(sealed) == "张三"

    def test_seals_the_same_text_differently_each_time(self, app: Flask) -> None:
        assert seal("x") != seal("x")

    def test_leaves_nothing_as_nothing(self, app: Flask) -> None:
        assert (seal(""), unseal("")) == ("", "")


class TestUnseal:
    def test_needs_the_secret(self, app: Flask) -> None:
        sealed = seal("x")
        give_secret(app, "b" * 40)

        assert unseal(sealed) is None
        assert unseal("not sealed") is None

    def test_knows_former_secrets(self, app: Flask) -> None:
        give_secret(app, "a" * 40)
        sealed = seal("x")
        give_secret(app, "b" * 40, former=f"{'c' * 40}, {'a' * 40}")

        moved = reseal(sealed)

        assert unseal(sealed) == "x"
        give_secret(app, "b" * 40)
        assert unseal(moved) == "x"
