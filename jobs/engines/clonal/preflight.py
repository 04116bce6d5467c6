"""Check of mutation tables before a run: every problem, what is left out, how samples overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jobs.engines.clonal.columns import FileRows, Reader
from jobs.engines.clonal.mutations import AllRows, Counts, MutationTable, gather
from jobs.engines.clonal.rules import Findings, Problem, Report, Rule, shown
from jobs.engines.clonal.similar_ids import likely_cause

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Overlap:
    """How many usable mutations samples share."""

    samples: tuple[str, ...]
    shared: Counts
    """(n_samples, n_samples); the diagonal holds each sample's own number."""
    in_all: int


@dataclass(frozen=True)
class Dropped:
    """Mutations that a run leaves out, for one reason."""

    rule: Rule
    n_mutations: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Preflight:
    """What a check found; `table` is None when there is a problem."""

    table: MutationTable | None
    problems: Report
    warnings: Report
    overlap: Overlap | None
    dropped: tuple[Dropped, ...]
    n_mutations: int
    """Different ids in the files."""
    n_rows: int

    @property
    def n_dropped(self) -> int:
        """Mutations left out, each counted once."""
        return sum(part.n_mutations for part in self.dropped)


def check(
    *paths: Path,
    names: Sequence[str] | None = None,
    samples: Sequence[str] | None = None,
    tumour_content: Sequence[float] | None = None,
) -> Preflight:
    """Everything that can be said of the files before a run; nothing is ever raised for their content.

    names: what messages call the files; samples, tumour_content: as in `read_mutations`."""
    run = _Check(paths, names, samples)
    return run.result(tumour_content)


class _Check:
    def __init__(
        self, paths: Sequence[Path], names: Sequence[str] | None, samples: Sequence[str] | None
    ) -> None:
        self.errors, self.warnings = Findings(), Findings()
        self.names = list(names) if names is not None else [path.name for path in paths]
        self.reader = Reader(self.errors)
        self.labels = self._labels(paths, samples)
        self.files: list[FileRows] = []
        for path, name, label in zip(paths, self.names, self.labels, strict=True):
            rows = self.reader.read(path, name=name, sample=label)
            self.files += [rows] if rows else []
        self.n_files = len(paths)

    def result(self, tumour_content: Sequence[float] | None) -> Preflight:
        if not self.files or self._mixed():
            return self._refused()
        self._same_sample_twice()
        rows = gather(
            self.files,
            mutation_labels=self.reader.mutations.labels,
            sample_labels=self.reader.samples.labels,
        )
        if not rows.mutation_ids or not rows.samples:
            # Every row lacks its id, which has been reported.
            return self._refused()
        contents = self._tumour_contents(rows, tumour_content)
        rows.values["tumour_content"][:] = contents
        return self._judged(rows)

    def _judged(self, rows: AllRows) -> Preflight:
        self._duplicates(rows)
        usable = rows.usable
        has_copies = rows.values["major_cn"] > 0
        present = _presence(rows, usable & has_copies)
        in_all = np.asarray(present.all(axis=1))
        overlap = Overlap(rows.samples, _shared(present), int(in_all.sum()))
        dropped = self._left_out(rows, usable, in_all)
        self._no_reads(rows, usable & has_copies & in_all[rows.mutation])
        if not in_all.any() and len(self.files) == self.n_files:
            self._no_common(rows, usable & has_copies)
        problems = self.errors.report(self.names)
        table = None
        if not problems.n_problems:
            table = rows.matrix(np.flatnonzero(usable & has_copies), np.flatnonzero(in_all))
        warnings = self.warnings.report(self.names)
        n_mutations, n_rows = len(rows.mutation_ids), len(rows.line)
        return Preflight(table, problems, warnings, overlap, dropped, n_mutations, n_rows)

    def _refused(self) -> Preflight:
        report = self.errors.report(self.names)
        return Preflight(None, report, self.warnings.report(self.names), None, (), 0, 0)

    def _labels(self, paths: Sequence[Path], samples: Sequence[str] | None) -> list[str]:
        if samples is not None and len(samples) == len(paths):
            return [name.strip() or path.stem for name, path in zip(samples, paths, strict=True)]
        if samples is not None:
            expected = {"expected": str(len(paths))}
            self.errors.add(
                Problem(Rule.SAMPLE_COUNT, "", value=str(len(samples)), details=expected)
            )
        return [Path(name).stem or name for name in self.names]

    def _mixed(self) -> bool:
        kinds = {file.is_long for file in self.files}
        if len(kinds) > 1:
            odd = next(file for file in self.files if file.is_long != self.files[0].is_long)
            self.errors.add(Problem(Rule.MIXED_LAYOUTS, odd.name, 1, "sample_id"))
        return len(kinds) > 1

    def _same_sample_twice(self) -> None:
        """File names that differ in case only would be one name on some systems."""
        if self.files[0].is_long:
            return
        seen: set[str] = set()
        for name, label in zip(self.names, self.labels, strict=True):
            if label.casefold() in seen:
                self.errors.add(Problem(Rule.SAMPLE_TWICE, name, value=shown(label)))
            seen.add(label.casefold())

    def _tumour_contents(
        self, rows: AllRows, given: Sequence[float] | None
    ) -> npt.NDArray[np.float64]:
        contents = np.asarray(rows.values["tumour_content"], dtype=np.float64)
        if given is None:
            for file in self.files:
                if "tumour_content" not in file.fractions:
                    self.warnings.add(Problem(Rule.TUMOUR_CONTENT_ASSUMED, file.name))
            return contents
        # Files keep the order in which they were given; the samples of one table have none.
        order = rows.samples if self.files[0].is_long else tuple(dict.fromkeys(self.labels))
        for value in given:
            if not 0 < value <= 1:
                self.errors.add(Problem(Rule.TUMOUR_CONTENT_RANGE, "", value=f"{value:g}"))
        if len(given) != len(order):
            details = {"expected": str(len(order)), "samples": shown(", ".join(order))}
            self.errors.add(
                Problem(Rule.TUMOUR_CONTENT_COUNT, "", value=str(len(given)), details=details)
            )
            return contents
        by_sample = dict(zip(order, given, strict=True))
        # A sample whose file could not be read, or a row without one, takes any value.
        return np.array([by_sample.get(name, 1.0) for name in rows.samples] + [1.0])[rows.sample]

    def _duplicates(self, rows: AllRows) -> None:
        known = np.flatnonzero((rows.mutation >= 0) & (rows.sample >= 0))
        key = rows.mutation[known] * len(rows.samples) + rows.sample[known]
        order = np.argsort(key, kind="stable")
        is_first = np.diff(key[order], prepend=-1) != 0
        first_at = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
        # Sorted back to the order of the files, so that the first ones are shown.
        again = known[order[~is_first]]
        first = known[order[first_at[~is_first]]]
        for file in np.unique(rows.file[again]).tolist():
            chosen = np.flatnonzero(rows.file[again] == file)
            chosen = chosen[np.argsort(again[chosen])]
            self.errors.add_many(
                (self._duplicate(rows, int(again[at]), int(first[at])) for at in chosen),
                n=len(chosen),
            )

    def _duplicate(self, rows: AllRows, again: int, first: int) -> Problem:
        details = {
            "first": self._place(rows, first, seen_from=again),
            "sample": shown(rows.samples[rows.sample[again]]),
        }
        return self._about(Rule.DUPLICATE, rows, again, details)

    def _place(self, rows: AllRows, row: int, *, seen_from: int) -> str:
        line = str(rows.line[row])
        same = rows.file[row] == rows.file[seen_from]
        return line if same else f"{line} of {self.files[rows.file[row]].name}"

    def _about(self, rule: Rule, rows: AllRows, row: int, details: dict[str, str]) -> Problem:
        mutation = shown(rows.mutation_ids[rows.mutation[row]])
        file = self.files[rows.file[row]].name
        return Problem(rule, file, int(rows.line[row]), "mutation_id", mutation, details)

    def _left_out(self, rows: AllRows, usable: Mask, in_all: Mask) -> tuple[Dropped, ...]:
        """Warnings about mutations that cannot be used, each under its first reason."""
        zero = np.flatnonzero(usable & (rows.values["major_cn"] == 0))
        self.warnings.add_many(
            (self._without_copies(rows, row) for row in zero.tolist()), n=len(zero)
        )
        by_zero = np.zeros(len(in_all), dtype=bool)
        by_zero[rows.mutation[zero]] = True
        # A row that breaks a rule is reported as such, and not as absent.
        has_row = _presence(rows, (rows.mutation >= 0) & (rows.sample >= 0))
        absent = ~has_row.all(axis=1) & ~by_zero
        self._absent(rows, has_row, np.flatnonzero(absent))
        reasons = [(Rule.MAJOR_ZERO, by_zero), (Rule.ABSENT, absent)]
        return tuple(
            Dropped(rule, int(mask.sum()), _examples(rows, mask))
            for rule, mask in reasons
            if mask.any()
        )

    def _without_copies(self, rows: AllRows, row: int) -> Problem:
        mutation = shown(rows.mutation_ids[rows.mutation[row]])
        file = self.files[rows.file[row]].name
        details = {"mutation": mutation}
        return Problem(Rule.MAJOR_ZERO, file, int(rows.line[row]), "major_cn", "0", details)

    def _absent(self, rows: AllRows, has_row: Mask, mutations: Counts) -> None:
        def problems() -> "list[Problem]":
            found = []
            for mutation in mutations[:50].tolist():
                row = int(np.argmax(rows.mutation == mutation))
                sample = rows.samples[int(np.argmin(has_row[mutation]))]
                found.append(self._about(Rule.ABSENT, rows, row, {"sample": shown(sample)}))
            return found

        self.warnings.add_many(problems(), n=len(mutations))

    def _no_reads(self, rows: AllRows, kept: Mask) -> None:
        depth = rows.values["ref_counts"] + rows.values["var_counts"]
        empty = np.flatnonzero(kept & (depth == 0))
        self.warnings.add_many(
            (
                self._about(
                    Rule.ZERO_DEPTH, rows, row, {"sample": shown(rows.samples[rows.sample[row]])}
                )
                for row in empty.tolist()
            ),
            n=len(empty),
        )

    def _no_common(self, rows: AllRows, usable: Mask) -> None:
        # With another problem at hand this one would only be its consequence.
        if not self.errors.report().n_problems:
            self.errors.add(Problem(Rule.NO_COMMON, "", details=likely_cause(rows, usable)))


def _presence(rows: AllRows, mask: Mask) -> Mask:
    present = np.zeros((len(rows.mutation_ids), len(rows.samples)), dtype=bool)
    present[rows.mutation[mask], rows.sample[mask]] = True
    return present


def _shared(present: Mask) -> Counts:
    # float32 products are exact for counts below 2^24 and do not need the memory of integers.
    as_numbers = present.astype(np.float32)
    return np.rint(as_numbers.T @ as_numbers).astype(np.int64)


def _examples(rows: AllRows, mask: Mask) -> tuple[str, ...]:
    return tuple(rows.mutation_ids[code] for code in np.flatnonzero(mask)[:5].tolist())
