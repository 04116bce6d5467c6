"""Interactions in and out as files: checked whole, every bad line named, stored whole or not at all.

Columns: user_id and item_id (numbers of this portal), kind (view, watch, download, rating, favourite;
"rating" when only a rating is given, otherwise "view"), value (rating: 1 to 5 stars, or under "rating";
watch: fraction of the video, 0 to 1), created_at (ISO 8601, UTC unless it says otherwise) or timestamp
(seconds since 1970; milli-, micro- and nanoseconds are told by their size), which tells where both stand.
An export has created_at and no rating or timestamp, so that it can be read in again.
"""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from dashboard.activity.models import Event
from dashboard.core.cells import safe_cell
from dashboard.core.database import session
from dashboard.recommendations.queries import MEETINGS

COLUMNS = ("user_id", "item_id", "kind", "value", "created_at")
ROWS_AT_ONCE = 5_000


class Format(StrEnum):
    """How a file of interactions is written."""

    CSV = "csv"
    JSON = "json"  # a list of objects, or one object a line
    PARQUET = "parquet"


MIME = {
    Format.CSV: "text/csv",
    Format.JSON: "application/json",
    Format.PARQUET: "application/vnd.apache.parquet",
}
SCHEMA = pa.schema(
    [
        ("user_id", pa.int64()),
        ("item_id", pa.int64()),
        ("kind", pa.string()),
        ("value", pa.float64()),
        ("created_at", pa.timestamp("us", tz="UTC")),
    ]
)


def list_rows() -> Iterator[list[dict[str, Any]]]:
    """All interactions, oldest first, some thousand at a time; later ones come with the next page."""
    last = 0
    kinds = [kind.value for kind in MEETINGS]
    while True:
        query = (
            select(
                *(Event.id, Event.user_id, Event.item_id, Event.kind, Event.value),
                Event.created_at,
            )
            .where(Event.id > last, Event.kind.in_(kinds))
            .order_by(Event.id)
            .limit(ROWS_AT_ONCE)
        )
        found = session.execute(query).all()
        if not found:
            return
        last = found[-1][0]
        yield [dict(zip(COLUMNS, row[1:], strict=True)) for row in found]


def as_csv() -> Iterator[str]:
    """The export as CSV, piece by piece."""
    yield ",".join(COLUMNS) + "\r\n"
    for rows in list_rows():
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerows([safe_cell(value) for value in _plain(row).values()] for row in rows)
        yield out.getvalue()


def as_json() -> Iterator[str]:
    """The export as one JSON list, piece by piece."""
    before = "["
    for rows in list_rows():
        yield before + ",\n".join(json.dumps(_plain(row)) for row in rows)
        before = ",\n"
    yield "[]" if before == "[" else "]"


def write_parquet(path: Path) -> None:
    """The export as Parquet, some thousand rows in memory at a time."""
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for rows in list_rows():
            aware = [{**row, "created_at": row["created_at"].replace(tzinfo=UTC)} for row in rows]
            writer.write_table(pa.Table.from_pylist(aware, schema=SCHEMA))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    moment: datetime = row["created_at"]
    return {**row, "created_at": f"{moment.isoformat()}Z"}
