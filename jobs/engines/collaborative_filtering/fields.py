"""Values of one CSV row's fields; what does not parse is reported with the row's line."""

import ast
import math
from collections.abc import Sequence

from jobs.engines.collaborative_filtering.csv_rows import CsvFile, Problem, Row
from jobs.engines.collaborative_filtering.field_values import (
    EXPECTED_TIME,
    number_of,
    seconds_of,
    time_column,
)

PROBLEMS_SHOWN = 20
VALUE_SHOWN = 60
# The parser of literals recurses: a hostile field could exhaust the stack.
LONGEST_LIST = 10_000


class InvalidRatings(ValueError):
    """The files hold problems; nothing of them was loaded."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in problems[:PROBLEMS_SHOWN]]
        if len(problems) > PROBLEMS_SHOWN:
            lines.append(f"and {len(problems) - PROBLEMS_SHOWN} more problems")
        super().__init__("\n".join(lines))


class Fields:
    """The fields of one row by column name; an absent column is an empty field."""

    def __init__(self, file: CsvFile, row: Row) -> None:
        self._file, self._row = file, row

    @property
    def line(self) -> int:
        return self._row.line

    def text(self, name: str) -> str:
        return self._row.values.get(name, "")

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            self.report(f"{name} is empty")
        return value

    def number(self, name: str, *, largest: float = math.inf) -> float:
        """A number from 0 to `largest`; NaN for an empty field."""
        text = self.text(name)
        if not text:
            return math.nan
        value = number_of(text)
        if math.isnan(value):
            self.report(f'{name} is "{_short(text)}", expected a number')
        elif not 0 <= value <= largest:
            bounds = f"from 0 to {largest:g}" if math.isfinite(largest) else "of 0 or more"
            self.report(f"{name} is {_short(text)}, expected a number {bounds}")
        return value

    def time_s(self) -> float:
        """Seconds since 1970 of the row's time; a time without a zone is UTC. NaN when it was reported."""
        name = time_column(self._row.values) or ""
        text = self.required(name)
        value = seconds_of(text)
        if text and math.isnan(value):
            self.report(f'{name} is "{_short(text)}", {EXPECTED_TIME}')
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """The texts of a list literal; none for an empty field."""
        text = self.text(name)
        words = _literal(text) if text else []
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return tuple(words)
        self.report(f'{name} is "{_short(text)}", expected a list such as {["Teams", "Outlook"]}')
        return ()

    def report(self, text: str) -> None:
        self._file.report(self.line, text)


def _literal(text: str) -> object:
    if len(text) > LONGEST_LIST:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _short(text: str) -> str:
    return text if len(text) <= VALUE_SHOWN else text[:VALUE_SHOWN] + "..."
