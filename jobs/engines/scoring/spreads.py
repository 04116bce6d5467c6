"""How the inputs of a PMML model are spread, as far as its file says: what drift is measured against.

{name: {"edges": [...], "shares": [...]}} for numbers, {name: {"values": [...], "shares": [...]}} for categories.
`shares` are those of the rows that the model learnt from, one for each bin or value and a last one for everything
that was not seen; None where the file declares only what is allowed, and not how often it came.

Source: PMML 4.4, Statistics (UnivariateStats: NumericInfo, DiscrStats, ContStats) and DataDictionary.
"""

from __future__ import annotations

import math
import re
import xml.sax
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from defusedxml import sax as safe_sax
from defusedxml.common import DefusedXmlException

from jobs.engines.scoring.description import Field, ModelDescription

Spread = dict[str, Any]
# Of a range without frequencies.
N_BINS = 10
MAX_VALUES = 1000
STATISTICS_DEPTH = 4  # PMML / the model / ModelStats / UnivariateStats
_ARRAY = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


def declared_spreads(path: Path, description: ModelDescription) -> dict[str, Spread]:
    """The spread of every input of which the file says one; empty for what is no PMML."""
    if description.format != "pmml":
        return {}
    said = _read(path)
    found = {each.name: _spread(each, said.get(each.name)) for each in description.inputs}
    return {name: spread for name, spread in found.items() if spread is not None}


@dataclass
class _Stats:
    """The UnivariateStats of one field."""

    info: dict[str, str] = field(default_factory=dict)
    quantiles: list[tuple[float, float]] = field(default_factory=list)
    """(share, value)"""
    intervals: list[tuple[float, float]] = field(default_factory=list)
    discrete: list[list[str]] = field(default_factory=list)
    continuous: list[list[str]] = field(default_factory=list)


def _spread(declared: Field, stats: _Stats | None) -> Spread | None:
    if declared.dimension:
        return None
    if stats is not None and (found := _of_statistics(declared, stats)):
        return found
    if declared.values:
        names = [str(value) for value in declared.values[:MAX_VALUES]]
        return {"values": names, "shares": None}
    if len(declared.intervals) == 1:
        return _range(declared.intervals[0].low, declared.intervals[0].high)
    return None


def _of_statistics(declared: Field, stats: _Stats) -> Spread | None:
    """The most exact of what the statistics hold: frequencies, quantiles, or the least and the largest value."""
    if len(stats.discrete) >= 2 and not (declared.numeric and declared.optype == "continuous"):
        names, counts = stats.discrete[0], _numbers(stats.discrete[1])
        if counts and len(counts) == len(names):
            return _shared({"values": names[:MAX_VALUES]}, counts[:MAX_VALUES], sum(counts))
    if stats.intervals and stats.continuous:
        counts = _numbers(stats.continuous[0])
        edges = [stats.intervals[0][0], *(high for _low, high in stats.intervals)]
        joined = all(a[1] == b[0] for a, b in pairwise(stats.intervals))
        if joined and _rising(edges) and counts and len(counts) == len(stats.intervals):
            return _shared({"edges": edges}, counts, sum(counts))
    low, high = _number(stats.info.get("minimum")), _number(stats.info.get("maximum"))
    if low is None or high is None:
        return None
    return _of_quantiles(low, high, stats) or _range(low, high)


def _of_quantiles(low: float, high: float, stats: _Stats) -> Spread | None:
    points = {0.0: low, 1.0: high, **dict(stats.quantiles)}
    if (median := _number(stats.info.get("median"))) is not None:
        points[0.5] = median
    shares, edges = zip(*sorted(points.items()), strict=True)
    if len(edges) < 3 or not _rising(edges):
        return None
    return _shared({"edges": list(edges)}, [b - a for a, b in pairwise(shares)], 1.0)


def _shared(spread: Spread, counts: list[float], total: float) -> Spread | None:
    if total <= 0 or min(counts) < 0:
        return None
    return {**spread, "shares": [*(round(count / total, 6) for count in counts), 0.0]}


def _range(low: float | None, high: float | None) -> Spread | None:
    if low is None or high is None or not _rising((low, high)):
        return None
    edges = [low + (high - low) * place / N_BINS for place in range(N_BINS)]
    return {"edges": [*edges, high], "shares": None}


def _rising(edges: Any) -> bool:
    return all(math.isfinite(each) for each in edges) and all(a < b for a, b in pairwise(edges))


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _numbers(texts: list[str]) -> list[float]:
    found = [_number(text) for text in texts]
    return [each for each in found if each is not None] if None not in found else []


def _read(path: Path) -> dict[str, _Stats]:
    reader = _Reader()
    try:
        with path.open("rb") as file:
            safe_sax.parse(file, reader, forbid_dtd=True)
    except (DefusedXmlException, xml.sax.SAXException, ValueError, LookupError):
        # The engine has read the file; what is odd about its statistics is no reason to refuse it.
        return {}
    return reader.found


class _Reader(xml.sax.ContentHandler):
    """Collects the UnivariateStats of the outermost model."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, _Stats] = {}
        self._path: list[str] = []
        self._stats: _Stats | None = None
        self._text: list[str] | None = None

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 - SAX names it
        local = name.rpartition(":")[2]
        self._path.append(local)
        if local == "UnivariateStats" and len(self._path) == STATISTICS_DEPTH:
            self._stats = self.found.setdefault(attrs.get("field", ""), _Stats())
        if self._stats is None:
            return
        if local == "NumericInfo":
            self._stats.info = dict(attrs.items())
        elif local == "Quantile":
            share, value = _number(attrs.get("quantileLimit")), _number(attrs.get("quantileValue"))
            if share is not None and value is not None:
                self._stats.quantiles.append((share / 100, value))
        elif local == "Interval":
            low, high = _number(attrs.get("leftMargin")), _number(attrs.get("rightMargin"))
            if low is not None and high is not None:
                self._stats.intervals.append((low, high))
        elif local == "Array":
            self._text = []

    def characters(self, content: str) -> None:
        if self._text is not None:
            self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: N802 - SAX names it
        local = self._path.pop()
        if self._stats is not None and local == "Array" and self._text is not None:
            words = [
                re.sub(r"\\(.)", r"\1", quoted) if bare == "" else bare
                for quoted, bare in _ARRAY.findall("".join(self._text))
            ]
            parent = self._path[-1]
            if parent == "DiscrStats":
                self._stats.discrete.append(words)
            elif parent == "ContStats":
                self._stats.continuous.append(words)
            self._text = None
        if local == "UnivariateStats" and len(self._path) == STATISTICS_DEPTH - 1:
            self._stats = None
