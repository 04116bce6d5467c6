"""A result in one file, to draw its plots from later: numpy's own format, nothing that can run code."""

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from jobs.engines.clonal.config import ClusteringConfig
from jobs.engines.clonal.genotypes import GenotypePrior
from jobs.engines.clonal.likelihood import Density, ReadModel
from jobs.engines.clonal.mutations import MutationTable
from jobs.engines.clonal.result import Clustering, ForeignClustering

FORMAT = 1
TABLE_ARRAYS = (
    "ref_counts",
    "var_counts",
    "normal_cn",
    "minor_cn",
    "major_cn",
    "tumour_content",
    "error_rate",
)
RESULT_ARRAYS = (
    "labels",
    "responsibilities",
    "sizes",
    "prevalence",
    "prevalence_std",
    "posterior",
    "grid",
)
FOREIGN_ARRAYS = ("own_prevalence", "own_std")
# Posteriors and responsibilities have seven digits when they come out of a large run.
SMALLER = {"responsibilities", "posterior"}


def save_result(result: Clustering, path: Path) -> None:
    """Write a result; whole or not at all."""
    texts = {
        "format": FORMAT,
        "config": asdict(result.config),
        "model": asdict(result.model),
        "elbo": result.elbo,
        "restart_elbos": result.restart_elbos,
        "mutation_ids": result.table.mutation_ids,
        "samples": result.table.samples,
    }
    arrays: dict[str, Any] = {"texts": np.frombuffer(json.dumps(texts).encode(), dtype=np.uint8)}
    arrays |= {f"table_{name}": getattr(result.table, name) for name in TABLE_ARRAYS}
    names = RESULT_ARRAYS + (FOREIGN_ARRAYS if isinstance(result, ForeignClustering) else ())
    for name in names:
        values = getattr(result, name)
        arrays[name] = values.astype(np.float32) if name in SMALLER else values
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    part = path.with_name(path.name + ".part")
    part.write_bytes(out.getvalue())
    part.replace(path)


def load_result(path: Path) -> Clustering:
    """Read what `save_result` wrote; raises ValueError when it is not such a file."""
    arrays = _arrays(path)
    texts = json.loads(arrays["texts"].tobytes())
    if texts["format"] != FORMAT:
        raise ValueError(f"{path.name} has format {texts['format']}, expected {FORMAT}")
    config, model = (
        values | {"density": Density(values["density"]), "prior": GenotypePrior(values["prior"])}
        for values in (texts["config"], texts["model"])
    )
    table = MutationTable(
        tuple(texts["mutation_ids"]),
        tuple(texts["samples"]),
        **{name: arrays[f"table_{name}"] for name in TABLE_ARRAYS},
    )
    is_foreign = FOREIGN_ARRAYS[0] in arrays
    names = RESULT_ARRAYS + (FOREIGN_ARRAYS if is_foreign else ())
    values = {
        name: arrays[name].astype(np.float64) if name in SMALLER else arrays[name] for name in names
    }
    kind = ForeignClustering if is_foreign else Clustering
    return kind(
        table=table,
        config=ClusteringConfig(**config),
        model=ReadModel(**model),
        elbo=texts["elbo"],
        restart_elbos=tuple(texts["restart_elbos"]),
        **values,
    )


def _arrays(path: Path) -> dict[str, Any]:
    try:
        # Opened here, since numpy leaves a file open that it cannot read.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (EOFError, BadZipFile, ValueError, AttributeError) as error:
        raise ValueError(f"{path.name} holds no result of a clonal analysis") from error
    if "texts" not in arrays:
        raise ValueError(f"{path.name} holds no result of a clonal analysis")
    return arrays
