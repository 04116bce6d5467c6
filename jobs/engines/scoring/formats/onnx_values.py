"""Values of records as ONNX tensors, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from jobs.engines.scoring.description import Field
from jobs.engines.scoring.errors import PredictionFailed
from jobs.engines.scoring.runtime import Record


class Input:
    """Makes arrays of the values of one input."""

    def __init__(self, field_: Field) -> None:
        import numpy as np

        self.name, self._field = field_.name, field_
        self._np = np
        self.dtype = _dtype(field_.type)
        self._rank = len(field_.shape or ())
        self._whole_shape = tuple(-1 if size is None else size for size in field_.shape or ())
        self._row_shape = self._whole_shape[1:]

    def is_whole(self, record: Record) -> bool:
        """Whether the record brings the batch dimension along."""
        return self._rank > 0 and depth(record[self.name]) == self._rank

    def rows(self, records: Sequence[Record]) -> Any:
        name = self.name
        values = self._np.array([record[name] for record in records], dtype=self.dtype)
        if self._rank == values.ndim:
            return values
        return self._reshape(values, (len(records), *self._row_shape))

    def whole(self, value: Any) -> Any:
        values = self._np.array(value, dtype=self.dtype)
        return values if values.ndim == self._rank else self._reshape(values, self._whole_shape)

    def _reshape(self, values: Any, shape: tuple[int, ...]) -> Any:
        if shape.count(-1) > 1:
            raise PredictionFailed("a value has not the shape that the model takes")
        return values.reshape(shape)


def depth(value: Any) -> int:
    """How many lists are nested around the first element."""
    found = 0
    while isinstance(value, list):
        found += 1
        value = value[0] if value else None
    return found


_NUMPY = {"float": "float32", "double": "float64", "string": "object"}


def _dtype(type_: str) -> str:
    inner = type_.removeprefix("tensor(").removesuffix(")")
    return _NUMPY.get(inner, inner)


def rows_of(values: Any, n: int) -> list[Any]:
    """The answers of the first n records in one output."""
    if isinstance(values, list):
        return [plain(each) for each in values[:n]]
    if values.ndim == 0:
        return []
    # A column of single values, as regressors give it, is a value a record.
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    return list(plain(values[:n]))


def plain(value: Any) -> Any:
    """Python's own types; what is no number becomes None, because JSON has no word for it."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not hasattr(value, "tolist"):
        return value
    listed = value.tolist()
    if value.dtype.kind == "f" and not _all_finite(value):
        return plain(listed)
    return listed


def _all_finite(values: Any) -> bool:
    import numpy as np

    return bool(np.isfinite(values).all())
