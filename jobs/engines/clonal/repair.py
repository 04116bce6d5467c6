"""Tables put right as far as that needs no guess, for the user to look at and upload again."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jobs.engines.clonal.columns import LONGEST_LINE, FileRows, Reader
from jobs.engines.clonal.formats import long_tsv, sample_tsvs
from jobs.engines.clonal.mutations import AllRows, gather
from jobs.engines.clonal.rules import Findings

SEPARATORS = ",;|"


@dataclass(frozen=True)
class Repaired:
    """Files that pass the check, by name; none when nothing is left."""

    files: dict[str, str]
    n_mutations: int
    n_left_out: int
    """Mutations with a row that breaks a rule, or without a row in a sample."""
    n_duplicates: int
    """Later rows of a mutation and sample that had one already."""


def repair(*paths: Path, samples: Sequence[str] | None = None) -> Repaired:
    """The mutations that are right in every sample, in clean files of the same layout.

    Column names, separators, byte order marks, line ends and numbers like 100.0 are put right; rows
    that break a rule are left out, with their mutation. Nothing is made up."""
    reader = Reader(Findings())
    names = list(samples) if samples and len(samples) == len(paths) else [p.stem for p in paths]
    files = [_read(reader, path, name) for path, name in zip(paths, names, strict=True)]
    usable = [file for file in files if file]
    if not usable or len(usable) < len(files) or len({file.is_long for file in usable}) > 1:
        return Repaired({}, 0, 0, 0)
    rows = gather(
        usable,
        mutation_labels=reader.mutations.labels,
        sample_labels=reader.samples.labels,
    )
    return _cleaned(rows, is_long=usable[0].is_long)


def _read(reader: Reader, path: Path, name: str) -> FileRows | None:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError):
        return None
    if "\0" in text:
        return None  # not text, as the check says too
    return reader.read_stream(io.StringIO(_tabbed(text)), name=path.name, sample=name)


def _tabbed(text: str) -> str:
    """The text with tabs between columns."""
    head = text.partition("\n")[0]
    mark = max(SEPARATORS, key=head.count)
    if "\t" in head or mark not in head or len(head) > LONGEST_LINE:
        return text
    rows = csv.reader(io.StringIO(text), delimiter=mark)
    try:
        return "".join("\t".join(cell.replace("\t", " ") for cell in row) + "\n" for row in rows)
    except csv.Error:
        return text  # a quote that is never closed, for instance


def _cleaned(rows: AllRows, *, is_long: bool) -> Repaired:
    good = np.flatnonzero(rows.usable & (rows.values["major_cn"] > 0))
    n_samples = len(rows.samples)
    key = rows.mutation[good] * n_samples + rows.sample[good]
    _, first = np.unique(key, return_index=True)
    kept = good[first]
    present = np.bincount(rows.mutation[kept], minlength=len(rows.mutation_ids))
    wanted = np.flatnonzero(present == n_samples) if n_samples else np.array([], dtype=np.int64)
    if not len(wanted):
        return Repaired({}, 0, len(rows.mutation_ids), len(good) - len(kept))
    table = rows.matrix(kept, wanted)
    files = {"mutations.tsv": long_tsv(table)}
    if not is_long:
        files = {f"{sample}.tsv": text for sample, text in sample_tsvs(table).items()}
    left_out = len(rows.mutation_ids) - len(wanted)
    return Repaired(files, len(wanted), left_out, len(good) - len(kept))
