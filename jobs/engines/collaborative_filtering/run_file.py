"""A training run as one .npz file, written whole or not at all."""

import json
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.metrics import Figure, MetricRow, SegmentRow
from jobs.engines.collaborative_filtering.results import ActivityGrid, Neighbours
from jobs.engines.collaborative_filtering.trained import TrainedModel

FORMAT = 3
TABLES = ("neighbours", "user_neighbours", "content")
TEXTS = (
    *("metrics", "segments", "notes", "recency", "floor", "floor_days"),
    *("choice", "n_pairs", "newest_s"),
)


class NotARun(ValueError):
    """The file does not hold a training run."""


def save_run(model: TrainedModel, path: Path) -> None:
    """Write the run; a reader sees the old file or the new one, never a part."""
    state = _arrays(model) | {"text": np.array(json.dumps(_texts(model)))}
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            np.savez(file, **state)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def load_run(path: Path) -> TrainedModel:
    """The run that `save_run` wrote. Raises NotARun when the file holds anything else."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            state = dict(file)
        return _model(state, json.loads(state.pop("text").item()))
    except (KeyError, TypeError, ValueError, EOFError, AttributeError, BadZipFile) as error:
        raise NotARun(f"{path.name} does not hold a training run") from error


def _arrays(model: TrainedModel) -> dict[str, Any]:
    plain = {f.name: getattr(model, f.name) for f in fields(model)}
    arrays = {name: value for name, value in plain.items() if name not in (*TABLES, *TEXTS, "grid")}
    for table in (*TABLES, "grid"):
        parts = asdict(plain[table])
        arrays |= {f"{table}.{part}": array for part, array in parts.items()}
    return arrays


def _texts(model: TrainedModel) -> dict[str, Any]:
    values = {name: getattr(model, name) for name in TEXTS}
    return values | {
        "format": FORMAT,
        "metrics": [asdict(row) for row in model.metrics],
        "segments": [asdict(row) for row in model.segments],
    }


def _model(state: dict[str, npt.NDArray[Any]], texts: dict[str, Any]) -> TrainedModel:
    if texts.pop("format") != FORMAT:
        raise ValueError("written by another version")
    texts["notes"] = tuple(texts["notes"])
    texts["metrics"] = tuple(_row(row) for row in texts["metrics"])
    texts["segments"] = tuple(_segment(row) for row in texts["segments"])
    for table in TABLES:
        parts = {part: state.pop(f"{table}.{part}") for part in ("indptr", "indices", "data")}
        texts[table] = Neighbours(**parts)
    grid = {part: state.pop(f"grid.{part}") for part in ("share", "n_users", "n_items")}
    texts["grid"] = ActivityGrid(**grid)
    values: dict[str, Any] = {**state, **texts}
    return TrainedModel(**values)


def _segment(row: dict[str, Any]) -> SegmentRow:
    return SegmentRow(**row | {name: Figure(**row[name]) for name in ("recall", "ndcg")})


def _row(row: dict[str, Any]) -> MetricRow:
    return MetricRow(**row | {name: Figure(**row[name]) for name in ("recall", "ndcg", "map")})
