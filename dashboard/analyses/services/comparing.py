"""Two results side by side: the same bytes, or how far they agree."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.core.errors import Conflict
from dashboard.core.i18n import _
from jobs.engines import clonal
from jobs.engines.clonal import Clustering

TABLES = ("tables/cluster.tsv", "tables/loci.tsv")
MAX_DIFFERENCES = 20


@dataclass(frozen=True)
class Comparison:
    """How two runs agree on the mutations that both have."""

    n_shared: int
    n_first_only: int
    n_second_only: int
    v_measure: float
    homogeneity: float
    completeness: float
    matches: list[dict[str, Any]]
    """Matched clusters: numbers, sizes, mutations in both, the distance of their prevalences."""


def compare_tables(first: Path, second: Path) -> dict[str, Any]:
    """Whether the tables in two folders are the same, byte for byte, and where they are not."""
    differences: list[dict[str, Any]] = []
    n_different = 0
    for name in TABLES:
        lines = [
            (folder / name).read_text(encoding="utf-8").splitlines() for folder in (first, second)
        ]
        found = _differing(name, *lines)
        n_different += len(found)
        differences += found
    return {
        "identical": not n_different,
        "n_different": n_different,
        "differences": differences[:MAX_DIFFERENCES],
    }


def compare_results(first: Clustering, second: Clustering) -> Comparison:
    """V-measure and matched clusters. Raises Conflict without a mutation in common."""
    places = {name: place for place, name in enumerate(second.table.mutation_ids)}
    rows = [(n, places[name]) for n, name in enumerate(first.table.mutation_ids) if name in places]
    if not rows:
        raise Conflict(_("These two have no mutation in common."))
    here, there = (np.array(side) for side in zip(*rows, strict=True))
    found = clonal.agreement(first.labels[here], second.labels[there])
    return Comparison(
        n_shared=len(rows),
        n_first_only=first.table.n_mutations - len(rows),
        n_second_only=second.table.n_mutations - len(rows),
        v_measure=found.v_measure,
        homogeneity=found.homogeneity,
        completeness=found.completeness,
        matches=[_match(first, second, *match) for match in found.matches],
    )


def _match(first: Clustering, second: Clustering, a: int, b: int, n_both: int) -> dict[str, Any]:
    shared = [s for s in first.table.samples if s in second.table.samples]
    mine = [first.prevalence[a, first.table.samples.index(s)] for s in shared]
    theirs = [second.prevalence[b, second.table.samples.index(s)] for s in shared]
    distance = float(np.abs(np.array(mine) - np.array(theirs)).max()) if shared else None
    return {
        "first": a,
        "second": b,
        "first_size": int(first.sizes[a]),
        "second_size": int(second.sizes[b]),
        "both": n_both,
        "distance": distance,
    }


def _differing(name: str, first: list[str], second: list[str]) -> list[dict[str, Any]]:
    length = max(len(first), len(second))
    padded = (side + [""] * (length - len(side)) for side in (first, second))
    return [
        {"table": name, "line": line, "before": a, "now": b}
        for line, (a, b) in enumerate(zip(*padded, strict=True), 1)
        if a != b
    ]
