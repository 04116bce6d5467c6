"""The door to mutation tables: files in, a table out, or every problem that stands against it."""

from collections.abc import Sequence
from pathlib import Path

from jobs.engines.clonal.mutations import InvalidMutationTable, MutationTable
from jobs.engines.clonal.preflight import check


def read_mutations(
    *paths: Path,
    samples: Sequence[str] | None = None,
    tumour_content: Sequence[float] | None = None,
) -> MutationTable:
    """The mutations of one table of all samples, or of one file for each sample.

    samples: names of the samples, one a file, instead of the files' names.
    tumour_content: one for each sample, in the order of the files (of one table: sorted by name).
    Raises InvalidMutationTable with every problem."""
    found = check(*paths, samples=samples, tumour_content=tumour_content)
    if found.table is None:
        raise InvalidMutationTable(found.problems)
    return found.table
