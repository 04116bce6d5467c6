"""One file to columns of numbers, in chunks of lines; every problem is noted with its place."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from jobs.engines.clonal.headers import encoding_hint, parse_header, separator_hint
from jobs.engines.clonal.rules import Findings, Problem, Rule, shown
from jobs.engines.clonal.values import BAD_WHOLE, Codes, Fractions, WholeNumbers, clean

Numbers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

COUNTS = ("ref_counts", "var_counts")
COPY_NUMBERS = ("normal_cn", "minor_cn", "major_cn")
FRACTIONS = {"tumour_content": 1.0, "error_rate": 0.001}
"""Columns that may be absent, with the value then taken."""
REQUIRED = ("mutation_id", *COUNTS, *COPY_NUMBERS)
# More reads than any sequencer gives; products of counts stay exact in float64.
LARGEST_COUNT = 1_000_000_000
# The number of genotype states grows with it; the largest in real tables we have is 48.
LARGEST_COPY_NUMBER = 1_000
CHUNK_LINES = 50_000
NAMES_SHOWN = 12
# Characters of a line, and of an id: more is no table, and would fill the memory of whoever checks it.
LONGEST_LINE = 1_000_000
LONGEST_NAME = 1_000


@dataclass
class FileRows:
    """The rows of one file that fit its header. Arrays (n_rows,), in the file's order."""

    name: str
    is_long: bool
    lines: Numbers
    mutations: Numbers
    """Codes of the mutation ids; -1 where the id is empty."""
    samples: Numbers
    whole: dict[str, Numbers] = field(default_factory=dict)
    """Counts and copy numbers; BAD_WHOLE where the text is not one."""
    fractions: dict[str, Reals] = field(default_factory=dict)
    """Columns that the file has; NaN where the text is not a number."""


class Reader:
    """Reads files into codes that are shared by all of them."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.mutations, self.samples = Codes(), Codes()
        self._counts = WholeNumbers(LARGEST_COUNT)
        self._copies = WholeNumbers(LARGEST_COPY_NUMBER)
        self._fractions = Fractions()

    def read(self, path: Path, *, name: str, sample: str) -> FileRows | None:
        """The rows of a file, or None when nothing of it can be used.

        sample: the name of the sample unless the file has a column sample_id."""
        try:
            with path.open(encoding="utf-8-sig", newline=None) as stream:
                return self.read_stream(stream, name=name, sample=sample)
        except UnicodeDecodeError:
            content = path.read_bytes()
            details = {"hint": encoding_hint(content)}
            self.findings.add(
                Problem(Rule.NOT_TEXT, name, _first_bad_line(content), "", "", details)
            )
        except OSError as error:
            details = {"reason": error.strerror or ""}
            self.findings.add(Problem(Rule.NOT_FOUND, name, details=details))
        return None

    def read_stream(self, stream: IO[str], *, name: str, sample: str) -> FileRows | None:
        """As `read`, of text that is open already."""
        head = stream.readline(LONGEST_LINE + 1)
        if len(head) > LONGEST_LINE:
            self._too_long(name, np.array([1]))
            return None
        header = parse_header(head)
        if not self._header_fits(header, name, head):
            return None
        parts = []
        for numbers, fields in self._chunks(stream, name, n_columns=len(header)):
            chunk = dict(zip(header, fields, strict=True))
            parts.append(self._chunk(name, numbers, chunk, sample))
        if not parts:
            self.findings.add(Problem(Rule.NO_ROWS, name))
            return None
        return _joined(parts)

    def _header_fits(self, header: list[str], name: str, head: str) -> bool:
        if "\0" in head:
            self.findings.add(Problem(Rule.NOT_TEXT, name, 1))
            return False
        if not any(header):
            details = {"expected": ", ".join(REQUIRED)}
            self.findings.add(Problem(Rule.EMPTY, name, 1, details=details))
            return False
        known = {*REQUIRED, "sample_id", *FRACTIONS}
        missing = [column for column in REQUIRED if column not in header]
        twice = sorted({column for column in known if header.count(column) > 1})
        found = shown(", ".join(header[:NAMES_SHOWN]) + (", ..." * (len(header) > NAMES_SHOWN)))
        for rule, columns in ((Rule.MISSING_COLUMN, missing), (Rule.COLUMN_TWICE, twice)):
            for column in columns:
                details = {"hint": separator_hint(head)}
                self.findings.add(Problem(rule, name, 1, column, found, details))
        return not missing and not twice

    def _chunks(
        self, stream: IO[str], name: str, *, n_columns: int
    ) -> Iterator[tuple[Numbers, list[list[str]]]]:
        """Line numbers and columns of text, for lines that have as many fields as the header."""
        line = 2
        while lines := list(islice(stream, CHUNK_LINES)):
            numbers = np.arange(line, line + len(lines))
            line += len(lines)
            text = "".join(lines)
            if "\0" in text:
                at = next(place for place, each in enumerate(lines) if "\0" in each)
                self.findings.add(Problem(Rule.NOT_TEXT, name, int(numbers[at])))
            if max(map(len, lines)) > LONGEST_LINE:
                is_long = np.array([len(each) > LONGEST_LINE for each in lines])
                self._too_long(name, numbers[is_long])
                numbers = numbers[~is_long]
                lines = [each for each, long in zip(lines, is_long, strict=True) if not long]
                text = "".join(lines)
            # Nearly all files are clean; then one split of the whole chunk is much faster.
            if not all(each.count("\t") == n_columns - 1 and not each.isspace() for each in lines):
                numbers, lines = self._fitting(name, numbers, lines, n_columns)
                text = "".join(lines)
            if lines:
                flat = text.removesuffix("\n").replace("\n", "\t").split("\t")
                yield numbers, [flat[column::n_columns] for column in range(n_columns)]

    def _too_long(self, name: str, lines: Numbers) -> None:
        details = {"expected": f"{LONGEST_LINE:,}"}
        self.findings.add_many(
            (Problem(Rule.LINE_TOO_LONG, name, int(line), details=details) for line in lines),
            n=len(lines),
        )

    def _fitting(
        self, name: str, numbers: Numbers, lines: list[str], n_columns: int
    ) -> tuple[Numbers, list[str]]:
        n_fields = np.array([line.count("\t") + 1 for line in lines])
        is_blank = np.array([not line.strip() for line in lines])
        wrong = np.flatnonzero((n_fields != n_columns) & ~is_blank)
        details = {"expected": str(n_columns)}
        self.findings.add_many(
            (
                Problem(Rule.FIELD_COUNT, name, int(numbers[row]), "", str(n_fields[row]), details)
                for row in wrong
            ),
            n=len(wrong),
        )
        good = np.flatnonzero((n_fields == n_columns) & ~is_blank)
        return numbers[good], [lines[row] for row in good]

    def _chunk(
        self, name: str, lines: Numbers, columns: dict[str, list[str]], sample: str
    ) -> FileRows:
        n = len(lines)
        is_long = "sample_id" in columns
        ids = self._codes(name, lines, "mutation_id", columns["mutation_id"], self.mutations)
        if is_long:
            samples = self._codes(name, lines, "sample_id", columns["sample_id"], self.samples)
        else:
            samples = np.full(n, self.samples[sample])
        rows = FileRows(name, is_long, lines, ids, samples)
        for column in (*COUNTS, *COPY_NUMBERS):
            rows.whole[column] = self._whole(name, lines, column, columns[column])
        for column in FRACTIONS.keys() & columns.keys():
            rows.fractions[column] = self._fraction(name, lines, column, columns[column])
        self._compare_copy_numbers(rows)
        return rows

    def _codes(
        self, name: str, lines: Numbers, column: str, texts: list[str], codes: Codes
    ) -> Numbers:
        values = codes.column(texts, n=len(texts))
        empty = codes.get("", -2)
        too_long = np.array([], dtype=np.int64)
        if codes.longest > LONGEST_NAME:
            wide = [len(codes.labels[code]) > LONGEST_NAME for code in values.tolist()]
            too_long = np.flatnonzero(wide)
            names = [texts[row] for row in too_long.tolist()]
            limit = f"{LONGEST_NAME:,}"
            self._note(Rule.NAME_TOO_LONG, name, lines[too_long], column, names, expected=limit)
        blank = np.flatnonzero(values == empty)
        self._note(Rule.BLANK, name, lines[blank], column, [""] * len(blank), expected="a name")
        values[blank] = values[too_long] = -1
        return values

    def _whole(self, name: str, lines: Numbers, column: str, texts: list[str]) -> Numbers:
        parser = self._counts if column in COUNTS else self._copies
        values = parser.column(texts)
        by_rule: dict[Rule, list[int]] = {}
        for row in np.flatnonzero(values == BAD_WHOLE).tolist():
            by_rule.setdefault(parser.why(texts[row]), []).append(row)
        for rule, rows in by_rule.items():
            expected = str(parser.largest) if rule is Rule.TOO_LARGE else "a whole number"
            wrong = [texts[row] for row in rows]
            self._note(rule, name, lines[rows], column, wrong, expected=expected)
        if column == "normal_cn":
            zero = np.flatnonzero(values == 0)
            self._note(
                Rule.NORMAL_ZERO, name, lines[zero], column, [texts[row] for row in zero.tolist()]
            )
        return values

    def _fraction(self, name: str, lines: Numbers, column: str, texts: list[str]) -> Reals:
        values = self._fractions.column(texts)
        unread = np.isnan(values)
        blank = unread & np.array([not clean(text) for text in texts]) if unread.any() else unread
        if column == "tumour_content":
            rule, outside = Rule.TUMOUR_CONTENT_RANGE, ~unread & ~((values > 0) & (values <= 1))
        else:
            rule, outside = Rule.ERROR_RATE_RANGE, ~unread & ~((values >= 0) & (values < 0.5))
        for kind, mask in (
            (Rule.BLANK, blank),
            (Rule.NOT_NUMBER, unread & ~blank),
            (rule, outside),
        ):
            rows = np.flatnonzero(mask).tolist()
            wrong = [texts[row] for row in rows]
            self._note(kind, name, lines[rows], column, wrong, expected="a number")
        values[outside] = np.nan
        return values

    def _compare_copy_numbers(self, rows: FileRows) -> None:
        minor, major = rows.whole["minor_cn"], rows.whole["major_cn"]
        # Rows without any copy are left out anyway, whatever their minor_cn says.
        is_wrong = (minor > major) & (major > 0)
        wrong = np.flatnonzero(is_wrong)
        self.findings.add_many(
            (
                Problem(
                    Rule.MINOR_ABOVE_MAJOR,
                    rows.name,
                    int(rows.lines[row]),
                    "minor_cn",
                    str(minor[row]),
                    {"other": str(major[row])},
                )
                for row in wrong
            ),
            n=len(wrong),
        )
        # Marked as unusable, as every other value that breaks a rule.
        rows.whole["minor_cn"] = np.where(is_wrong, BAD_WHOLE, minor)
        rows.whole["normal_cn"][rows.whole["normal_cn"] == 0] = BAD_WHOLE

    def _note(
        self,
        rule: Rule,
        name: str,
        lines: Numbers,
        column: str,
        values: list[str],
        **details: str,
    ) -> None:
        self.findings.add_many(
            (
                Problem(rule, name, int(line), column, shown(value), details)
                for line, value in zip(lines, values, strict=True)
            ),
            n=len(values),
        )


def _joined(parts: list[FileRows]) -> FileRows:
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    return FileRows(
        name=first.name,
        is_long=first.is_long,
        lines=np.concatenate([part.lines for part in parts]),
        mutations=np.concatenate([part.mutations for part in parts]),
        samples=np.concatenate([part.samples for part in parts]),
        whole={key: np.concatenate([part.whole[key] for part in parts]) for key in first.whole},
        fractions={
            key: np.concatenate([part.fractions[key] for part in parts]) for key in first.fractions
        },
    )


def _first_bad_line(content: bytes) -> int:
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return 0
