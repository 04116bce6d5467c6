"""Interactions from files as `cf.RatingLine`: CSV by the engine's reader; lines of JSON and Parquet pass its checks too."""

import math
from collections.abc import Iterator, Sequence
from datetime import date
from numbers import Number
from pathlib import Path
from typing import Any

from dashboard.core.errors import Invalid
from dashboard.recommendations.services.reading import BadLine, read_records
from dashboard.recommendations.services.transfer import Format
from jobs.engines import collaborative_filtering as cf
from jobs.engines.collaborative_filtering.csv_rows import CsvFile, Row
from jobs.engines.collaborative_filtering.field_values import TIME_COLUMNS
from jobs.engines.collaborative_filtering.fields import Fields
from jobs.engines.collaborative_filtering.reader import LARGEST_RATING

# By the end of a file's name; every other is CSV.
FORMS = {
    ".json": Format.JSON,
    ".jsonl": Format.JSON,
    ".ndjson": Format.JSON,
    ".parquet": Format.PARQUET,
}
NAMES = ("user_id", "item_id", *TIME_COLUMNS, "rating", "watch_percentage")
SHOWN = 60


def lines(paths: Sequence[Path], problems: list[cf.Problem]) -> Iterator[cf.RatingLine]:
    """The events of all files one by one; what is wrong is added to problems. Raises OSError."""
    for path in paths:
        form = FORMS.get(path.suffix.lower())
        yield from _records(path, form, problems) if form else cf.rating_lines(path, problems)


def _records(path: Path, form: Format, problems: list[cf.Problem]) -> Iterator[cf.RatingLine]:
    """A file of objects; they count as lines. What is not there is found out by every line of its own."""
    path.stat()  # says that there is no such file
    file = CsvFile(path, required=(), problems=problems)
    number = 0
    try:
        for number, raw in read_records(path, form, names=NAMES):
            yield from _events(file, number, raw)
    except Invalid as error:
        file.report(number + 1, error.message)


def _events(file: CsvFile, number: int, raw: Any) -> list[cf.RatingLine]:
    """The event of a line; none of one that is reported at once."""
    if isinstance(raw, BadLine):
        file.report(number, str(raw))
        return []
    if not isinstance(raw, dict):
        file.report(number, "is no object with user_id and item_id")
        return []
    given = {name: raw[name] for name in NAMES if raw.get(name) is not None}
    odd = [name for name, value in given.items() if not _is_plain(value)]
    for name in odd:
        file.report(number, f'{name} is "{str(given[name])[:SHOWN]}", expected a text or a number')
    return [] if odd else [_event(file, number, given)]


def _event(file: CsvFile, number: int, given: dict[str, Any]) -> cf.RatingLine:
    texts = {name: _text(value) for name, value in given.items()}
    # The column of times is the first that the line fills.
    line = Fields(file, Row(number, {name: text for name, text in texts.items() if text}))
    timed = any(texts.get(name) for name in TIME_COLUMNS)
    if not timed:
        line.report(f"{' or '.join(TIME_COLUMNS)} is missing")
    return cf.RatingLine(
        user_id=line.required("user_id"),
        item_id=line.required("item_id"),
        time_s=line.time_s() if timed else math.nan,
        rating=line.number("rating", largest=LARGEST_RATING),
        watched=line.number("watch_percentage", largest=100.0),
    )


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | Number | date) and not isinstance(value, bool)


def _text(value: Any) -> str:
    """As CSV would have it: 7.0 is the same id as 7."""
    if isinstance(value, date):  # datetimes are dates
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
