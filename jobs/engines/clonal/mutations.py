"""Mutation tables in memory: counts and copy numbers of every mutation in every sample.

There are two layouts: one table of all samples with a column sample_id (as PyClone-VI reads), or one
table for each sample (as PyClone reads). `columns` reads the files, `preflight.check` says what is
wrong with them, `reading.read_mutations` gives the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.engines.clonal.columns import COPY_NUMBERS, COUNTS, FRACTIONS, FileRows
from jobs.engines.clonal.rules import Report

Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]


class InvalidMutationTable(ValueError):
    """The files break rules; nothing of them can be analysed."""

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__("\n".join(report.lines()))


@dataclass(frozen=True)
class MutationTable:
    """Mutations that are usable in every sample, both in the order of their ids as text.

    All arrays are (n_mutations, n_samples)."""

    mutation_ids: tuple[str, ...]
    samples: tuple[str, ...]
    ref_counts: Counts
    var_counts: Counts
    normal_cn: Counts
    minor_cn: Counts
    major_cn: Counts
    tumour_content: Reals
    """Share of cancer cells, more than 0, at most 1."""
    error_rate: Reals
    """Share of reads that show the variant where there is none."""

    @property
    def n_mutations(self) -> int:
        return len(self.mutation_ids)

    @property
    def n_samples(self) -> int:
        return len(self.samples)

    @property
    def vaf(self) -> Reals:
        """Share of reads that show the variant, NaN where there are no reads."""
        depth = self.ref_counts + self.var_counts
        return np.divide(self.var_counts, depth, out=np.full(depth.shape, np.nan), where=depth > 0)

    def rows(self, chosen: npt.NDArray[np.int64]) -> "MutationTable":
        """The table of some of its mutations."""
        arrays = {
            name: getattr(self, name)[chosen] for name in (*COUNTS, *COPY_NUMBERS, *FRACTIONS)
        }
        ids = tuple(self.mutation_ids[row] for row in chosen.tolist())
        return MutationTable(ids, self.samples, **arrays)

    def columns(self, chosen: npt.NDArray[np.int64]) -> "MutationTable":
        """The table of some of its samples, in that order."""
        arrays = {
            name: getattr(self, name)[:, chosen] for name in (*COUNTS, *COPY_NUMBERS, *FRACTIONS)
        }
        samples = tuple(self.samples[column] for column in chosen.tolist())
        return MutationTable(self.mutation_ids, samples, **arrays)


@dataclass(frozen=True)
class AllRows:
    """The rows of all files together; codes are places in the sorted ids. Arrays (n_rows,)."""

    mutation_ids: tuple[str, ...]
    samples: tuple[str, ...]
    file: Counts
    line: Counts
    mutation: Counts
    sample: Counts
    values: dict[str, npt.NDArray[Any]]

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Rows without an unreadable value."""
        good = (self.mutation >= 0) & (self.sample >= 0)
        for name in (*COUNTS, *COPY_NUMBERS):
            good &= self.values[name] >= 0
        for name in FRACTIONS:
            good &= ~np.isnan(self.values[name])
        return good

    def matrix(self, rows: Counts, wanted: Counts) -> MutationTable:
        """The table of the `wanted` mutations, each of which has one of `rows` in every sample."""
        place = np.full(len(self.mutation_ids), -1)
        place[wanted] = np.arange(len(wanted))
        rows = rows[place[self.mutation[rows]] >= 0]
        shape = (len(wanted), len(self.samples))
        source = np.empty(shape, dtype=np.int64)
        source[place[self.mutation[rows]], self.sample[rows]] = rows
        arrays = {name: values[source] for name, values in self.values.items()}
        ids = tuple(self.mutation_ids[code] for code in wanted.tolist())
        return MutationTable(ids, self.samples, **arrays)


def gather(
    files: Sequence[FileRows], *, mutation_labels: Sequence[str], sample_labels: Sequence[str]
) -> AllRows:
    """The rows of the files, with ids and samples numbered in the order of their text."""
    mutation_ids, mutation_rank = _ranked(mutation_labels)
    samples, sample_rank = _ranked(sample_labels)
    values: dict[str, npt.NDArray[Any]] = {
        name: np.concatenate([file.whole[name] for file in files])
        for name in (*COUNTS, *COPY_NUMBERS)
    }
    for name, usual in FRACTIONS.items():
        values[name] = np.concatenate(
            [file.fractions.get(name, np.full(len(file.lines), usual)) for file in files]
        )
    return AllRows(
        mutation_ids,
        samples,
        np.repeat(np.arange(len(files)), [len(file.lines) for file in files]),
        np.concatenate([file.lines for file in files]),
        mutation_rank[np.concatenate([file.mutations for file in files])],
        sample_rank[np.concatenate([file.samples for file in files])],
        values,
    )


def _ranked(labels: Sequence[str]) -> tuple[tuple[str, ...], Counts]:
    """The labels sorted, without the empty one, and the place of each; -1 last, for a code of -1."""
    order = sorted(range(len(labels)), key=labels.__getitem__)
    order = [code for code in order if labels[code]]
    rank = np.full(len(labels) + 1, -1)
    rank[order] = np.arange(len(order))
    return tuple(labels[code] for code in order), rank
