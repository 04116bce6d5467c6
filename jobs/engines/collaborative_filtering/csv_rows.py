"""CSV rows with their line numbers; every problem is collected instead of stopping at the first."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# Names shown of a header that does not fit; a whole data row there would be noise.
NAMES_SHOWN = 12


@dataclass(frozen=True)
class Problem:
    """Something wrong in a file."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.text}"


@dataclass(frozen=True)
class Row:
    """One record; `line` is the line on which it starts."""

    line: int
    values: dict[str, str]


class CsvFile:
    """The rows of a file as text, one by one; look at `problems` when they have been read."""

    def __init__(
        self,
        path: Path,
        *,
        required: Sequence[str],
        one_of: Sequence[str] = (),
        problems: list[Problem] | None = None,
    ) -> None:
        """`required` columns must be there, and of `one_of`, if there are any, at least one.

        Given a list of problems, those of this file are added to it."""
        self.name, self._path = path.name, path
        self._required, self._one_of = required, one_of
        self.problems: list[Problem] = [] if problems is None else problems

    def rows(self) -> Iterator[Row]:
        """Every row that fits the header. Nothing when the file or the header cannot be used."""
        with self._path.open("rb") as file:
            # What is no file but a pipe can be read only once.
            content = file if file.seekable() else io.BytesIO(file.read())
            if self._is_text(content):
                content.seek(0)
                with io.TextIOWrapper(content, "utf-8-sig", newline="") as text:
                    yield from self._rows(text)

    def _rows(self, text: io.TextIOWrapper) -> Iterator[Row]:
        # strict: a quote that is never closed must not swallow the rest of the file unseen.
        reader = csv.reader(text, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            if self._header_fits(header):
                yield from self._records(reader, header)
        except csv.Error as error:
            self.report(reader.line_num, f"cannot be read as CSV: {error}")

    def report(self, line: int, text: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(file=self.name, line=line, text=text))

    def _records(self, reader: Iterator[list[str]], header: list[str]) -> Iterator[Row]:
        start = reader.line_num + 1  # type: ignore[attr-defined]
        for record in reader:
            if len(record) == len(header):
                values = dict(zip(header, map(str.strip, record), strict=True))
                yield Row(line=start, values=values)
            elif record:
                self.report(start, f"has {len(record)} fields, expected {len(header)}")
            start = reader.line_num + 1  # type: ignore[attr-defined]

    def _is_text(self, lines: Iterable[bytes]) -> bool:
        """Looked through line by line, before any row is given out."""
        zero = None
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                self.report(number, "is not UTF-8 text")
                return False
            if zero is None and b"\0" in line:
                zero = number
        if zero is not None:
            self.report(zero, "holds a zero byte")
        return zero is None

    def _header_fits(self, header: list[str]) -> bool:
        missing = [name for name in self._required if name not in header]
        if self._one_of and not set(self._one_of) & set(header):
            missing.append(" or ".join(self._one_of))
        twice = sorted({name for name in header if name and header.count(name) > 1})
        if missing:
            self.report(1, missing_columns(missing, header))
        if twice:
            self.report(1, f"names the column {', '.join(twice)} more than once")
        return not missing and not twice


def missing_columns(missing: list[str], header: list[str]) -> str:
    """Why a header cannot be used."""
    if not any(header):
        return f"is empty, expected the column names {', '.join(missing)}"
    found = ", ".join(header[:NAMES_SHOWN]) + (", ..." if len(header) > NAMES_SHOWN else "")
    text = f"the column {' and '.join(missing)} is missing; found: {found}"
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        text += "; columns must be separated by commas"
    return text
