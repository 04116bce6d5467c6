"""Whole trees: what a file would change, said before anything changes; the change; the tree as a file."""

import csv
import io
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, func, insert, or_, select

from dashboard.accounts.models import User
from dashboard.audit import services as audit
from dashboard.catalogue.models import Item, ItemKind
from dashboard.core import uploads
from dashboard.core.cells import safe_cell
from dashboard.core.database import session, transaction
from dashboard.core.errors import Invalid, Problem
from dashboard.core.i18n import _
from dashboard.organisation.models import MAX_DEPTH, MAX_NAME, Unit, UnitMember, UnitPosition
from dashboard.organisation.queries import units as queries
from dashboard.organisation.services.reading import COLUMNS, Row, read_rows
from dashboard.organisation.services.units import faults_of, lock_tree
from dashboard.organisation.tree import fold, in_cycles

# Names looked up with one query: every database takes this many values.
BATCH = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """What importing a file would do; nothing is done while there are problems."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    new: list[str] = field(default_factory=list)  # names of units
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    position_ids: dict[str, list[int]] = field(default_factory=dict)  # by the code of the unit
    member_ids: dict[str, list[int]] = field(default_factory=dict)

    @property
    def seal(self) -> str:
        """The same as long as the plan makes and removes the same units."""
        return sha256(json.dumps([self.new, self.gone]).encode()).hexdigest()


def plan(content: bytes) -> Plan:
    """What importing this CSV or JSON as the whole tree would do, and every line that is wrong."""
    rows, problems = read_rows(content)
    problems += _faults(rows)
    positions, unknown_positions = _find_positions(rows)
    members, unknown_members = _find_members(rows)
    known = {unit.code: unit for unit in session.scalars(select(Unit))}
    codes = {row.code for row in rows}
    return Plan(
        rows=rows,
        problems=[*problems, *unknown_positions, *unknown_members],
        new=[row.name for row in rows if row.code not in known],
        changed=[row.name for row in rows if row.code in known],
        gone=[unit.name for code, unit in sorted(known.items()) if code not in codes],
        position_ids=positions,
        member_ids=members,
    )


def apply_plan(wanted: Plan, *, actor_id: int | None) -> int:
    """Make the tree what the plan says, all of it or nothing; how many units there are then.

    Units are known by their codes: what the file does not name is removed, with its place in the tree only.
    Raises Invalid when the plan has problems.
    """
    if wanted.problems:
        raise Invalid(_("The file has faults; nothing was changed."), problems=wanted.problems)
    with transaction():
        lock_tree()
        known = {unit.code: unit for unit in session.scalars(select(Unit))}
        _remove(known, {row.code for row in wanted.rows})
        known = {unit.code: unit for unit in session.scalars(select(Unit))}
        _step_aside(known)
        ids = _write_units(wanted.rows, known)
        _fill(wanted, ids)
        audit.record(
            actor_id=actor_id,
            action="organisation.import",
            subject="organisation",
            summary=_("%(count)s units", count=len(ids)),
            changes={"new": [0, len(wanted.new)], "removed": [0, len(wanted.gone)]},
        )
    session.expire_all()
    return len(ids)


def export_csv() -> str:
    """The whole tree as CSV that `plan` reads back."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in _exported():
        cells = {
            **row,
            "positions": ";".join(row["positions"]),
            "members": ";".join(row["members"]),
        }
        writer.writerow([safe_cell(cells[name]) for name in COLUMNS])
    return out.getvalue()


def export_json() -> str:
    """The whole tree as JSON that `plan` reads back, children inside their units."""
    by_code: dict[str, dict[str, Any]] = {}
    top: list[dict[str, Any]] = []
    for row in _exported():
        parent = row.pop("parent")
        by_code[row["code"]] = row
        siblings = by_code[parent].setdefault("children", []) if parent else top
        siblings.append(row)
    return json.dumps({"units": top}, ensure_ascii=False, indent=2) + "\n"


# ----------------------------------------------------------------------------------------------- checking


def _faults(rows: list[Row]) -> list[Problem]:
    """Everything that is wrong with the units of a file, in the order of its lines."""
    parents = {row.code: row.parent for row in rows}
    codes = Counter(row.code for row in rows)
    names = Counter((row.parent, fold(row.name)) for row in rows)
    cyclic = in_cycles(parents)
    found: list[Problem] = []
    for row in rows:
        texts = [problem.message for problem in faults_of(row.fields)]
        if not row.code:
            texts.append(_("The code is missing."))
        elif codes[row.code] > 1:
            texts.append(_("The code “%(code)s” stands there twice.", code=row.code))
        if row.parent and row.parent not in parents:
            texts.append(_("There is no unit “%(code)s” to be in.", code=row.parent))
        if row.code in cyclic:
            texts.append(_("“%(name)s” is above itself.", name=row.name))
        elif _depth(row.code, parents) > MAX_DEPTH:
            texts.append(_("The tree may have %(max)s levels at most.", max=MAX_DEPTH))
        if row.name and names[row.parent, fold(row.name)] > 1:
            texts.append(_("There is a unit of this name beside it: “%(name)s”.", name=row.name))
        found += [Problem(row.place, text) for text in texts]
    return found


def _depth(code: str, parents: dict[str, str]) -> int:
    """How many levels down the unit is; a little more than allowed is enough to know."""
    depth = 0
    while code in parents and depth <= MAX_DEPTH:
        code, depth = parents[code], depth + 1
    return depth


def _find_positions(rows: list[Row]) -> tuple[dict[str, list[int]], list[Problem]]:
    """The positions that the rows name by number, by name in the source or by title."""
    wanted = {name for row in rows for name in row.positions or []}
    found: dict[str, int] = {}
    for names in _batches(wanted):
        numbers = [int(name) for name in names if name.isascii() and name.isdecimal()]
        query = select(Item.id, Item.external_id, Item.title).where(
            Item.kind == ItemKind.POSITION,
            or_(
                Item.external_id.in_(names),
                Item.title.in_(names),
                Item.id.in_([number for number in numbers if number < 2**31]),
            ),
        )
        for item_id, external_id, title in session.execute(query):
            # A number says which for certain, a title may be shared: the first one stands.
            found.setdefault(title, item_id)
            if external_id:
                found[external_id] = item_id
            found[str(item_id)] = item_id
    return _looked_up(rows, "positions", found, lambda n: _("There is no position “%(n)s”.", n=n))


def _find_members(rows: list[Row]) -> tuple[dict[str, list[int]], list[Problem]]:
    """The people that the rows name by username, e-mail address or phone number."""
    wanted = {name.casefold() for row in rows for name in row.members or []}
    found: dict[str, int] = {}
    for names in _batches(wanted):
        query = select(User.id, User.user_name, User.email, User.phone).where(
            or_(
                func.lower(User.user_name).in_(names),
                func.lower(User.email).in_(names),
                User.phone.in_(names),
            )
        )
        for user_id, *keys in session.execute(query):
            found.update({key.casefold(): user_id for key in keys if key})
    return _looked_up(
        rows, "members", found, lambda n: _("There is nobody with the name “%(n)s”.", n=n)
    )


def _looked_up(
    rows: list[Row], column: str, found: dict[str, int], say: Any
) -> tuple[dict[str, list[int]], list[Problem]]:
    ids: dict[str, list[int]] = {}
    problems: list[Problem] = []
    for row in rows:
        names = getattr(row, column)
        if names is None:
            continue
        keys = names if column == "positions" else [name.casefold() for name in names]
        problems += [
            Problem(row.place, say(n)) for n, k in zip(names, keys, strict=True) if k not in found
        ]
        ids[row.code] = list(dict.fromkeys(found[key] for key in keys if key in found))
    return ids, problems


def _batches(names: set[str]) -> list[list[str]]:
    ordered = sorted(names)
    return [ordered[i : i + BATCH] for i in range(0, len(ordered), BATCH)]


# ------------------------------------------------------------------------------------------------ writing


def _remove(known: dict[str, Unit], wanted: set[str]) -> None:
    """Delete the units that the file does not name; children that it does name are saved from the cascade."""
    gone = [unit for code, unit in known.items() if code not in wanted]
    if not gone:
        return
    for unit in known.values():
        unit.parent_id, unit.siblings_of = None, -unit.id
    session.flush()
    for unit in gone:
        if unit.floor_plan:
            uploads.delete_on_commit(uploads.path_of("plans", unit.floor_plan))
    session.execute(delete(Unit).where(Unit.id.in_([unit.id for unit in gone])))
    session.expire_all()


def _step_aside(known: dict[str, Unit]) -> None:
    """Free all names, so that units may swap theirs without two having the same in between."""
    for unit in known.values():
        unit.siblings_of = -unit.id
    session.flush()


def _write_units(rows: list[Row], known: dict[str, Unit]) -> dict[str, int]:
    """The units of the rows, parents first; their ids by code."""
    waiting: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        waiting[row.parent].append(row)
    ids: dict[str, int] = {}
    level = [""]
    while level:
        made = [unit for code in level for unit in _write_children(code, waiting[code], ids, known)]
        session.add_all(made)
        session.flush()
        ids |= {unit.code: unit.id for unit in made}
        level = [unit.code for unit in made]
    return ids


def _write_children(
    parent: str, rows: list[Row], ids: dict[str, int], known: dict[str, Unit]
) -> list[Unit]:
    units = []
    for ordinal, row in enumerate(rows):
        unit = known.get(row.code) or Unit(code=row.code, floor_plan="")
        unit.parent_id, unit.siblings_of = ids.get(parent), ids.get(parent, 0)
        unit.ordinal, unit.name, unit.name_en = ordinal, row.name, row.name_en
        unit.name_key, unit.colour = fold(row.name)[:MAX_NAME], row.colour.lower()
        units.append(unit)
    return units


def _fill(wanted: Plan, ids: dict[str, int]) -> None:
    for table, column, found in (
        (UnitPosition, "item_id", wanted.position_ids),
        (UnitMember, "user_id", wanted.member_ids),
    ):
        units = [ids[code] for code in found]
        session.execute(delete(table).where(table.unit_id.in_(units)))
        rows = [
            {"unit_id": ids[code], column: value, "ordinal": ordinal}
            for code, values in found.items()
            for ordinal, value in enumerate(values)
        ]
        if table is UnitMember:
            rows = [{"unit_id": row["unit_id"], column: row[column]} for row in rows]
        if rows:
            session.execute(insert(table), rows)


def _exported() -> list[dict[str, Any]]:
    positions, members = queries.names_of_positions(), queries.names_of_members()
    units = [unit for unit, _depth_of in queries.list_units()]
    codes = {unit.id: unit.code for unit in units}
    return [
        {
            "code": unit.code,
            "parent": codes.get(unit.parent_id or 0, ""),
            "name": unit.name,
            "name_en": unit.name_en,
            "colour": unit.colour,
            "positions": positions.get(unit.id, []),
            "members": members.get(unit.id, []),
        }
        for unit in units
    ]
