"""Sealed text: unreadable without the secret, readable with a former one."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from dashboard.accounts.models import User
from dashboard.analyses.models import Upload
from dashboard.core import encryption
from dashboard.core.database import session
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

        assert unseal(sealed) == "x"


class TestReseal:
    def test_moves_every_sealed_text_to_the_present_secret(
        self, app: Flask, make_user: Callable[..., User]
    ) -> None:
        owner = make_user("analyst")
        give_secret(app, "a" * 40)
        kept = Upload(owner_id=owner.id, patient_name=seal("张三"), note=seal("n"))
        session.add(kept)
        give_secret(app, "x" * 40)
        lost = Upload(owner_id=owner.id, patient_name=seal("gone"))
        session.add(lost)
        session.commit()
        give_secret(app, "b" * 40, former="a" * 40)

        assert reseal() == (2, 1)

        give_secret(app, "b" * 40)
        session.expire_all()
        assert (unseal(kept.patient_name), unseal(kept.note)) == ("张三", "n")
        assert unseal(lost.patient_name) is None

    def test_passes_over_more_rows_than_it_reads_at_once(
        self,
        app: Flask,
        make_user: Callable[..., User],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(encryption, "_ROWS_AT_ONCE", 2)
        owner = make_user("analyst")
        session.add_all(Upload(owner_id=owner.id, note=seal("n")) for _ in range(5))
        session.commit()

        assert reseal() == (5, 0)
