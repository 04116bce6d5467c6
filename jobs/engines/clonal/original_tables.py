"""Tables to and from the foreign programs, under neutral ids."""

import bz2
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jobs.engines.clonal.arrays import Ints, Reals
from jobs.engines.clonal.config import ClusteringConfig
from jobs.engines.clonal.likelihood import ReadModel
from jobs.engines.clonal.mutations import MutationTable
from jobs.engines.clonal.program_run import OriginalFailed
from jobs.engines.clonal.result import ForeignClustering

N_POINTS = 101
# Draws of PyClone that the chances of sharing a cluster are taken from.
MOST_DRAWS = 1_000
PYCLONE_COLUMNS = ("ref_counts", "var_counts", "normal_cn", "minor_cn", "major_cn")


@dataclass(frozen=True)
class Found:
    """What the tables of a program say, in the order of our mutations and samples."""

    labels: Ints
    prevalence: Reals
    """(n_mutations, n_samples)"""
    std: Reals
    means: Reals
    """(n_clusters, n_samples)"""
    stds: Reals
    responsibilities: Reals


@dataclass(frozen=True)
class Neutral:
    """Places of the ids that the programs were given."""

    mutations: dict[str, int]
    samples: dict[str, int]


def neutral(table: MutationTable) -> Neutral:
    """Ids without any meaning, of the same width, so that they sort in our order."""
    return Neutral(
        {f"m{number:07d}": number for number in range(table.n_mutations)},
        {name: place for place, name in enumerate(neutral_samples(table))},
    )


def neutral_samples(table: MutationTable) -> list[str]:
    """S001, S002 and so on."""
    return [f"S{place:03d}" for place in range(1, table.n_samples + 1)]


def write_pyclone_files(table: MutationTable, folder: Path) -> list[Path]:
    """One file for each sample."""
    folder.mkdir(parents=True, exist_ok=True)
    ids, paths = list(neutral(table).mutations), []
    for place, sample in enumerate(neutral_samples(table)):
        columns = [getattr(table, name)[:, place].tolist() for name in PYCLONE_COLUMNS]
        path = folder / f"{sample}.tsv"
        _write(path, ["mutation_id", *PYCLONE_COLUMNS], zip(ids, *columns, strict=True))
        paths.append(path)
    return paths


def write_pyclone_vi_file(table: MutationTable, path: Path) -> Path:
    """One file of all samples."""
    ids, samples = list(neutral(table).mutations), neutral_samples(table)
    names = ["ref_counts", "var_counts", "major_cn", "minor_cn", "normal_cn"]
    names += ["tumour_content", "error_rate"]
    header = ["mutation_id", "sample_id", *(name.replace("var_", "alt_") for name in names)]
    arrays = [getattr(table, name).tolist() for name in names]
    rows = (
        (ids[row], samples[place], *(array[row][place] for array in arrays))
        for row in range(table.n_mutations)
        for place in range(table.n_samples)
    )
    _write(path, header, rows)
    return path


def read_pyclone_vi(path: Path, ids: Neutral, *, log: Path) -> Found:
    """From `write-results-file`; all mutations of a cluster have its prevalence."""
    labels, values = _loci(path, ids, ("cluster_assignment_prob",), log=log)
    prevalence, std, chance = values
    first = np.array([np.argmax(labels == cluster) for cluster in range(labels.max() + 1)])
    return Found(
        labels, prevalence, std, prevalence[first], std[first], _spread(labels, chance[:, 0])
    )


def read_pyclone(work: Path, ids: Neutral, *, log: Path) -> Found:
    """From the folder of `run_analysis_pipeline`."""
    labels, (prevalence, std) = _loci(work / "tables" / "loci.tsv", ids, (), log=log)
    n_clusters = int(labels.max()) + 1
    means, stds = (np.full((n_clusters, len(ids.samples)), np.nan) for _ in range(2))
    known = _numbers_of_clusters(work / "tables" / "loci.tsv")
    for row in _rows(work / "tables" / "cluster.tsv", log=log):
        with _explained(log):
            at = known.get(row["cluster_id"]), ids.samples[row["sample_id"]]
            if at[0] is not None:
                means[at], stds[at] = float(row["mean"]), float(row["std"])
    if np.isnan(means).any() or np.isnan(stds).any():
        raise OriginalFailed("its table of clusters lacks some of them", log=log)
    drawn = _shared_draws(work / "trace" / "labels.tsv.bz2", ids, labels)
    responsibilities = _spread(labels, np.ones(len(labels))) if drawn is None else drawn
    return Found(labels, prevalence, std, means, stds, responsibilities)


def combine(
    table: MutationTable,
    config: ClusteringConfig,
    found: Found,
    *,
    elbo: float = float("nan"),
) -> ForeignClustering:
    """A result as ours are: clusters in order of their mean prevalence, largest first."""
    sizes = np.bincount(found.labels)
    order = np.lexsort((-sizes, -found.means.mean(axis=1).round(4)))
    place = np.argsort(order)
    grid = np.linspace(0, 1, N_POINTS)
    return ForeignClustering(
        table=table,
        config=config,
        model=ReadModel(config.density, config.precision or 200.0, config.prior),
        labels=place[found.labels],
        responsibilities=found.responsibilities[:, order],
        sizes=sizes[order],
        prevalence=found.means[order],
        prevalence_std=found.stds[order],
        posterior=beta_posterior(found.means[order], found.stds[order], grid),
        grid=grid,
        elbo=elbo,
        restart_elbos=(),
        own_prevalence=found.prevalence,
        own_std=found.std,
    )


def beta_posterior(means: Reals, stds: Reals, grid: Reals) -> Reals:
    """(..., n_points): beta distributions of given means and deviations, adding up to 1."""
    step = grid[1] - grid[0]
    mean = np.clip(means, 0.25 * step, 1 - 0.25 * step)[..., None]
    # Narrower than the grid can show, or wider than any beta distribution, is not drawn.
    variance = np.maximum(stds[..., None], step / 3) ** 2
    total = np.maximum(mean * (1 - mean) / variance - 1, 2.0)
    x = np.clip(grid, step / 10, 1 - step / 10)
    logs = (mean * total - 1) * np.log(x) + ((1 - mean) * total - 1) * np.log1p(-x)
    weights = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _loci(
    path: Path, ids: Neutral, more: tuple[str, ...], *, log: Path
) -> tuple[Ints, list[Reals]]:
    """Labels 0.. in the order of the program's numbers, and (n_mutations, n_samples) of columns."""
    shape = (len(ids.mutations), len(ids.samples))
    columns = ("cellular_prevalence", "cellular_prevalence_std", *more)
    values = [np.full(shape, np.nan) for _ in columns]
    numbers = _numbers_of_clusters(path)
    labels = np.full(shape[0], -1, dtype=np.int64)
    for row in _rows(path, log=log):
        with _explained(log):
            at = ids.mutations[row["mutation_id"]], ids.samples[row["sample_id"]]
            labels[at[0]] = numbers[row["cluster_id"]]
            for array, name in zip(values, columns, strict=True):
                array[at] = float(row[name])
    if any(np.isnan(array).any() for array in values):
        raise OriginalFailed("its table of loci lacks some mutations", log=log)
    return labels, values


def _numbers_of_clusters(path: Path) -> dict[str, int]:
    with path.open(newline="", encoding="utf-8") as stream:
        names = {row.get("cluster_id") or "" for row in csv.DictReader(stream, delimiter="\t")}
    return {name: number for number, name in enumerate(sorted(names))}


def _rows(path: Path, *, log: Path) -> Iterator[dict[str, str]]:
    with _explained(log), path.open(newline="", encoding="utf-8") as stream:
        yield from csv.DictReader(stream, delimiter="\t")


class _explained:  # noqa: N801 - reads as a statement
    """Turns whatever a broken table causes into a failure that says so."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (KeyError, TypeError, ValueError, UnicodeDecodeError)):
            raise OriginalFailed("its tables could not be understood", log=self.log) from error


def _spread(labels: Ints, chance: Reals) -> Reals:
    """Responsibilities when only that of the own cluster is known: the rest is shared evenly."""
    n_clusters = int(labels.max()) + 1
    rest = (1 - chance) / max(n_clusters - 1, 1)
    result = np.repeat(rest[:, None], n_clusters, axis=1)
    result[np.arange(len(labels)), labels] = chance if n_clusters > 1 else 1.0
    return result


def _shared_draws(path: Path, ids: Neutral, labels: Ints) -> Reals | None:
    """How often a mutation was drawn together with each cluster's, scaled to add up to 1.

    None when there is no trace, or none that can be read."""
    try:
        with bz2.open(path, "rt", encoding="utf-8") as stream:
            names = stream.readline().rstrip("\n").split("\t")
            draws = np.loadtxt(stream, dtype=np.int64, delimiter="\t", ndmin=2)
    except (OSError, EOFError, ValueError):
        return None
    if sorted(names) != sorted(ids.mutations) or not len(draws):
        return None
    draws = draws[len(draws) // 10 :, np.argsort([ids.mutations[name] for name in names])]
    draws = draws[:: max(len(draws) // MOST_DRAWS, 1)]
    members = np.eye(int(labels.max()) + 1)[labels]
    together = np.zeros_like(members)
    for draw in draws:
        _, place = np.unique(draw, return_inverse=True)
        onehot = np.eye(place.max() + 1)[place]
        together += onehot @ (onehot.T @ members)
    together /= members.sum(axis=0)
    return np.asarray(together / together.sum(axis=1, keepdims=True))


def _write(path: Path, header: list[str], rows: "Iterator[tuple[object, ...]]") -> None:
    with path.open("w", newline="\n", encoding="utf-8") as stream:
        stream.write("\t".join(header) + "\n")
        stream.writelines("\t".join(map(str, row)) + "\n" for row in rows)
