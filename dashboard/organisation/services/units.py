"""Units: making, renaming, moving, reordering, filling, deleting."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypedDict

from sqlalchemy import delete, select, update

from dashboard.accounts.models import User
from dashboard.audit import services as audit
from dashboard.catalogue.models import Item, ItemKind
from dashboard.core import uploads
from dashboard.core.database import session, transaction
from dashboard.core.errors import Conflict, Invalid, Problem
from dashboard.core.i18n import _
from dashboard.organisation.models import (
    MAX_CODE,
    MAX_DEPTH,
    MAX_NAME,
    Unit,
    UnitMember,
    UnitPosition,
)
from dashboard.organisation.queries import units as queries
from dashboard.organisation.tree import Tree, fold

CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_CODE - 1}}}")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class Direction(StrEnum):
    """One step in the tree, as a keyboard takes it."""

    UP = "up"  # before the sibling above
    DOWN = "down"  # after the sibling below
    IN = "in"  # into the sibling above, at its end
    OUT = "out"  # out of the parent, right after it


class UnitFields(TypedDict, total=False):
    """What can be set about a unit; fields that are not given stay."""

    name: str
    name_en: str
    code: str
    colour: str


def create_unit(
    *, actor_id: int | None, parent_id: int | None = None, fields: UnitFields | Mapping[str, Any]
) -> Unit:
    """A new unit, last among its siblings. Raises NotFound and Invalid."""
    values = {"name": "", **fields}
    _check(values)
    with transaction():
        lock_tree()
        tree = queries.load_tree()
        if parent_id is not None:
            queries.get_unit(parent_id)
        _check_depth(tree.depth_of(parent_id) + 1)
        unit = Unit(
            parent_id=parent_id,
            siblings_of=parent_id or 0,
            ordinal=len(tree.children.get(parent_id, [])),
            code=values.get("code") or f"new-{uploads.new_name('x')[:24]}",
        )
        _set(unit, values)
        _check_siblings(unit)
        session.add(unit)
        session.flush()
        if not values.get("code"):
            unit.code = _free_code(unit.id)
        _record(unit, "create", actor_id=actor_id)
    return unit


def update_unit(
    unit_id: int, *, actor_id: int | None, fields: UnitFields | Mapping[str, Any]
) -> Unit:
    """The unit with the given fields changed. Raises NotFound and Invalid."""
    _check(fields)
    with transaction():
        lock_tree()
        unit = queries.get_unit(unit_id)
        before = _values(unit)
        _set(unit, fields)
        _check_siblings(unit)
        session.flush()
        changes = audit.difference(before, _values(unit))
        _record(unit, "update", actor_id=actor_id, changes=changes)
    return unit


def move_unit(
    unit_id: int, *, actor_id: int | None, parent_id: int | None, place: int | None = None
) -> Unit:
    """Put a unit with all below it under `parent_id` (None: the top), before the sibling at `place`.

    place counts from 0 among the new siblings without the unit itself; None is the end. Raises NotFound,
    and Invalid when it would stand below itself, too deep, or beside another of its name.
    """
    with transaction():
        lock_tree()
        unit = queries.get_unit(unit_id)
        tree = queries.load_tree()
        _check_move(tree, unit_id, parent_id)
        before = {"parent_id": unit.parent_id, "ordinal": unit.ordinal}
        old_parent = unit.parent_id
        unit.parent_id, unit.siblings_of = parent_id, parent_id or 0
        _check_siblings(unit)
        session.flush()
        siblings = [each for each in tree.children.get(parent_id, []) if each != unit_id]
        at = len(siblings) if place is None else max(0, min(place, len(siblings)))
        _number([*siblings[:at], unit_id, *siblings[at:]])
        if old_parent != parent_id:
            _number([each for each in tree.children.get(old_parent, []) if each != unit_id])
        session.flush()
        after = {"parent_id": unit.parent_id, "ordinal": unit.ordinal}
        _record(unit, "move", actor_id=actor_id, changes=audit.difference(before, after))
    return unit


def shift_unit(unit_id: int, direction: Direction, *, actor_id: int | None) -> Unit:
    """Move a unit one step. Raises NotFound, and Conflict where there is no such step."""
    unit = queries.get_unit(unit_id)
    tree = queries.load_tree()
    siblings = tree.children[unit.parent_id]
    at = siblings.index(unit_id)
    if direction is Direction.OUT and unit.parent_id is not None:
        above = tree.nodes[unit.parent_id]
        place = tree.children[above.parent_id].index(above.id) + 1
        return move_unit(unit_id, actor_id=actor_id, parent_id=above.parent_id, place=place)
    if direction is Direction.IN and at > 0:
        return move_unit(unit_id, actor_id=actor_id, parent_id=siblings[at - 1])
    if direction is Direction.UP and at > 0:
        return move_unit(unit_id, actor_id=actor_id, parent_id=unit.parent_id, place=at - 1)
    if direction is Direction.DOWN and at < len(siblings) - 1:
        return move_unit(unit_id, actor_id=actor_id, parent_id=unit.parent_id, place=at + 1)
    raise Conflict(_("The unit cannot be moved further in this direction."))


def set_positions(unit_id: int, *, actor_id: int | None, item_ids: list[int]) -> None:
    """Give a unit exactly these positions, in this order. Raises NotFound and Invalid."""
    wanted = list(dict.fromkeys(item_ids))
    with transaction():
        unit = queries.get_unit(unit_id)
        query = select(Item.id).where(Item.id.in_(wanted), Item.kind == ItemKind.POSITION)
        if set(session.scalars(query)) != set(wanted):
            message = _("Only positions that exist can be in a unit.")
            raise Invalid(message, problems=[Problem("position_ids", message)])
        before = queries.list_position_ids(unit_id)
        if before != wanted:
            session.execute(delete(UnitPosition).where(UnitPosition.unit_id == unit_id))
            session.add_all(
                UnitPosition(unit_id=unit_id, item_id=item_id, ordinal=ordinal)
                for ordinal, item_id in enumerate(wanted)
            )
            _record(unit, "positions", actor_id=actor_id, changes={"positions": [before, wanted]})


def set_members(unit_id: int, *, actor_id: int | None, user_ids: list[int]) -> None:
    """Give a unit exactly these people. Raises NotFound and Invalid."""
    wanted = sorted(set(user_ids))
    with transaction():
        unit = queries.get_unit(unit_id)
        if set(session.scalars(select(User.id).where(User.id.in_(wanted)))) != set(wanted):
            message = _("Only people with an account can be in a unit.")
            raise Invalid(message, problems=[Problem("member_ids", message)])
        before = queries.list_member_ids(unit_id)
        if before != wanted:
            session.execute(delete(UnitMember).where(UnitMember.unit_id == unit_id))
            session.add_all(UnitMember(unit_id=unit_id, user_id=user_id) for user_id in wanted)
            _record(unit, "members", actor_id=actor_id, changes={"members": [before, wanted]})


def delete_unit(unit_id: int, *, actor_id: int | None) -> int:
    """Remove a unit with all below it; how many that were. Positions, courses and people stay."""
    with transaction():
        lock_tree()
        unit = queries.get_unit(unit_id)
        gone = queries.load_tree().below(unit_id)
        for plan in session.scalars(
            select(Unit.floor_plan).where(Unit.id.in_(gone), Unit.floor_plan != "")
        ):
            uploads.delete_on_commit(uploads.path_of("plans", plan))
        siblings = queries.load_tree().children[unit.parent_id]
        _record(unit, "delete", actor_id=actor_id, changes={"units": [len(gone), 0]})
        session.execute(delete(Unit).where(Unit.id == unit_id))
        session.expire_all()
        _number([each for each in siblings if each != unit_id])
    return len(gone)


def lock_tree() -> None:
    """Let nobody else change the tree before this transaction ends, and forget what was read of it before.

    Two moves at once could each be right and together make a circle. A write that changes nothing locks
    the rows on every database.
    """
    session.execute(
        update(Unit)
        .values(ordinal=Unit.ordinal, updated_at=Unit.updated_at)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


# ---------------------------------------------------------------------------------------------- helpers


def faults_of(fields: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a unit's fields, each taken for itself."""
    name, code = (fields.get("name") or "").strip(), fields.get("code") or ""
    return [
        Problem(field, text)
        for field, broken, text in (
            (
                "name",
                "name" in fields and not 0 < len(name) <= MAX_NAME,
                _("The name needs 1 to %(max)s characters.", max=MAX_NAME),
            ),
            (
                "name_en",
                len(fields.get("name_en") or "") > MAX_NAME,
                _("The English name may have %(max)s characters at most.", max=MAX_NAME),
            ),
            (
                "code",
                bool(code) and not CODE.fullmatch(code),
                _(
                    "The code may have letters, digits, “.”, “_” and “-”, %(max)s at most.",
                    max=MAX_CODE,
                ),
            ),
            (
                "colour",
                bool(fields.get("colour")) and not COLOUR.fullmatch(fields["colour"]),
                _("The colour must look like #0d675c."),
            ),
        )
        if broken
    ]


def _check(fields: Mapping[str, Any]) -> None:
    if problems := faults_of(fields):
        raise Invalid(problems[0].message, problems=problems)


def _check_move(tree: Tree, unit_id: int, parent_id: int | None) -> None:
    if parent_id is not None:
        queries.get_unit(parent_id)
        if parent_id in tree.below(unit_id):
            message = _("A unit cannot be moved into itself or below itself.")
            raise Invalid(message, problems=[Problem("parent_id", message)])
    _check_depth(tree.depth_of(parent_id) + tree.height_of(unit_id))


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        message = _("The tree may have %(max)s levels at most.", max=MAX_DEPTH)
        raise Invalid(message, problems=[Problem("parent_id", message)])


def _check_siblings(unit: Unit) -> None:
    """Raise Invalid when a sibling has the same name, or another unit the same code."""
    with session.no_autoflush:
        others = select(Unit.id).where(Unit.id != (unit.id or 0))
        same_name = others.where(
            Unit.siblings_of == unit.siblings_of, Unit.name_key == unit.name_key
        )
        same_code = others.where(Unit.code == unit.code)
        problems = []
        if session.scalar(same_name.limit(1)) is not None:
            text = _("There is a unit of this name beside it: “%(name)s”.", name=unit.name)
            problems.append(Problem("name", text))
        if session.scalar(same_code.limit(1)) is not None:
            text = _("Another unit has the code “%(code)s”.", code=unit.code)
            problems.append(Problem("code", text))
    if problems:
        raise Invalid(problems[0].message, problems=problems)


def _free_code(unit_id: int) -> str:
    """A code that nobody has: the unit's number, unless a file has used it already."""
    code = f"u{unit_id}"
    while session.scalar(select(Unit.id).where(Unit.code == code)) is not None:
        code += "-"
        code += "x"
    return code


def _number(ids: list[int]) -> None:
    for ordinal, unit_id in enumerate(ids):
        session.get_one(Unit, unit_id).ordinal = ordinal


def _set(unit: Unit, fields: Mapping[str, Any]) -> None:
    if "name" in fields:
        unit.name = " ".join(fields["name"].split())
        unit.name_key = fold(fields["name"])[:MAX_NAME]
    if "name_en" in fields:
        unit.name_en = " ".join((fields["name_en"] or "").split())
    if fields.get("code"):
        unit.code = fields["code"]
    if "colour" in fields:
        unit.colour = (fields["colour"] or "").lower()


def _values(unit: Unit) -> dict[str, Any]:
    return {name: getattr(unit, name) for name in ("name", "name_en", "code", "colour")}


def _record(
    unit: Unit, what: str, *, actor_id: int | None, changes: dict[str, Any] | None = None
) -> None:
    audit.record(
        actor_id=actor_id,
        action=f"unit.{what}",
        subject=f"unit:{unit.id}",
        summary=unit.name,
        changes=changes,
    )
