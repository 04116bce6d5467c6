"""A record that a model takes, made from its description alone."""

from __future__ import annotations

from typing import Any

from jobs.engines.scoring.checking import scalar_kind
from jobs.engines.scoring.description import Field, Interval, ModelDescription
from jobs.engines.scoring.runtime import Record

UNKNOWN_LENGTH = 1
"""What an open length is in a sample."""


def sample_record(description: ModelDescription) -> Record:
    """One record that passes `validate`: the middle of each range, the first of the categories."""
    return {each.name: _sample(each) for each in description.inputs}


def _sample(field: Field) -> Any:
    value = _element(field)
    if field.dimension or (field.shape is not None and field.shape == (1,)):
        for size in reversed(field.dimension):
            value = [value] * (UNKNOWN_LENGTH if size is None else size)
    return value


def _element(field: Field) -> Any:
    if field.values:
        return field.values[0]
    kind = scalar_kind(field.type)
    if kind == "boolean":
        return True
    if kind == "string":
        return _TEXTS.get(field.type, "text")
    number = _middle(field.intervals[0]) if field.intervals else 1.0
    if kind == "integer":
        return round(number)
    return round(number, 6)


# PMML's types of dates and times, as the standard writes them.
_TEXTS = {
    "date": "2026-01-31",
    "time": "12:30:00",
    "dateTime": "2026-01-31T12:30:00",
}


def _middle(interval: Interval) -> float:
    low, high = interval.low, interval.high
    if low is None and high is None:
        return 0.0
    if low is None:
        return float(high) - 1.0  # type: ignore[arg-type]
    if high is None:
        return float(low) + 1.0
    return (low + high) / 2
