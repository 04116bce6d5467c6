"""Values of table cells: text to numbers, each distinct text parsed once."""

import math
import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from jobs.engines.clonal.rules import Rule

# Whole numbers as spreadsheets and scripts write them: 100, +100, 100.0, 1e2.
_WHOLE = re.compile(r"\+?[0-9]+(\.0*)?([eE]\+?[0-9]{1,2})?", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
BAD_WHOLE = -1
# No number that a table may hold is longer; Python refuses to convert some that are.
MOST_DIGITS = 30


class WholeNumbers(dict[str, int]):
    """Text to a whole number of 0 or more; BAD_WHOLE for anything else, or above `largest`."""

    def __init__(self, largest: int) -> None:
        super().__init__()
        self.largest = largest

    def __missing__(self, text: str) -> int:
        cleaned = clean(text)
        value = BAD_WHOLE
        if len(cleaned) <= MOST_DIGITS and _WHOLE.fullmatch(cleaned):
            # Through float only when needed: it would round whole numbers above 2^53.
            value = int(cleaned) if cleaned.lstrip("+").isdecimal() else round(float(cleaned))
            value = value if value <= self.largest else BAD_WHOLE
        self[text] = value
        return value

    def column(self, texts: list[str]) -> npt.NDArray[np.int64]:
        """The numbers of a column."""
        return np.fromiter(map(self.__getitem__, texts), dtype=np.int64, count=len(texts))

    def why(self, text: str) -> Rule:
        """The rule that a bad text breaks."""
        cleaned = clean(text)
        if not cleaned:
            return Rule.BLANK
        if _WHOLE.fullmatch(cleaned):
            return Rule.TOO_LARGE
        is_negative = _NUMBER.fullmatch(cleaned) and float(cleaned) < 0
        return Rule.NEGATIVE if is_negative else Rule.NOT_WHOLE


class Fractions(dict[str, float]):
    """Text to a number; NaN for anything else."""

    def __missing__(self, text: str) -> float:
        cleaned = clean(text)
        value = float(cleaned) if _NUMBER.fullmatch(cleaned) else math.nan
        self[text] = value if math.isfinite(value) else math.nan
        return self[text]

    def column(self, texts: list[str]) -> npt.NDArray[np.float64]:
        """The numbers of a column."""
        return np.fromiter(map(self.__getitem__, texts), dtype=np.float64, count=len(texts))


class Codes(dict[str, int]):
    """Text to its place in the order of first appearance; "" for what holds nothing but space."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: list[str] = []
        self.longest = 0

    def __missing__(self, text: str) -> int:
        cleaned = clean(text)
        code = len(self.labels) if cleaned == text else self[cleaned]
        if cleaned == text:
            self.labels.append(text)
            self.longest = max(self.longest, len(text))
        self[text] = code
        return code

    def column(self, texts: Iterable[str], *, n: int) -> npt.NDArray[np.int64]:
        """The places of a column's texts."""
        return np.fromiter(map(self.__getitem__, texts), dtype=np.int64, count=n)


def clean(text: str) -> str:
    """Without the space around it and without the quotes that some programs put around text."""
    stripped = text.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] == '"':
        return stripped[1:-1].replace('""', '"').strip()
    return stripped
