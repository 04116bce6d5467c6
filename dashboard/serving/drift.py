"""How far inputs have moved from what a model was made for: PSI and Kolmogorov-Smirnov, input by input.

A baseline says, for each input, bins and the share of the training rows in each (jobs/engines/learning makes one;
for other models it comes from a reference table). The last bin holds what was never seen.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

# Bins that were empty in training or now count as this share, so that the logarithm stays finite.
LEAST_SHARE = 1e-4
# The usual reading of PSI (Siddiqi 2006): below 0.1 stable, above 0.25 shifted.
PSI_NOTICE, PSI_ALARM = 0.1, 0.25


@dataclass(frozen=True, slots=True)
class Drift:
    """How one input stands to its baseline."""

    field: str
    n: int
    psi: float
    ks: float | None
    """Largest difference of the cumulative shares; None for categories, which have no order."""
    unseen: float
    """Share of values that training never saw."""
    expected: list[float]
    found: list[float]
    labels: list[str]

    @property
    def level(self) -> str:
        """ok, notice or alarm."""
        if self.psi >= PSI_ALARM:
            return "alarm"
        return "notice" if self.psi >= PSI_NOTICE else "ok"


def bins_of(
    records: Sequence[Mapping[str, Any]], baseline: Mapping[str, Any]
) -> dict[str, list[int]]:
    """How many of the records' values fall into each bin, for the inputs that have a baseline."""
    found: dict[str, list[int]] = {}
    for name, spread in baseline.items():
        counts = [0] * len(spread["shares"])
        for record in records:
            if (value := record.get(name)) is not None:
                counts[_bin(value, spread)] += 1
        if any(counts):
            found[name] = counts
    return found


def _bin(value: Any, spread: Mapping[str, Any]) -> int:
    last = len(spread["shares"]) - 1
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
        if sum(counts.get(name, ())) and len(counts[name]) == len(spread["shares"])
    ]
    return sorted(found, key=lambda drift: -drift.psi)


def _measure(name: str, spread: Mapping[str, Any], counts: Sequence[int]) -> Drift:
    total = sum(counts)
    now, then = [count / total for count in counts], [float(s) for s in spread["shares"]]
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
