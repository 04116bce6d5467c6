"""No cell of an export runs when a spreadsheet opens it."""

from datetime import datetime

import pytest

from dashboard.core.cells import safe_cell

MOMENT = datetime(2026, 3, 1, 14, 5)


class TestSafeCell:
    @pytest.mark.parametrize(
        "text", ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "\r=1", "\x00=1", "\n=1"]
    )
    def test_takes_the_formula_out_of_text(self, text: str) -> None:
        assert safe_cell(text) == f"'{text}"

    @pytest.mark.parametrize("value", [-1, 2.5, True, MOMENT, "a=b", "课程"])
    def test_leaves_what_is_no_formula(self, value: object) -> None:
        assert safe_cell(value) == value

    def test_has_nothing_for_none(self) -> None:
        assert safe_cell(None) == ""
