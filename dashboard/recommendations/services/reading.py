"""Files of interactions read line by line: every line becomes a row, or says what is wrong with it."""

import csv
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dashboard.activity.models import EventKind
from dashboard.core.database import utcnow
from dashboard.core.errors import Invalid
from dashboard.core.i18n import _
from dashboard.core.ids import MAX_ID
from dashboard.recommendations.queries import MEETINGS
from dashboard.recommendations.services.json_list import BrokenList, elements
from dashboard.recommendations.services.transfer import COLUMNS, ROWS_AT_ONCE, Format
from jobs.engines.collaborative_filtering.field_values import TIME_COLUMNS, seconds

EARLIEST = datetime(1970, 1, 1)
# Clocks differ; what happens next week has not happened.
LATEST = timedelta(days=1)
STARS = range(1, 6)
# Columns that are read of a file that has more.
NAMES = (*COLUMNS, "rating", "timestamp")


class BadLine(ValueError):
    """What is wrong with a line."""


@dataclass(frozen=True, slots=True)
class Row:
    """An interaction."""

    user_id: int
    item_id: int
    kind: str
    value: float | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, counted from 1: its row, or what is wrong with it."""

    number: int
    row: Row | None
    fault: str = ""


def read_lines(path: Path, form: Format) -> Iterator[Line]:
    """The lines of a file in their order. Raises Invalid when the file as a whole cannot be read."""
    for number, raw in read_records(path, form):
        try:
            yield Line(number, _row(raw))
        except BadLine as error:
            yield Line(number, None, str(error))


def read_records(
    path: Path, form: Format, *, names: Sequence[str] = NAMES
) -> Iterator[tuple[int, Any]]:
    """The lines of a file as they stand there: the number of each, and an object unless it is none.

    Where a line cannot be told from the next it is a BadLine. names: what is read of a Parquet file.
    Raises Invalid when the file as a whole cannot be read."""
    try:
        yield from _parquet(path, names) if form is Format.PARQUET else _TEXTS[form](path)
    except (
        csv.Error,
        pa.ArrowException,
        ValueError,
        OverflowError,
        RecursionError,
        OSError,
    ) as error:
        message = _("The file cannot be read as %(form)s: %(why)s", form=form, why=error)
        raise Invalid(message) from error


def _csv(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        names = reader.fieldnames or []
        missing = [name for name in ("user_id", "item_id") if name not in names]
        if missing:
            raise Invalid(_("The file has no column %(names)s.", names=", ".join(missing)))
        for row in reader:
            if None in row:  # what stands under no name
                more = BadLine(_("the line has more fields than the header"))
                yield reader.line_num, more
            else:
                yield reader.line_num, row


def _json(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8-sig") as file:
        start = file.read(1)
        while start.isspace():
            start = file.read(1)
        file.seek(0)
        if start == "[":
            yield from _json_list(file)
            return
        for number, text in enumerate(file, start=1):
            if text.strip():
                yield number, _parsed(text)


def _json_list(file: TextIO) -> Iterator[tuple[int, Any]]:
    """Elements count as lines; where the list breaks off is a bad one, named with those before it."""
    number = 0
    try:
        for number, row in enumerate(elements(file), start=1):
            yield number, row
    except BrokenList as error:
        yield number + 1, BadLine(_("from here on this is no JSON list: %(why)s", why=error))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None  # named as a line that is no object


def _parquet(path: Path, names: Sequence[str]) -> Iterator[tuple[int, Any]]:
    number = 0
    with pq.ParquetFile(path) as file:
        there = [name for name in names if name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=there):
            for row in _objects(batch):
                number += 1
                yield number, row


def _objects(batch: pa.RecordBatch) -> list[Any]:
    """The rows as objects; a time that Python has not is a text there, which names it."""
    batch = _each(batch, _microseconds)
    try:
        return batch.to_pylist()
    except (ValueError, OverflowError):
        alone = (batch.slice(place, 1) for place in range(batch.num_rows))
        return [_only_object(row) for row in alone]


def _only_object(row: pa.RecordBatch) -> Any:
    try:
        return row.to_pylist()[0]
    except (ValueError, OverflowError):
        return _each(row, _text_of_time).to_pylist()[0]


def _each(batch: pa.RecordBatch, change: Callable[[pa.Array], pa.Array]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(list(map(change, batch.columns)), names=batch.schema.names)


def _microseconds(column: pa.Array) -> pa.Array:
    """Other programs write nanoseconds; Python and the database stop at microseconds."""
    if not pa.types.is_timestamp(column.type):
        return column
    zone = "UTC" if column.type.tz else None
    return column.cast(pa.timestamp("us", tz=zone), safe=False)


def _text_of_time(column: pa.Array) -> pa.Array:
    return column.cast(pa.string()) if pa.types.is_temporal(column.type) else column


_TEXTS = {Format.CSV: _csv, Format.JSON: _json}


def _row(raw: Any) -> Row:
    if isinstance(raw, BadLine):
        raise raw
    if not isinstance(raw, dict):
        raise BadLine(_("this is no object with user_id and item_id"))
    rating = _number(raw, "rating")
    kind = raw.get("kind") or (EventKind.VIEW if rating is None else EventKind.RATING)
    if kind not in list(MEETINGS):
        names = ", ".join(MEETINGS)
        raise BadLine(_("kind is “%(kind)s”; there are %(names)s", kind=kind, names=names))
    value = _number(raw, "value")
    return Row(
        user_id=_id(raw, "user_id"),
        item_id=_id(raw, "item_id"),
        kind=EventKind(kind).value,
        value=_checked_value(EventKind(kind), rating if value is None else value),
        created_at=_moment(raw),
    )


def _id(raw: dict[str, Any], name: str) -> int:
    value = raw.get(name)
    text = str(value).strip() if value is not None else ""
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:20]) <= MAX_ID):
        raise BadLine(_("%(name)s is “%(value)s”, expected a number", name=name, value=text[:40]))
    return int(text)


def _number(raw: dict[str, Any], name: str) -> float | None:
    value = raw.get(name)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        shown = str(value)[:40]
        raise BadLine(_("%(name)s is “%(value)s”, expected a number", name=name, value=shown))
    return number


def _checked_value(kind: EventKind, value: float | None) -> float | None:
    if kind is EventKind.RATING:
        if value not in STARS:
            raise BadLine(_("a rating is 1 to 5 stars, not %(value)s", value=value))
        return value
    if kind is EventKind.WATCH:
        if value is None or not 0 <= value <= 1:
            raise BadLine(_("watch is a fraction from 0 to 1, not %(value)s", value=value))
        return value
    return None


def _moment(raw: dict[str, Any]) -> datetime:
    # The first of them that a line fills tells when.
    name = next((name for name in TIME_COLUMNS if raw.get(name) not in (None, "")), None)
    if name is None:
        raise BadLine(_("created_at or timestamp is missing"))
    try:
        moment = _time_of(raw[name], number=name == "timestamp")
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (OverflowError, OSError, TypeError, ValueError) as error:
        shown = str(raw[name])[:40]
        raise BadLine(
            _("%(name)s is “%(value)s”, expected a time", name=name, value=shown)
        ) from error
    if not EARLIEST <= moment <= utcnow() + LATEST:
        shown = moment.isoformat()
        raise BadLine(
            _("%(name)s is %(moment)s, which is not in the past", name=name, moment=shown)
        )
    return moment


def _time_of(value: Any, *, number: bool) -> datetime:
    """A moment, a text of ISO 8601, or where numbers are meant seconds or a finer unit since 1970."""
    if isinstance(value, datetime):
        return value
    if number and not isinstance(value, bool):
        try:
            number_s = float(seconds(np.array(float(value))))
        except ValueError:
            pass
        else:
            return datetime.fromtimestamp(number_s, tz=UTC)
    return datetime.fromisoformat(str(value))
