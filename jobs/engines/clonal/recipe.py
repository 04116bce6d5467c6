"""What it takes to get the same tables again: inputs, parameters, seed, versions."""

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from jobs.engines.clonal.result import Clustering

ENGINE = "builtin"
VERSION = "1.1"
"""Rises whenever the same input and seed may give other tables."""
FORMAT = 1


def recipe(
    result: Clustering,
    *,
    paths: Sequence[Path],
    names: Sequence[str] | None = None,
    options: dict[str, Any] | None = None,
    engine: str = ENGINE,
    engine_version: str = VERSION,
) -> dict[str, Any]:
    """The recipe of a result, ready for JSON. options: how the input was read."""
    labels = names or [path.name for path in paths]
    inputs = [
        {"name": name, "sha256": _sha256(path), "size_bytes": path.stat().st_size}
        for name, path in zip(labels, paths, strict=True)
    ]
    tables = {"cluster.tsv": result.cluster_tsv(), "loci.tsv": result.loci_tsv()}
    return {
        "format": FORMAT,
        "engine": engine,
        "engine_version": engine_version,
        "inputs": inputs,
        "input_options": options or {},
        "parameters": asdict(result.config),
        "seed": result.config.seed,
        "samples": list(result.table.samples),
        "precision": result.model.precision,
        "grid": len(result.grid),
        "elbo": None if isnan(result.elbo) else round(result.elbo, 3),
        "tables": {
            name: hashlib.sha256(text.encode()).hexdigest() for name, text in tables.items()
        },
        "libraries": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
        "machine": platform.machine(),
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
