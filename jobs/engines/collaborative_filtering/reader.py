"""Ratings, views and item texts from CSV files, as arrays; or every problem with its line.

The ids of one call are whole numbers when every one of them is, and text otherwise."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class RatingLine:
    """One line of a file; numbers as in `Ratings`."""

    user_id: str
    item_id: str
    time_s: float
    rating: float
    watched: float


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
    problems: list[Problem] = []
    known: dict[str, str] = {}
    users, items = [], []
    columns = [array("d") for _ in range(3)]
    for path in paths:
        for event in rating_lines(path, problems):
            # One text for all lines that name the same.
            users.append(known.setdefault(event.user_id, event.user_id))
            items.append(known.setdefault(event.item_id, event.item_id))
            values = (event.time_s, event.rating, event.watched)
            for column, value in zip(columns, values, strict=True):
                column.append(value)
    if problems:
        raise InvalidRatings(problems)
    times, ratings, watched = (np.array(column, dtype=np.float64) for column in columns)
    return Ratings(_labels(users), _labels(items), times, ratings, watched)


def rating_lines(path: Path, problems: list[Problem]) -> Iterator[RatingLine]:
    """The events of a file as `read_ratings` takes it, one by one.

    What is wrong is added to problems, at the latest after the last one; a line that is named there counts for nothing."""
    required = ("user_id", "item_id")
    file = CsvFile(path, required=required, one_of=TIME_COLUMNS, problems=problems)
    for row in file.rows():
        yield rating_line(Fields(file, row))


def rating_line(fields: Fields) -> RatingLine:
    """The event of one line; what is wrong with it is reported."""
    return RatingLine(
        user_id=fields.required("user_id"),
        item_id=fields.required("item_id"),
        time_s=fields.time_s(),
        rating=fields.number("rating", largest=LARGEST_RATING),
        watched=fields.number("watch_percentage", largest=100.0),
    )


def read_items(path: Path) -> ItemTexts:
    """The items of a file: item_id, name[, description, language, difficulty, job, software, theme,
    duration_s, type]; job, software and theme are list literals such as ['Teams', 'Outlook'].

    Raises InvalidRatings with every problem of the file."""
    first_line: dict[str, int] = {}
    items = _read(path, ("item_id", "name"), lambda fields: _item(fields, first_line))
    return ItemTexts(
        item_ids=_labels([item_id for item_id, _ in items]),
        texts=tuple(text for _, text in items),
    )


def read_item_ids(path: Path) -> Labels:
    """(n_lines,) the item ids of a file as text, whatever else its columns are.

    Raises InvalidRatings with every problem of the file."""
    ids = _read(path, ("item_id",), lambda fields: fields.required("item_id"))
    return np.array(ids, dtype=np.str_)


def _read(
    path: Path,
    required: Sequence[str],
    parse: Callable[[Fields], Line],
) -> list[Line]:
    file = CsvFile(path, required=required)
    lines = [parse(Fields(file, row)) for row in file.rows()]
    if file.problems:
        raise InvalidRatings(file.problems)
    return lines


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


def _labels(ids: list[str]) -> Labels:
    """Whole numbers when all are written the plain way: "007" and "7" must stay two users."""
    if all(text.isascii() and text.isdigit() and str(int(text)) == text for text in ids):
        numbers = [int(text) for text in ids]
        if max(numbers, default=0) < 2**63:
            return np.array(numbers, dtype=np.int64)
    return np.array(ids, dtype=np.str_)
