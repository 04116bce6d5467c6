"""A CSV file as typed columns: numbers where every value is one, categories otherwise."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from _csv import Reader

MAX_ROWS, MAX_COLUMNS = 200_000, 500
# A column of texts with more different values than this is no category: a name, an id, a remark.
MAX_CATEGORIES = 100
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})


class BadTable(ValueError):
    """The file is no table one could learn from; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Of a numeric one `numbers` (n_rows,) float64, NaN where missing; else `texts`, "" where missing."""

    name: str
    numbers: NDArray[np.float64] | None
    texts: list[str]

    @property
    def numeric(self) -> bool:
        return self.numbers is not None

    @property
    def categories(self) -> list[str]:
        """The different texts, sorted, missing left out."""
        return sorted(set(self.texts) - {""})


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one length, in the file's order."""

    columns: list[Column]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def n_rows(self) -> int:
        return len(self.columns[0].texts)

    def column(self, name: str) -> Column:
        """The column of this name; KeyError."""
        return {column.name: column for column in self.columns}[name]


def read_table(path: Path) -> Table:
    """The table in a CSV file (UTF-8, first line names the columns). Raises BadTable."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            names = _header(rows)
            cells = list(_rows(rows, n_columns=len(names)))
    except UnicodeDecodeError as error:
        raise BadTable("the file is not UTF-8 text") from error
    except csv.Error as error:
        raise BadTable(f"the file is not CSV: {error}") from error
    if not cells:
        raise BadTable("the table has no rows")
    return Table([_column(name, [row[n] for row in cells]) for n, name in enumerate(names)])


def _header(rows: "Reader") -> list[str]:
    names = [name.strip() for name in next(rows, [])]
    if len(names) < 2:
        raise BadTable("the first line must name at least two columns")
    if len(names) > MAX_COLUMNS:
        raise BadTable(f"at most {MAX_COLUMNS} columns")
    if "" in names or len(set(names)) != len(names):
        raise BadTable("every column needs a name of its own")
    return names


def _rows(rows: "Reader", *, n_columns: int) -> list[list[str]]:
    found: list[list[str]] = []
    for row in rows:
        if not row:
            continue
        if len(row) != n_columns:
            raise BadTable(f"line {rows.line_num} has {len(row)} cells, the first has {n_columns}")
        if len(found) == MAX_ROWS:
            raise BadTable(f"at most {MAX_ROWS} rows")
        found.append(row)
    return found


def _column(name: str, cells: list[str]) -> Column:
    texts = ["" if cell.strip().lower() in MISSING else cell.strip() for cell in cells]
    numbers = np.array([_number(text) for text in texts], dtype=object)
    if any(number is None for number in numbers) or not any(texts):
        return Column(name, None, texts)
    return Column(name, numbers.astype(np.float64), texts)


def _number(text: str) -> float | None:
    """NaN for a missing value, None for what is no finite number."""
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
