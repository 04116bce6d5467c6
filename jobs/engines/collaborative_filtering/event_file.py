"""Events of large CSV files as codes and numbers: a few bytes a line, whatever the ids look like.

    user_id,item_id[,rating][,timestamp or created_at]

Files of plain numbers, which large ones usually are, are read by whole columns; others line by
line. Both name the first bad line."""

import csv
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from jobs.engines.collaborative_filtering.arrays import Times
from jobs.engines.collaborative_filtering.csv_rows import missing_columns
from jobs.engines.collaborative_filtering.field_values import (
    EXPECTED_TIME,
    number_of,
    seconds,
    seconds_of,
    time_column,
)
from jobs.engines.collaborative_filtering.interactions import (
    LONGEST_HISTORY,
    Interactions,
    Keep,
    Labels,
    build_interactions,
)
from jobs.engines.collaborative_filtering.number_columns import NotPlain, number_columns

# Any scale will do, but sums of squares must stay numbers.
LARGEST_RATING = 1e18


class BadEvents(ValueError):
    """A file of events cannot be used; the message names the file and the line."""


@dataclass(frozen=True)
class EventColumns:
    """One event per line, in the order of the files. All arrays (n_events,)."""

    user_ids: Labels
    item_ids: Labels
    times_s: Times | None
    """Seconds since 1970; None when a file has no column of times."""
    ratings: Times
    """NaN where none was given."""

    def until(self, moment_s: float) -> "EventColumns":
        """What had happened at this moment; without times everything."""
        if self.times_s is None:
            return self
        past = self.times_s <= moment_s
        return EventColumns(
            user_ids=self.user_ids[past],
            item_ids=self.item_ids[past],
            times_s=self.times_s[past],
            ratings=self.ratings[past],
        )

    def interactions(self, *, seed: int) -> Interactions:
        """First events of pairs. The order of equal times is drawn by lot, without times that of all.

        Raises BadEvents when there are no events."""
        if not len(self.user_ids):
            raise BadEvents("the files hold no events")
        times = np.zeros(len(self.user_ids)) if self.times_s is None else self.times_s
        data = build_interactions(self.user_ids, self.item_ids, times_s=times, keep=Keep.FIRST)
        return data.ties_by_lot(seed).newest(LONGEST_HISTORY)


def read_events(paths: Sequence[Path]) -> EventColumns:
    """The events of all files together. Raises BadEvents at the first line that cannot be used."""
    parts = [_read(path) for path in paths]
    times = [part.times_s for part in parts if part.times_s is not None]
    return EventColumns(
        user_ids=_joined([part.user_ids for part in parts]),
        item_ids=_joined([part.item_ids for part in parts]),
        times_s=np.concatenate(times) if len(times) == len(parts) else None,
        ratings=np.concatenate([part.ratings for part in parts]),
    )


def _joined(labels: Sequence[Labels]) -> Labels:
    """All labels as one array; whole numbers become text beside labels that are text."""
    if len({part.dtype.kind for part in labels}) > 1:
        return np.concatenate([part.astype(np.str_) for part in labels])
    return np.concatenate(labels)


def _read(path: Path) -> EventColumns:
    try:
        with path.open("rb") as file:
            header = _header(path, file.readline())
            try:
                return _plain(file, header)
            except NotPlain:
                pass
        with path.open(encoding="utf-8-sig", newline="") as text:
            return _Lines(path, text).columns()
    except UnicodeDecodeError as error:
        raise BadEvents(f"{path.name} is not UTF-8 text") from error
    except OSError as error:
        raise BadEvents(f"{path}: {error.strerror}") from error


def _header(path: Path, line: bytes) -> list[str]:
    names = [name.strip().strip('"') for name in line.decode("utf-8-sig").split(",")]
    missing = [name for name in ("user_id", "item_id") if name not in names]
    if missing:
        raise BadEvents(f"{path.name}, line 1: {missing_columns(missing, names)}")
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise BadEvents(f"{path.name}, line 1: names the column {', '.join(twice)} more than once")
    return names


def _plain(file: IO[bytes], header: list[str]) -> EventColumns:
    """The columns of a file of nothing but numbers. Raises NotPlain for any other."""
    time = time_column(header)
    wanted = ["user_id", "item_id", *([time] if time else [])]
    wanted += ["rating"] if "rating" in header else []
    places = [header.index(name) for name in wanted]
    columns = number_columns(file, places, n_columns=len(header), whole=places[:2])
    found = dict(zip(wanted, columns, strict=True))
    users, times = found["user_id"], seconds(found[time]) if time else None
    if times is not None and np.isnan(times).any():
        raise NotPlain
    return EventColumns(
        user_ids=users,
        item_ids=found["item_id"],
        times_s=times,
        ratings=found.get("rating", np.full(len(users), np.nan)),
    )


class _Lines:
    """A file read line by line: ids become codes at once, so that texts are held once each."""

    def __init__(self, path: Path, text: IO[str]) -> None:
        self.name, self.reader = path.name, csv.reader(text, strict=True)
        self.header = [name.strip() for name in next(self.reader)]
        self.time = time_column(self.header)

    def columns(self) -> EventColumns:
        users, items = _Codes(), _Codes()
        times, ratings = array("d"), array("d")
        for row in self._rows():
            users.add(self._id(row, "user_id"))
            items.add(self._id(row, "item_id"))
            times.append(self._time(row))
            ratings.append(self._rating(row))
        return EventColumns(
            user_ids=users.labels(),
            item_ids=items.labels(),
            times_s=np.array(times) if self.time else None,
            ratings=np.array(ratings),
        )

    def _rows(self) -> Iterator[dict[str, str]]:
        try:
            for values in self.reader:
                if len(values) == len(self.header):
                    yield dict(zip(self.header, map(str.strip, values), strict=True))
                elif values:
                    raise self._bad(f"has {len(values)} fields, expected {len(self.header)}")
        except csv.Error as error:
            raise self._bad(f"cannot be read as CSV: {error}") from error

    def _id(self, row: dict[str, str], name: str) -> str:
        if not row[name]:
            raise self._bad(f"{name} is empty")
        return row[name]

    def _rating(self, row: dict[str, str]) -> float:
        text = row.get("rating", "")
        rating = number_of(text)
        if text and math.isnan(rating):
            raise self._bad(f'rating is "{text[:60]}", expected a number')
        if abs(rating) > LARGEST_RATING:
            raise self._bad(f'rating is "{text[:60]}", expected a number up to {LARGEST_RATING:g}')
        return rating

    def _time(self, row: dict[str, str]) -> float:
        if not self.time:
            return 0.0
        text = row[self.time]
        moment = seconds_of(text)
        if math.isnan(moment):
            raise self._bad(f'{self.time} is "{text[:60]}", {EXPECTED_TIME}')
        return moment

    def _bad(self, text: str) -> BadEvents:
        return BadEvents(f"{self.name}, line {self.reader.line_num}: {text}")


class _Codes:
    """Texts as numbers in the order in which they came."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._codes = array("q")

    def add(self, text: str) -> None:
        self._codes.append(self._known.setdefault(text, len(self._known)))

    def labels(self) -> Labels:
        """Whole numbers when all are written the plain way: "007" and "7" must stay two users."""
        texts = list(self._known)
        if all(t.isascii() and t.isdigit() and str(int(t)) == t and len(t) < 19 for t in texts):
            return np.array([int(t) for t in texts], dtype=np.int64)[np.array(self._codes)]
        return np.array(texts, dtype=np.str_)[np.array(self._codes)]
