"""`run.py jobs`: what it takes and what it answers."""

import argparse
import os
from collections.abc import Callable

import pytest
from flask import Flask

from dashboard.core.errors import Conflict, DomainError, Invalid, NotFound
from dashboard.job_queue import commands
from tests.dashboard.job_queue.probe import Append


def jobs(*given: object) -> str:
    parser = argparse.ArgumentParser()
    commands.add_arguments(parser)
    return commands.run(parser.parse_args([str(each) for each in given]))


class TestRun:
    def test_lists_shows_cancels_retries_and_purges(
        self, app: Flask, put: Callable[..., int]
    ) -> None:
        job_id = put(Append(path=os.devnull))

        assert "1 of 1 jobs" in jobs("list", "--state", "queued")
        assert "cancelled" in jobs("cancel", job_id)
        assert "args" in jobs("show", job_id)
        assert " queued " in jobs("retry", job_id)
        assert "retried" in jobs("show", job_id)
        jobs("cancel", job_id)
        never = ("--older-than-days", 2**31 - 1)
        assert jobs("purge", "--state", "cancelled", *never) == "0 jobs removed"
        assert jobs("purge", "--state", "cancelled") == "1 jobs removed"
        assert jobs("list") == "0 of 0 jobs"

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            (["show", 7], NotFound),
            (["cancel", 7], NotFound),
            (["list", "--state", "lost"], Invalid),
            (["purge", "--state", "running"], Conflict),
        ],
    )
    def test_names_what_cannot_be(
        self, app: Flask, given: list[object], error: type[DomainError]
    ) -> None:
        with pytest.raises(error):
            jobs(*given)

    @pytest.mark.parametrize(
        "given", [["show", "x"], ["show", 0], ["list", "-n", 0], ["purge", "--older-than-days", -1]]
    )
    def test_refuses_what_is_no_number(
        self, given: list[object], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            jobs(*given)

        assert "must be a whole number" in capsys.readouterr().err
