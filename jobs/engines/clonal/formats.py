"""Mutation tables as text, in the two layouts that `read_mutations` reads."""

from jobs.engines.clonal.arrays import Ints, Reals
from jobs.engines.clonal.mutations import MutationTable
from jobs.engines.clonal.simulator import Simulation

LONG_COLUMNS = (
    "mutation_id",
    "sample_id",
    "ref_counts",
    "alt_counts",
    "major_cn",
    "minor_cn",
    "normal_cn",
    "tumour_content",
    "error_rate",
)
SAMPLE_COLUMNS = (
    "mutation_id",
    "ref_counts",
    "var_counts",
    "normal_cn",
    "minor_cn",
    "major_cn",
    "tumour_content",
    "error_rate",
)
TRUTH_COLUMNS = ("mutation_id", "sample_id", "true_cluster", "true_ccf")


def long_tsv(table: MutationTable) -> str:
    """One table of all samples, as PyClone-VI reads it."""
    return _text(list(LONG_COLUMNS), _rows(table, LONG_COLUMNS, range(table.n_samples)))


def sample_tsvs(table: MutationTable) -> dict[str, str]:
    """A table for each sample, as PyClone reads it; the last two columns are for this engine."""
    return {
        sample: _text(list(SAMPLE_COLUMNS), _rows(table, SAMPLE_COLUMNS, [place]))
        for place, sample in enumerate(table.samples)
    }


def truth_tsv(simulation: Simulation) -> str:
    """The true cluster and prevalence of every simulated mutation."""
    table = simulation.table
    rows: list[tuple[str, ...]] = [
        (name, sample, str(cluster), f"{simulation.prevalence[cluster, place]:g}")
        for name, cluster in zip(table.mutation_ids, simulation.clusters.tolist(), strict=True)
        for place, sample in enumerate(table.samples)
    ]
    return _text(list(TRUTH_COLUMNS), rows)


def _rows(
    table: MutationTable, columns: tuple[str, ...], samples: "range | list[int]"
) -> list[tuple[str, ...]]:
    numbers: dict[str, Ints | Reals] = {
        "alt_counts": table.var_counts,
        **{name: getattr(table, name) for name in SAMPLE_COLUMNS[1:]},
    }
    parts = []
    for place in samples:
        texts = {
            name: [f"{value:.12g}" for value in numbers[name][:, place].tolist()]
            for name in columns
            if name in numbers
        }
        texts["mutation_id"] = list(table.mutation_ids)
        texts["sample_id"] = [table.samples[place]] * table.n_mutations
        parts.append(list(zip(*(texts[name] for name in columns), strict=True)))
    return [row for rows in zip(*parts, strict=True) for row in rows]


def _text(columns: list[str], rows: list[tuple[str, ...]]) -> str:
    return "\n".join(["\t".join(columns), *map("\t".join, rows), ""])
