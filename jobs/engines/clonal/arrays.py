"""Array aliases of the engine."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating[Any]]
"""float64, or float32 where a matrix is large."""
Ints = npt.NDArray[np.int64]
Progress = Callable[[float, str], None]
"""Called with the fraction done and what is being done; it may raise to cancel the run."""


def silent(_fraction: float, _text: str) -> None:
    """Nobody wants to hear about progress."""


def log_sum_exp(values: Floats, *, axis: int) -> Floats:
    """log of the sum of exponentials along an axis, safe for large negative values."""
    highest = values.max(axis=axis, keepdims=True)
    total = np.exp(values - highest).sum(axis=axis)
    return np.log(total) + np.squeeze(highest, axis=axis)
