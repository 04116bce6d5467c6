"""What can be wrong with a model file, with an input, or with a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class ScoringError(Exception):
    """Scoring failed"""


class RefusedModel(ScoringError):
    """The file is no model that can be served: `reason` says why in words a person can act on."""

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.reason, self.code = reason, code


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the input."""

    row: int
    """Number of the record, from 1; 0 when the table or the request as a whole is meant."""
    field: str
    """Name of the input; empty when the whole record is meant."""
    code: str
    """name, missing, type, range, category, shape or record."""
    expected: str
    value: Any = None
    """What was sent, shortened; belongs to the caller, so keep it out of logs."""

    def __str__(self) -> str:
        row = f"row {self.row}" if self.row else ""
        named = f"field {self.field!r}" if self.field else ""
        where = ", ".join(filter(None, (row, named))) or "input"
        got = "" if self.code in ("name", "missing") else f", got {self.value!r}"
        return f"{where}: expected {self.expected}{got}"

    def to_json(self) -> dict[str, Any]:
        """As the API shows it to the caller who sent the value."""
        return {
            "row": self.row,
            "field": self.field,
            "code": self.code,
            "expected": self.expected,
            "value": self.value,
        }


class InvalidInput(ScoringError):
    """The input does not fit the model."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems[:3]))
        self.problems = problems


class PredictionFailed(ScoringError):
    """The engine gave no answer; the message is short and holds nothing that the caller sent."""

    code = "engine"


class OutOfTime(PredictionFailed):
    """The model did not answer in time"""

    code = "timeout"


class OutOfMemory(PredictionFailed):
    """The model asked for more memory than it may use"""

    code = "memory"


def shortened(value: Any, *, limit: int = 80) -> Any:
    """A value that is safe to show: long text and big containers are cut."""
    if value is None or isinstance(value, bool | int | float):
        return value if not isinstance(value, int) or abs(value) < 2**53 else str(value)[:limit]
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
