"""How far inputs have moved from what a model was made for: PSI and Kolmogorov-Smirnov, input by input.

A baseline says, for each input, bins and the share of the training rows in each; the last bin holds what was never
seen. A model trained here brings one (jobs/engines/learning), a PMML file may (jobs/engines/scoring/spreads.py), and
for any version one can be made of a table of reference (`baseline_of`). Where a file declares only what is allowed,
shares are None: then it is counted where the values fall, and there is nothing to measure.
"""

import math
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

# Ten is what the rules of thumb of PSI speak of.
N_BINS = 10
# Texts told apart; the rest counts as never seen.
MAX_VALUES = 1000
# Bins that were empty in training or now count as this share, so that the logarithm stays finite.
LEAST_SHARE = 1e-4
# The usual reading of PSI (Siddiqi 2006): below 0.1 stable, above 0.25 shifted.
PSI_NOTICE, PSI_ALARM = 0.1, 0.25


@dataclass(frozen=True, slots=True)
class Column:
    """What is counted: an input, or one element of an input that is a row of numbers."""

    label: str
    field: str
    place: int | None = None
    numeric: bool = True

    @classmethod
    def of(cls, label: str, spread: Mapping[str, Any]) -> "Column":
        """What a spread of a baseline counts."""
        return cls(label, *spread.get("of", (label, None)))

    def value(self, record: Mapping[str, Any]) -> Any:
        """The record's value; None when it has none."""
        value = record.get(self.field)
        if self.place is None:
            return value
        return value[self.place] if isinstance(value, list) and self.place < len(value) else None


@dataclass(frozen=True, slots=True)
class Drift:
    """How one input stands to its baseline."""

    field: str
    n: int
    psi: float | None
    """None when it is not known how often the values came in training."""
    ks: float | None
    """Largest difference of the cumulative shares; None for categories, which have no order."""
    unseen: float
    """Share of values that training never saw, or that the model does not allow."""
    expected: list[float]
    """Empty when it is not known."""
    found: list[float]
    labels: list[str]

    @property
    def level(self) -> str:
        """ok, notice or alarm; empty when it is not known."""
        if self.psi is None:
            return ""
        if self.psi >= PSI_ALARM:
            return "alarm"
        return "notice" if self.psi >= PSI_NOTICE else "ok"


def bins_of(
    records: Sequence[Mapping[str, Any]], baseline: Mapping[str, Any]
) -> dict[str, list[int]]:
    """How many of the records' values fall into each bin, for the inputs that have a baseline."""
    found: dict[str, list[int]] = {}
    for name, spread in baseline.items():
        counts, column = [0] * n_bins(spread), Column.of(name, spread)
        for record in records:
            if (value := column.value(record)) is not None:
                counts[_bin(value, spread)] += 1
        if any(counts):
            found[name] = counts
    return found


def n_bins(spread: Mapping[str, Any]) -> int:
    """How many bins an input has, the last one for what was never seen among them."""
    return len(spread["values"]) + 1 if "values" in spread else len(spread["edges"])


def _bin(value: Any, spread: Mapping[str, Any]) -> int:
    last = n_bins(spread) - 1
    if "values" in spread:
        try:
            return int(spread["values"].index(str(value)))
        except ValueError:
            return last
    edges = spread["edges"]
    try:
        number = float(value)
    except (TypeError, ValueError):
        return last
    if math.isnan(number) or not edges[0] <= number <= edges[-1]:
        return last
    return min(bisect_right(edges, number) - 1, last - 1)


def measure(baseline: Mapping[str, Any], counts: Mapping[str, Sequence[int]]) -> list[Drift]:
    """The drift of every input that was counted, worst first."""
    found = [
        _measure(name, spread, counts[name])
        for name, spread in baseline.items()
        if sum(counts.get(name, ())) and len(counts[name]) == n_bins(spread)
    ]
    return sorted(found, key=lambda drift: -1 if drift.psi is None else drift.psi, reverse=True)


def _measure(name: str, spread: Mapping[str, Any], counts: Sequence[int]) -> Drift:
    total = sum(counts)
    now = [count / total for count in counts]
    if spread["shares"] is None:
        return Drift(
            field=name,
            n=total,
            psi=None,
            ks=None,
            unseen=now[-1],
            expected=[],
            found=now,
            labels=_labels(spread),
        )
    then = [float(share) for share in spread["shares"]]
    psi = sum(
        (max(a, LEAST_SHARE) - max(b, LEAST_SHARE))
        * math.log(max(a, LEAST_SHARE) / max(b, LEAST_SHARE))
        for a, b in zip(now, then, strict=True)
    )
    return Drift(
        field=name,
        n=total,
        psi=psi,
        ks=None if "values" in spread else _ks(then, now),
        unseen=now[-1],
        expected=then,
        found=now,
        labels=_labels(spread),
    )


def baseline_of(
    records: Iterable[Mapping[str, Any]], columns: Sequence[Column]
) -> tuple[dict[str, Any], int]:
    """The baseline that a table of reference makes, and how many rows it had.

    A text where a number belongs is left out, as is a column without values.
    """
    n_rows = 0
    numbers = {each: array("d") for each in columns if each.numeric}
    texts: dict[Column, Counter[str]] = {each: Counter() for each in columns if not each.numeric}
    for n_rows, record in enumerate(records, 1):  # noqa: B007 - its last value is told
        for column, values in numbers.items():
            if (number := _finite(column.value(record))) is not None:
                values.append(number)
        for column, counts in texts.items():
            if (value := column.value(record)) is not None:
                counts[str(value)] += 1
    found = {column: _spread_of_numbers(values) for column, values in numbers.items() if values}
    found |= {column: _spread_of_texts(counts) for column, counts in texts.items() if counts}
    return {
        each.label: {**found[each], "of": [each.field, each.place]}
        for each in columns
        if each in found
    }, n_rows


def _spread_of_numbers(values: "array[float]") -> dict[str, Any]:
    import numpy as np

    numbers = np.frombuffer(values)
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, N_BINS + 1)))
    if len(edges) < 2:
        edges = np.array([edges[0], edges[0] + 1.0])
    counts, _edges = np.histogram(numbers, edges)
    shares = [round(float(share), 6) for share in counts / len(numbers)]
    return {"edges": [float(edge) for edge in edges], "shares": [*shares, 0.0]}


def _spread_of_texts(counts: "Counter[str]") -> dict[str, Any]:
    kept = sorted(name for name, _count in counts.most_common(MAX_VALUES))
    total = counts.total()
    shares = [round(counts[name] / total, 6) for name in kept]
    return {"values": kept, "shares": [*shares, round(max(0.0, 1 - sum(shares)), 6)]}


def _finite(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _ks(then: Sequence[float], now: Sequence[float]) -> float:
    gap = most = 0.0
    for a, b in zip(now, then, strict=True):
        gap += a - b
        most = max(most, abs(gap))
    return most


def _labels(spread: Mapping[str, Any]) -> list[str]:
    if "values" in spread:
        return [*map(str, spread["values"]), "…"]
    edges = spread["edges"]
    return [*(f"{a:.4g} – {b:.4g}" for a, b in pairwise(edges)), "…"]
