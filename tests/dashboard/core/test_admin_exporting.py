"""Exports that spreadsheets open without running what is in them."""

import csv
import io
from datetime import datetime

from openpyxl import load_workbook

from dashboard.core.admin.exporting import as_csv, as_xlsx

MOMENT = datetime(2026, 3, 1, 14, 5)


class TestAsCsv:
    def test_is_read_back_as_it_was(self) -> None:
        text = "".join(as_csv(["Name", "When"], [['a "quoted", 课程\nname', MOMENT], ["=1", None]]))

        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
        assert rows == [
            ["Name", "When"],
            ['a "quoted", 课程\nname', "2026-03-01 14:05:00"],
            ["'=1", ""],
        ]

    def test_tells_spreadsheets_that_it_is_utf_8(self) -> None:
        assert next(as_csv(["a"], [])).startswith("\ufeff")


class TestAsXlsx:
    def test_keeps_numbers_and_moments_and_no_formula(self) -> None:
        content = as_xlsx(["a", "b", "c", "d"], [[-1, MOMENT, "=HYPERLINK(1)", "a\x0bb"]])

        sheet = load_workbook(io.BytesIO(content)).active
        assert [cell.value for cell in sheet[2]] == [-1, MOMENT, "'=HYPERLINK(1)", "ab"]
        assert sheet["C2"].data_type == "s"
