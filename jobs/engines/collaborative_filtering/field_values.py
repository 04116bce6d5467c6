"""Numbers and moments as CSV files write them."""

import math
from collections.abc import Collection
from datetime import UTC, datetime

import numpy as np

from jobs.engines.collaborative_filtering.arrays import Times

# The first of these that a file has tells when things happened.
TIME_COLUMNS = ("timestamp", "created_at")
# Beyond the year 5000 in seconds a number can only be milli-, then micro-, then nanoseconds.
LARGEST_SECONDS = 1e11
FINER_UNITS = 3
# From the year 1 on: what a datetime can hold.
EARLIEST_S = -62_135_596_800
EXPECTED_TIME = "expected a time such as 2018-09-28 14:38:15 or seconds since 1970"


def time_column(header: Collection[str]) -> str | None:
    """The column of times, where the file has one."""
    return next((name for name in TIME_COLUMNS if name in header), None)


def number_of(text: str) -> float:
    """NaN for what is not a finite number. Python also reads 1_000, which no other program does."""
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def seconds_of(text: str) -> float:
    """Seconds since 1970 of a time, UTC without a zone, or of such a number; NaN for anything else."""
    # Digits are a number first: Python would take some numbers of milliseconds for a date.
    try:
        moment = datetime.fromisoformat(text) if not text.isdigit() else None
    except ValueError:
        moment = None
    if moment is None:
        return float(seconds(np.array(number_of(text))))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def seconds(numbers: Times) -> Times:
    """Milli-, micro- and nanoseconds become seconds; NaN for what is no time in any of these units."""
    times = numbers.astype(np.float64)
    for _ in range(FINER_UNITS):
        times = np.where(np.abs(times) > LARGEST_SECONDS, times / 1000, times)
    return np.where((times >= EARLIEST_S) & (times <= LARGEST_SECONDS), times, np.nan)
