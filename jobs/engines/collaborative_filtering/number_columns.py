"""Columns of a CSV file that holds nothing but plain numbers, read by whole blocks of bytes."""

from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt

# Bytes read at once; the positions of their fields take about as much again a few times.
BLOCK_BYTES = 4_000_000
# More digits would not fit a 64-bit number.
MOST_DIGITS = 18

NEWLINE, RETURN, COMMA, POINT, ZERO = (ord(c) for c in "\n\r,.0")
Bytes = npt.NDArray[np.uint8]
Column = npt.NDArray[Any]


class NotPlain(ValueError):
    """The file holds something else than plain numbers, all fields of every line filled."""


def number_columns(
    file: IO[bytes], places: Sequence[int], *, n_columns: int, whole: Sequence[int]
) -> list[Column]:
    """The columns at these places, from where the file stands. Raises NotPlain.

    Columns in `whole` must be whole numbers without leading zeros, and come as such; the others
    may have a point and come as float64."""
    parts: list[list[Column]] = [[] for _ in places]
    for block in _blocks(file):
        starts, ends = _fields(block, n_columns=n_columns)
        for part, place in zip(parts, places, strict=True):
            read = _whole if place in whole else _decimal
            part.append(read(block, starts[:, place], ends[:, place]))
    empty = [np.empty(0, np.int64 if place in whole else np.float64) for place in places]
    return [np.concatenate([none, *part]) for none, part in zip(empty, parts, strict=True)]


def _blocks(file: IO[bytes]) -> Iterator[Bytes]:
    """Whole lines."""
    rest = b""
    while read := file.read(BLOCK_BYTES):
        lines, newline, rest_of_it = (rest + read).rpartition(b"\n")
        rest = rest_of_it
        if newline:
            yield np.frombuffer(lines + newline, dtype=np.uint8)
    if rest:
        yield np.frombuffer(rest + b"\n", dtype=np.uint8)


def _fields(block: Bytes, *, n_columns: int) -> tuple[Column, Column]:
    """First byte and end of every field, (n_lines, n_columns) each."""
    line_ends = (block == NEWLINE).sum()
    found = np.flatnonzero((block == COMMA) | (block == NEWLINE))
    if len(found) != line_ends * n_columns:
        raise NotPlain
    ends: Column = found.reshape(-1, n_columns)
    if (block[ends[:, -1]] != NEWLINE).any():
        raise NotPlain
    starts = np.append(0, ends.ravel()[:-1] + 1).reshape(-1, n_columns)
    ends[:, -1] -= block[np.maximum(ends[:, -1] - 1, 0)] == RETURN
    return starts, ends


def _whole(block: Bytes, starts: Column, ends: Column) -> Column:
    if ((block[starts] == ZERO) & (ends - starts > 1)).any():
        raise NotPlain
    return _digits(block, starts, ends)


def _decimal(block: Bytes, starts: Column, ends: Column) -> Column:
    """Numbers with at most one point."""
    points = np.flatnonzero(block == POINT)
    place = np.searchsorted(points, starts)
    point = np.append(points, len(block))[place]
    has_point = point < ends
    values = _digits(block, starts, np.where(has_point, point, ends)).astype(np.float64)
    if has_point.any():
        after, until = point[has_point] + 1, ends[has_point]
        values[has_point] += _digits(block, after, until) / 10.0 ** (until - after)
    return values


def _digits(block: Bytes, starts: Column, ends: Column) -> Column:
    lengths = ends - starts
    if not len(lengths):
        return np.empty(0, dtype=np.int64)
    if lengths.min() < 1 or lengths.max() > MOST_DIGITS:
        raise NotPlain
    values = np.zeros(len(lengths), dtype=np.int64)
    for place in range(int(lengths.max())):
        inside = place < lengths
        digits = block[np.minimum(starts + place, len(block) - 1)] - np.uint8(ZERO)
        if (digits[inside] > 9).any():
            raise NotPlain
        values = np.where(inside, values * 10 + digits, values)
    return values
