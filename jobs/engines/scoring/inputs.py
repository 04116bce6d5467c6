"""Records out of JSON and CSV, in the forms that callers send."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from jobs.engines.scoring.checking import scalar_kind
from jobs.engines.scoring.description import Field, ModelDescription
from jobs.engines.scoring.errors import InvalidInput, Problem, shortened
from jobs.engines.scoring.runtime import Record

WRAPPERS = ("records", "X", "instances")
"""Names under which a request may hold its records; `X` is DaaS' and AI-Serving's."""
FILTERS = ("outputs", "filter")
MAX_CSV_FIELD = 2**20


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks."""

    records: list[Any]
    outputs: tuple[str, ...] = ()
    """The outputs wanted; empty means all."""


def parse_request(
    body: bytes, description: ModelDescription, *, names: Set[str] | None = None
) -> Request:
    """The request in a JSON body. Raises InvalidInput.

    Forms: `[{...}, ...]`, `{"records": [...]}` (or X, instances), `{"columns": [...], "data": [[...]]}` alone or
    under one of these names (or `split`), or a single record; beside them `"outputs": [names]` (or filter).
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _invalid(f"JSON ({str(error)[:120]})") from error
    return request_of(data, description, names=names)


def request_of(
    data: Any, description: ModelDescription, *, names: Set[str] | None = None
) -> Request:
    """The request in parsed JSON; `names` are those of the inputs, for who has them ready. Raises InvalidInput."""
    if names is None:
        names = {each.name for each in description.inputs}
    if not isinstance(data, dict) or (names and data.keys() <= names):
        return Request(_records(data))
    held = [name for name in (*WRAPPERS, "split") if name in data]
    if not held and "columns" not in data:
        if any(name in data for name in FILTERS) and not names & set(FILTERS):
            raise _invalid('records beside the outputs, like {"records": [...], "outputs": [...]}')
        return Request([data])
    outputs: Any = next((data[name] for name in FILTERS if data.get(name)), [])
    return Request(_records(data[held[0]] if held else data), _outputs(outputs, description))


def _records(data: Any) -> list[Any]:
    if isinstance(data, list):
        found = data
    elif isinstance(data, dict) and "columns" in data and "data" in data:
        found = _from_split(data)
    elif isinstance(data, dict):
        found = [data]
    else:
        raise _invalid("a list of records", data)
    if not found:
        raise _invalid("at least one record")
    return found


def _from_split(data: dict[str, Any]) -> list[Any]:
    columns, rows = data["columns"], data["data"]
    if not isinstance(columns, list) or not all(isinstance(each, str) for each in columns):
        raise _invalid("`columns` as a list of names", columns)
    if len(set(columns)) != len(columns):
        raise _invalid("each name once in `columns`", columns)
    if not isinstance(rows, list):
        raise _invalid("`data` as a list of rows", rows)
    found, n = [], len(columns)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != n:
            expected = f"a row of {n} values, one for each of `columns`"
            raise InvalidInput([Problem(number, "", "record", expected, shortened(row))])
        found.append(dict(zip(columns, row, strict=True)))
    return found


def _outputs(names: Any, description: ModelDescription) -> tuple[str, ...]:
    known = [each.name for each in description.outputs]
    if not isinstance(names, list) or any(name not in known for name in names):
        listed = ", ".join(repr(name) for name in known[:20])
        raise InvalidInput(
            [Problem(0, "outputs", "name", f"a list of outputs among {listed}", shortened(names))]
        )
    return tuple(names)


def _invalid(expected: str, value: Any = None) -> InvalidInput:
    return InvalidInput([Problem(0, "", "record", expected, shortened(value))])


# ------------------------------------------------------------------------------------------------------ CSV


def read_rows(path: Path, description: ModelDescription) -> Iterator[Record]:
    """The records of a CSV or JSON file (told by its content), one after the other. Raises InvalidInput."""
    with path.open("rb") as file:
        head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith((b"[", b"{")):
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
        return iter(parse_request(data, description).records)
    return read_csv(path, description)


def read_csv(path: Path, description: ModelDescription) -> Iterator[Record]:
    """The rows of a table in UTF-8 whose first line names the columns. Columns that are no input are left out."""
    csv.field_size_limit(MAX_CSV_FIELD)
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            yield from _rows_of(file, description)
        except UnicodeDecodeError as error:
            raise _invalid("a table in UTF-8") from error
        except csv.Error as error:
            raise _invalid(f"a CSV table ({error})") from error


def read_csv_text(text: str, description: ModelDescription) -> list[Record]:
    """The rows of a table that is in memory."""
    return list(_rows_of(io.StringIO(text), description))


def _rows_of(file: Any, description: ModelDescription) -> Iterator[Record]:
    reader = csv.reader(file, _dialect(file))
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise _invalid("a table whose first line names the columns")
    make = record_maker(header, description)
    row = 0
    for cells in reader:
        if not cells:
            continue
        row += 1
        if len(cells) != len(header):
            expected = f"{len(header)} cells, one for each column"
            raise InvalidInput([Problem(row, "", "record", expected, f"{len(cells)} cells")])
        yield make(cells)
    if not row:
        raise _invalid("at least one row below the names of the columns")


def _dialect(file: Any) -> type[csv.Dialect]:
    line = file.readline()
    file.seek(0)
    counts = {mark: line.count(mark) for mark in ",;\t"}
    best = max(counts, key=lambda mark: counts[mark])

    class Table(csv.excel):
        delimiter = best if counts[best] else ","

    return Table


def record_maker(
    header: Sequence[str], description: ModelDescription
) -> Callable[[Sequence[Any]], Record]:
    """A function from the cells of a row to a record. Raises InvalidInput when the columns do not fit."""
    places = {name: place for place, name in reversed(list(enumerate(header)))}
    problems: list[Problem] = []
    takers: list[tuple[str, Callable[[Sequence[Any]], Any]]] = []
    for field in description.inputs:
        found = _columns_of(field, places, description, n_columns=len(header))
        if isinstance(found, int):
            takers.append((field.name, _take_one(field, found)))
        elif found:
            takers.append((field.name, _take_many(field, found)))
        elif not field.omittable:
            named = ", ".join(repr(name) for name in header[:12])
            expected = f"a column of this name; the table has {named}"
            problems.append(Problem(0, field.name, "missing", expected))
    if problems:
        raise InvalidInput(problems)
    return lambda cells: {name: take(cells) for name, take in takers}


def _columns_of(
    field: Field, places: dict[str, int], description: ModelDescription, *, n_columns: int
) -> int | list[int] | None:
    if field.name in places:
        return places[field.name]
    if len(field.dimension) != 1 or field.dimension[0] is None:
        return None
    n = field.dimension[0]
    for names in (field.columns, [f"{field.name}[{place}]" for place in range(n)]):
        if len(names) == n and all(name in places for name in names):
            return [places[name] for name in names]
    # A model whose one input is a nameless row of numbers: the columns are its elements, in order.
    if len(description.inputs) == 1 and n_columns == n and not field.columns:
        return list(range(n))
    return None


def _take_one(field: Field, place: int) -> Callable[[Sequence[Any]], Any]:
    read = _cell_reader(field)
    if field.dimension:
        return lambda cells: _json_or_text(cells[place])
    return lambda cells: read(cells[place])


def _take_many(field: Field, places: list[int]) -> Callable[[Sequence[Any]], Any]:
    read = _cell_reader(field)
    return lambda cells: [read(cells[place]) for place in places]


def _json_or_text(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        return cell


def _cell_reader(field: Field) -> Callable[[Any], Any]:
    """Text to value: an empty cell is missing, and what cannot be read stays text for the checker to name."""
    kind = scalar_kind(field.type)
    if kind == "string":
        return lambda cell: (cell or None) if isinstance(cell, str) else cell
    if kind == "boolean":
        return lambda cell: (
            _TRUTH.get(cell.strip().lower(), cell or None) if isinstance(cell, str) else cell
        )
    return _read_number


_TRUTH: dict[str, Any] = {"true": True, "false": False, "1": True, "0": False}


def _read_number(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if "_" in text:
        return cell  # Python would read 1_000 as a number
    if not text:
        return None
    try:
        return int(text) if text.lstrip("+-").isdecimal() and text.isascii() else float(text)
    except ValueError:
        return cell
