"""Filters of the dashboard's lists."""

from datetime import datetime

import pytest

from dashboard.accounts.models import User
from dashboard.core.admin.filters import Choice, Day, YesNo


class TestChoice:
    def test_takes_one_of_its_values_only(self) -> None:
        choice = Choice("state", "State", User.nickname, {"a": "A", "b": "B"})

        assert choice.validate("a")
        assert not choice.validate("c")
        assert choice.argument == "flt_state"

    def test_may_ask_for_its_values_late(self) -> None:
        choice = Choice("state", "State", User.nickname, lambda: {"a": "A"})

        assert choice.get_options(None) == [("a", "A")]


class TestYesNo:
    def test_is_true_or_false(self) -> None:
        active = YesNo("active", "Active", User.active, {"yes": "Yes", "no": "No"})

        assert (active.clean("yes"), active.clean("no")) == (True, False)


class TestDay:
    def test_starts_and_ends_at_midnight(self) -> None:
        assert Day("a", "A", User.ctime).clean("2026-03-01") == datetime(2026, 3, 1)
        assert Day("a", "A", User.ctime, until=True).clean("2026-03-01") == datetime(2026, 3, 2)

    @pytest.mark.parametrize("text", ["", "today", "2026-02-30", "9999-12-31", "2026-03-01T05:00"])
    def test_refuses_what_is_no_day(self, text: str) -> None:
        assert not Day("a", "A", User.ctime, until=True).validate(text)
