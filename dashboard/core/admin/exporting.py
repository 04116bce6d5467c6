"""Lists as files for spreadsheets: CSV and XLSX, in which no cell is taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from openpyxl import Workbook

from dashboard.core.cells import safe_cell

# XML, and so XLSX, has no place for these.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
# Excel reads a CSV file as UTF-8 only when it starts with this.
_BOM = "\ufeff"
MIME = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def as_csv(titles: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of a CSV file."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([str(title) for title in titles])
    yield _BOM + _taken(buffer)
    for row in rows:
        writer.writerow([_as_text(safe_cell(value)) for value in row])
        yield _taken(buffer)


def as_xlsx(titles: Sequence[Any], rows: Iterable[Sequence[Any]]) -> bytes:
    """An XLSX file."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([str(title) for title in titles])
    for row in rows:
        sheet.append([_clean(safe_cell(value)) for value in row])
    book.save(buffer := io.BytesIO())
    return buffer.getvalue()


def _as_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return value


def _clean(value: Any) -> Any:
    return _CONTROL.sub("", value)[:32_767] if isinstance(value, str) else value


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
