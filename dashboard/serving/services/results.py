"""Results of prediction tasks: the parts that are done, their summaries, and the whole in the format asked for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from dashboard.core.cells import safe_cell
from dashboard.serving import queries, tables
from dashboard.serving.models import PredictionTask, TaskState

Row = dict[str, Any]
"""{"row": number, "outputs": {...}} or {"row": number, "error": text}"""


def first_results(task: PredictionTask, *, n: int) -> list[Row]:
    """The first rows of a completed task's result."""
    if task.state != TaskState.DONE:
        return []
    found: list[Row] = []
    for path in parts(task):
        with path.open(encoding="utf-8") as file:
            found += [
                json.loads(line) for _n, line in zip(range(n - len(found)), file, strict=False)
            ]
        if len(found) >= n:
            break
    return found


def assemble(task: PredictionTask, paths: list[Path]) -> Path:
    """The result in the format that was asked for, renamed into place when it is whole."""
    path = queries.task_folder(task) / f"result.{task.result_format}"
    part = path.with_suffix(".part")
    writer = {"csv": _write_csv, "parquet": _write_parquet}.get(task.result_format, _write_json)
    names = list(dict.fromkeys(name for each in summaries(task) for name in each["names"]))
    writer(part, paths, names)
    part.rename(path)
    return path


def parts(task: PredictionTask) -> list[Path]:
    return sorted((queries.task_folder(task) / "parts").glob("*.jsonl"))


def summaries(task: PredictionTask) -> Iterator[dict[str, Any]]:
    for path in parts(task):
        yield orjson.loads(path.with_suffix(".json").read_bytes())


def _lines(paths: list[Path]) -> Iterator[Row]:
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                yield orjson.loads(line)


def _write_json(path: Path, paths: list[Path], _names: list[str]) -> None:
    with path.open("wb") as out:
        out.write(b"[")
        before = b"\n"
        for part in paths:
            with part.open("rb") as file:
                for line in file:
                    out.write(before + line.rstrip(b"\n"))
                    before = b",\n"
        out.write(b"\n]\n")


def _write_csv(path: Path, paths: list[Path], names: list[str]) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", *map(safe_cell, names), "error"])
        for row in _lines(paths):
            values = row.get("outputs", {})
            cells = [_cell(values.get(name)) for name in names]
            writer.writerow([row["row"], *cells, safe_cell(row.get("error", ""))])


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return safe_cell(value)


def _write_parquet(path: Path, paths: list[Path], names: list[str]) -> None:
    import pyarrow
    from pyarrow import parquet

    kinds = _parquet_types(paths, names)
    schema = pyarrow.schema([("row", pyarrow.int64()), *kinds.items(), ("error", pyarrow.string())])
    with parquet.ParquetWriter(path, schema) as writer:
        for chunk in tables.chunks(_lines(paths), size=10 * tables.CHUNK_ROWS):
            columns: dict[str, list[Any]] = {
                name: [
                    _parquet_cell(row.get("outputs", {}).get(name), kinds[name]) for row in chunk
                ]
                for name in names
            }
            columns["row"] = [row["row"] for row in chunk]
            columns["error"] = [row.get("error") for row in chunk]
            writer.write_table(pyarrow.table(columns, schema=schema))


def _parquet_types(paths: list[Path], names: list[str]) -> dict[str, Any]:
    """One type for each output over all rows: truths, whole numbers, numbers, or text (JSON for the rest)."""
    import pyarrow

    seen: dict[str, set[type]] = {name: set() for name in names}
    for row in _lines(paths):
        for name, value in row.get("outputs", {}).items():
            if value is not None:
                seen[name].add(type(value))
    types: list[tuple[set[type], Any]] = [
        ({bool}, pyarrow.bool_()),
        ({int}, pyarrow.int64()),
        ({int, float}, pyarrow.float64()),
    ]
    return {
        name: next(
            (kind for allowed, kind in types if found and found <= allowed), pyarrow.string()
        )
        for name, found in seen.items()
    }


def _parquet_cell(value: Any, kind: Any) -> Any:
    import pyarrow

    if value is None or kind != pyarrow.string():
        return float(value) if value is not None and kind == pyarrow.float64() else value
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
