"""Rows of records in files: CSV, JSON (an array of objects, or one object a line) and Parquet.

A file is read a chunk at a time, however long it is. Rows are numbered from 1; a CSV file's first line names
the columns.
"""

import csv
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from dashboard.core.i18n import _

Record = dict[str, Any]
FORMATS = ("csv", "json", "parquet")
CHUNK_ROWS = 1000
PIECE_CHARACTERS = 2**20
MAX_LINE = 2**20
MAX_COLUMNS = 10_000
# A text of a CSV file that says that there is no value.
MISSING = ("",)


class BadTable(ValueError):
    """The file cannot be read as a table; the message says where and why."""


def format_of(head: bytes, name: str = "") -> str:
    """What a file that begins with `head` is: parquet and json by their content, everything else csv."""
    if head.startswith(b"PAR1"):
        return "parquet"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return "json" if text[:1] in (b"[", b"{") and not name.lower().endswith(".csv") else "csv"


def columns_of(path: Path, form: str) -> list[str] | None:
    """The names of the columns; None for JSON, where every row has its own. Raises BadTable."""
    if form == "csv":
        with _text(path) as file:
            return _header(_csv_rows(file))
    if form == "parquet":
        return list(_parquet(path).schema_arrow.names)
    return None


def count_rows(path: Path, form: str) -> int:
    """How many rows there are. Reads the whole file; raises BadTable."""
    if form == "parquet":
        return int(_parquet(path).metadata.num_rows)
    return sum(1 for _row in read_rows(path, form))


def read_rows(path: Path, form: str) -> Iterator[Record]:
    """Every row as a record. Texts of a CSV file stay texts, empty ones become None. Raises BadTable."""
    if form == "csv":
        yield from _read_csv(path)
    elif form == "parquet":
        yield from _read_parquet(path)
    else:
        yield from _read_json(path)


def chunks(rows: Iterator[Record], *, size: int = CHUNK_ROWS) -> Iterator[list[Record]]:
    """The rows, some at a time."""
    while chunk := list(islice(rows, size)):
        yield chunk


def at_most(rows: Iterator[Record], n: int) -> Iterator[Record]:
    """The rows. Raises BadTable when there are more."""
    for number, row in enumerate(rows, 1):
        if number > n:
            raise BadTable(_("more than %(n)s rows", n=n))
        yield row


def _read_csv(path: Path) -> Iterator[Record]:
    with _text(path) as file:
        rows = _csv_rows(file)
        names = _header(rows)
        for number, row in enumerate(rows, 1):
            if not row:
                continue
            if len(row) != len(names):
                raise BadTable(
                    _(
                        "row %(row)s has %(n)s cells, the header has %(all)s",
                        row=number,
                        n=len(row),
                        all=len(names),
                    )
                )
            yield {
                name: None if cell in MISSING else cell
                for name, cell in zip(names, row, strict=True)
            }


def _csv_rows(file: TextIO) -> Iterator[list[str]]:
    reader = csv.reader(file, strict=True)
    try:
        yield from reader
    except (csv.Error, UnicodeDecodeError) as error:
        where, reason = reader.line_num + 1, _reason(error)
        raise BadTable(_("line %(line)s: %(reason)s", line=where, reason=reason)) from error


def _header(rows: Iterator[list[str]]) -> list[str]:
    names = next(rows, None)
    if not names:
        raise BadTable(_("the file is empty: its first line names the columns"))
    if len(names) > MAX_COLUMNS:
        raise BadTable(_("more than %(n)s columns", n=MAX_COLUMNS))
    seen: set[str] = set()
    for name in names:
        if not name.strip():
            raise BadTable(_("the header has an empty name"))
        if name in seen:
            raise BadTable(_("the header has %(name)s twice", name=name))
        seen.add(name)
    return names


def _text(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", newline="")


def _reason(error: Exception) -> str:
    return _("not UTF-8 text") if isinstance(error, UnicodeDecodeError) else str(error)


def _read_json(path: Path) -> Iterator[Record]:
    """The objects of an array, or of lines, without reading the whole file into memory."""
    decoder, number = json.JSONDecoder(parse_constant=_refuse_constant), 0
    with _text(path) as file:
        for value in _values(file, decoder):
            number += 1
            if not isinstance(value, dict):
                raise BadTable(_("row %(row)s is not an object", row=number))
            yield value


def _values(file: TextIO, decoder: json.JSONDecoder) -> Iterator[Any]:
    buffer, ended, in_array, first = "", False, False, True
    while True:
        buffer = buffer.lstrip()
        if first and buffer:
            in_array, first = buffer[0] == "[", False
            buffer = buffer[1:].lstrip() if in_array else buffer
        if buffer[:1] in (",", "]") and in_array:
            if buffer[0] == "]":
                return
            buffer = buffer[1:].lstrip()
        try:
            if not buffer:
                raise ValueError("more is needed")
            value, end = decoder.raw_decode(buffer)
            # A number or word at the end of what was read may go on.
            if end == len(buffer) and not ended:
                raise ValueError("more is needed")
        except (ValueError, RecursionError) as error:
            more = _more(file)
            if not more:
                if ended and not buffer and not in_array:
                    return
                if ended:
                    raise BadTable(_("not JSON: %(reason)s", reason=str(error))) from error
                ended = True
            if len(buffer) > PIECE_CHARACTERS + MAX_LINE:
                raise BadTable(_("not JSON, or one row of more than a megabyte")) from error
            buffer += more
            continue
        yield value
        buffer = buffer[end:]


def _more(file: TextIO) -> str:
    try:
        return file.read(PIECE_CHARACTERS)
    except UnicodeDecodeError as error:
        raise BadTable(_("not UTF-8 text")) from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _parquet(path: Path) -> Any:
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(path, memory_map=False)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise BadTable(_("not a Parquet file that can be read")) from error


def _read_parquet(path: Path) -> Iterator[Record]:
    import pyarrow

    try:
        for batch in _parquet(path).iter_batches(batch_size=CHUNK_ROWS):
            yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise BadTable(_("the Parquet file is broken")) from error
