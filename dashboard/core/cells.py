"""Values as cells of a spreadsheet, none of which is taken for a formula (ASVS 5.0 V1.2.10)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

# A spreadsheet takes such text for a formula, which could send what else is in the file elsewhere.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def safe_cell(value: Any) -> Any:
    """`value` for a cell: numbers, dates and truths as they are, text never as a formula."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float | datetime | date) and not isinstance(value, StrEnum):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
