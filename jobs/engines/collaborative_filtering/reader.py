"""Ratings, views and item texts from CSV files, as arrays; or every problem with its line.

The ids of one call are whole numbers when every one of them is, and text otherwise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import Times
from jobs.engines.collaborative_filtering.csv_rows import CsvFile, Problem
from jobs.engines.collaborative_filtering.field_values import TIME_COLUMNS
from jobs.engines.collaborative_filtering.fields import Fields, InvalidRatings
from jobs.engines.collaborative_filtering.interactions import Labels

Numbers = npt.NDArray[np.float64]
Line = TypeVar("Line")

LARGEST_RATING = 10.0


@dataclass(frozen=True)
class Ratings:
    """One event per line of the files, in their order. All arrays (n_events,)."""

    user_ids: Labels
    item_ids: Labels
    times_s: Times
    """Seconds since 1970; a time without a zone is UTC."""
    ratings: Numbers
    """0 to 10, NaN where none was given."""
    watched: Numbers
    """Percent of the video, 0 to 100, NaN where it is not known."""


@dataclass(frozen=True)
class ItemText:
    """What a file says of one item; texts are empty where it says nothing."""

    name: str
    description: str
    language: str
    difficulty: str
    jobs: tuple[str, ...]
    software: tuple[str, ...]
    themes: tuple[str, ...]
    duration_s: float
    """NaN where it is not known."""
    type: str


@dataclass(frozen=True)
class ItemTexts:
    """One item per line of the file, in its order."""

    item_ids: Labels
    texts: tuple[ItemText, ...]


def read_ratings(*paths: Path) -> Ratings:
    """The events of all files together: user_id, item_id, timestamp or created_at[, rating,
    watch_percentage]. A time is of ISO 8601, or seconds (milli-, micro-,
    nanoseconds) since 1970.

    Raises InvalidRatings with every problem of every file."""
    events = _read(paths, ("user_id", "item_id"), _event, one_of=TIME_COLUMNS)
    return Ratings(
        user_ids=_labels([event.user_id for event in events]),
        item_ids=_labels([event.item_id for event in events]),
        times_s=_column(events, "time_s"),
        ratings=_column(events, "rating"),
        watched=_column(events, "watched"),
    )


def read_items(path: Path) -> ItemTexts:
    """The items of a file: item_id, name[, description, language, difficulty, job, software, theme,
    duration_s, type]; job, software and theme are list literals such as ['Teams', 'Outlook'].

    Raises InvalidRatings with every problem of the file."""
    first_line: dict[str, int] = {}
    items = _read([path], ("item_id", "name"), lambda fields: _item(fields, first_line))
    return ItemTexts(
        item_ids=_labels([item_id for item_id, _ in items]),
        texts=tuple(text for _, text in items),
    )


def read_item_ids(path: Path) -> Labels:
    """(n_lines,) the item ids of a file as text, whatever else its columns are.

    Raises InvalidRatings with every problem of the file."""
    ids = _read([path], ("item_id",), lambda fields: fields.required("item_id"))
    return np.array(ids, dtype=np.str_)


@dataclass(frozen=True, slots=True)
class _Event:
    user_id: str
    item_id: str
    time_s: float
    rating: float
    watched: float


def _read(
    paths: Sequence[Path],
    required: Sequence[str],
    parse: Callable[[Fields], Line],
    *,
    one_of: Sequence[str] = (),
) -> list[Line]:
    lines: list[Line] = []
    problems: list[Problem] = []
    for path in paths:
        file = CsvFile(path, required=required, one_of=one_of)
        lines += [parse(Fields(file, row)) for row in file.rows()]
        problems += file.problems
    if problems:
        raise InvalidRatings(problems)
    return lines


def _event(fields: Fields) -> _Event:
    return _Event(
        user_id=fields.required("user_id"),
        item_id=fields.required("item_id"),
        time_s=fields.time_s(),
        rating=fields.number("rating", largest=LARGEST_RATING),
        watched=fields.number("watch_percentage", largest=100.0),
    )


def _item(fields: Fields, first_line: dict[str, int]) -> tuple[str, ItemText]:
    item_id = fields.required("item_id")
    first = first_line.setdefault(item_id, fields.line)
    if item_id and first != fields.line:
        fields.report(f"item {item_id} is already on line {first}")
    return item_id, ItemText(
        name=fields.required("name"),
        description=fields.text("description"),
        language=fields.text("language"),
        difficulty=fields.text("difficulty"),
        jobs=fields.words("job"),
        software=fields.words("software"),
        themes=fields.words("theme"),
        duration_s=fields.number("duration_s"),
        type=fields.text("type"),
    )


def _column(events: list[_Event], name: str) -> Numbers:
    return np.fromiter(map(attrgetter(name), events), dtype=np.float64, count=len(events))


def _labels(ids: list[str]) -> Labels:
    """Whole numbers when all are written the plain way: "007" and "7" must stay two users."""
    if all(text.isascii() and text.isdigit() and str(int(text)) == text for text in ids):
        numbers = [int(text) for text in ids]
        if max(numbers, default=0) < 2**63:
            return np.array(numbers, dtype=np.int64)
    return np.array(ids, dtype=np.str_)
