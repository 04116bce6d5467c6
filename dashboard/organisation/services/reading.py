"""Trees in files: CSV with a line per unit, or JSON with units inside units."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dashboard.core.api import is_storable
from dashboard.core.cells import FORMULA_STARTS
from dashboard.core.errors import Problem
from dashboard.core.i18n import _

COLUMNS = ("code", "parent", "name", "name_en", "colour", "positions", "members")
NEEDED = ("code", "name")
MAX_UNITS = 5_000
MAX_BYTES = 2 * 2**20
# Between the entries of a cell; spreadsheets in Chinese bring the wide ones.
SEPARATORS = str.maketrans("；、|", ";;;")


@dataclass(frozen=True, slots=True)
class Row:
    """A unit as a file says it. `place` is where: "line 4", "units[0].children[2]".

    positions and members are None where the file says nothing about them: then they stay as they are.
    """

    place: str
    code: str
    parent: str
    name: str
    name_en: str = ""
    colour: str = ""
    positions: list[str] | None = None
    members: list[str] | None = None

    @property
    def fields(self) -> dict[str, str]:
        return {
            "code": self.code,
            "name": self.name,
            "name_en": self.name_en,
            "colour": self.colour,
        }


def read_rows(content: bytes) -> tuple[list[Row], list[Problem]]:
    """The units of a file and what is wrong with its form; JSON when it begins like JSON, else CSV."""
    if len(content) > MAX_BYTES:
        return [], [Problem("file", _("The file may be 2 MB at most."))]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], [Problem("file", _("The file must be text in UTF-8."))]
    if not is_storable(text):
        return [], [Problem("file", _("The file holds characters that no text may hold."))]
    if not text.strip():
        return [], [Problem("file", _("The file is empty."))]
    rows, problems = _read_json(text) if text.lstrip()[0] in "[{" else _read_csv(text)
    if len(rows) > MAX_UNITS:
        problems.append(Problem("file", _("At most %(max)s units in one file.", max=MAX_UNITS)))
    if not rows and not problems:
        problems.append(Problem("file", _("The file names no unit.")))
    return rows, problems


# --------------------------------------------------------------------------------------------------- CSV


def _read_csv(text: str) -> tuple[list[Row], list[Problem]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        header = [name.strip().lower() for name in next(reader)]
        if problems := _faults_of_header(header):
            return [], problems
        for cells in reader:
            place = _("line %(number)s", number=reader.line_num)
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(header):
                problems.append(Problem(place, _("There are more cells than columns.")))
                continue
            values = map(_unguarded, cells)
            rows.append(_row_of_cells(place, dict(zip(header, values, strict=False))))
    except csv.Error as error:
        place = _("line %(number)s", number=reader.line_num)
        return [], [*problems, Problem(place, str(error))]
    return rows, problems


def _faults_of_header(header: list[str]) -> list[Problem]:
    place = _("line %(number)s", number=1)
    known = ", ".join(COLUMNS)
    unknown = [name for name in header if name not in COLUMNS]
    missing = [name for name in NEEDED if name not in header]
    return [
        *[
            Problem(place, _("Unknown column “%(name)s”; known: %(known)s.", name=n, known=known))
            for n in unknown
        ],
        *[Problem(place, _("The column “%(name)s” is missing.", name=name)) for name in missing],
        *(
            [Problem(place, _("A column stands there twice."))]
            if len(set(header)) != len(header)
            else []
        ),
    ]


def _unguarded(cell: str) -> str:
    """The cell without the mark that our export puts before what a spreadsheet takes for a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell


def _row_of_cells(place: str, cells: dict[str, str]) -> Row:
    def words(name: str) -> list[str] | None:
        if name not in cells:
            return None
        parts = cells[name].translate(SEPARATORS).split(";")
        return [part.strip() for part in parts if part.strip()]

    return Row(
        place=place,
        code=cells["code"].strip(),
        parent=cells.get("parent", "").strip(),
        name=cells.get("name", "").strip(),
        name_en=cells.get("name_en", "").strip(),
        colour=cells.get("colour", "").strip(),
        positions=words("positions"),
        members=words("members"),
    )


# -------------------------------------------------------------------------------------------------- JSON


def _read_json(text: str) -> tuple[list[Row], list[Problem]]:
    try:
        document = json.loads(text)
    except RecursionError:
        return [], [Problem("file", _("The file is nested too deeply."))]
    except ValueError as error:
        return [], [Problem("file", _("The file is not JSON: %(error)s", error=error))]
    if not is_storable(document):
        return [], [Problem("file", _("The file holds characters that no text may hold."))]
    units = document.get("units") if isinstance(document, dict) else document
    if not isinstance(units, list):
        return [], [Problem("file", _("The file needs a list “units”."))]
    rows: list[Row] = []
    problems: list[Problem] = []
    for place, parent, unit in _walk(units):
        fault = _fault_of(unit)
        if fault:
            problems.append(Problem(place, fault))
        else:
            rows.append(_row_of_object(place, parent, unit))
    return rows, problems


def _walk(units: list[Any]) -> Iterator[tuple[str, str, Any]]:
    """(place, code of the unit above, unit), each before its children."""
    waiting = [(f"units[{i}]", "", unit) for i, unit in enumerate(units)][::-1]
    while waiting:
        place, parent, unit = waiting.pop()
        yield place, parent, unit
        children = unit.get("children") if isinstance(unit, dict) else None
        if isinstance(children, list):
            code = str(unit.get("code", ""))
            found = [(f"{place}.children[{i}]", code, child) for i, child in enumerate(children)]
            waiting += found[::-1]


def _fault_of(unit: Any) -> str:
    """What is wrong with the form of one unit; "" when nothing is."""
    if not isinstance(unit, dict):
        return _("A unit must be an object with code and name.")
    unknown = set(unit) - {*COLUMNS, "children"}
    if unknown:
        return _("Unknown member “%(name)s”.", name=min(unknown))
    for name in ("code", "parent", "name", "name_en", "colour"):
        if not isinstance(unit.get(name, ""), str):
            return _("“%(name)s” must be text.", name=name)
    for name in ("positions", "members", "children"):
        if not isinstance(unit.get(name, []), list):
            return _("“%(name)s” must be a list.", name=name)
    for name in ("positions", "members"):
        if not all(isinstance(part, str | int) for part in unit.get(name, [])):
            return _("“%(name)s” must hold texts and numbers.", name=name)
    return ""


def _row_of_object(place: str, parent: str, unit: dict[str, Any]) -> Row:
    def words(name: str) -> list[str] | None:
        return [str(part).strip() for part in unit[name]] if name in unit else None

    texts = {
        name: unit.get(name, "").strip() for name in ("code", "parent", "name", "name_en", "colour")
    }
    return Row(
        place=place,
        **{**texts, "parent": texts["parent"] or parent},
        positions=words("positions"),
        members=words("members"),
    )
