"""Units, their tree, and who and what is in them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from dashboard.accounts.models import User
from dashboard.catalogue.models import Item
from dashboard.core.database import session
from dashboard.core.errors import NotFound
from dashboard.core.i18n import _
from dashboard.core.ids import MAX_ID
from dashboard.organisation.models import Backdrop, Unit, UnitMember, UnitPosition
from dashboard.organisation.tree import Tree, make_tree


@dataclass(frozen=True, slots=True)
class Branch:
    """A unit as lists show it, with what is in it."""

    unit: Unit
    depth: int
    n_positions: int
    n_members: int
    first: bool
    last: bool


def get_unit(unit_id: int) -> Unit:
    """The unit; NotFound when there is none."""
    unit = session.get(Unit, unit_id) if 0 < unit_id <= MAX_ID else None
    if unit is None:
        raise NotFound(_("There is no such unit."))
    return unit


def load_tree() -> Tree:
    """Every unit's place."""
    rows = session.execute(select(Unit.id, Unit.parent_id, Unit.ordinal))
    return make_tree((row[0], row[1], row[2]) for row in rows)


def list_units() -> list[tuple[Unit, int]]:
    """(unit, depth) of every unit, top down, each before its children."""
    units = {unit.id: unit for unit in session.scalars(select(Unit))}
    tree = make_tree((unit.id, unit.parent_id, unit.ordinal) for unit in units.values())
    return [(units[unit_id], depth) for unit_id, depth in tree.walk()]


def list_branches() -> list[Branch]:
    """Every unit with the number of its positions and members, top down."""
    n_positions, n_members = _counts(UnitPosition), _counts(UnitMember)
    tree = load_tree()
    return [
        Branch(
            unit=unit,
            depth=depth,
            n_positions=n_positions.get(unit.id, 0),
            n_members=n_members.get(unit.id, 0),
            first=tree.children[unit.parent_id][0] == unit.id,
            last=tree.children[unit.parent_id][-1] == unit.id,
        )
        for unit, depth in list_units()
    ]


def list_position_ids(unit_id: int) -> list[int]:
    """The positions of a unit in their order."""
    query = select(UnitPosition.item_id).where(UnitPosition.unit_id == unit_id)
    return list(session.scalars(query.order_by(UnitPosition.ordinal, UnitPosition.item_id)))


def list_member_ids(unit_id: int) -> list[int]:
    """The people of a unit."""
    query = select(UnitMember.user_id).where(UnitMember.unit_id == unit_id)
    return list(session.scalars(query.order_by(UnitMember.user_id)))


def names_of_positions() -> dict[int, list[str]]:
    """For every unit its positions as files name them: the name in the source, else the number."""
    query = (
        select(UnitPosition.unit_id, Item.external_id, Item.id)
        .join(Item, Item.id == UnitPosition.item_id)
        .order_by(UnitPosition.ordinal, Item.id)
    )
    return _grouped((unit, external or str(number)) for unit, external, number in _rows(query))


def names_of_members() -> dict[int, list[str]]:
    """For every unit its people by username, e-mail or phone number."""
    query = select(UnitMember.unit_id, User).join(User, User.id == UnitMember.user_id)
    return _grouped(
        (unit, user.user_name or user.email or user.phone or str(user.id))
        for unit, user in _rows(query.order_by(User.id))
    )


def find_backdrop() -> Backdrop | None:
    """The building model to show, None without one."""
    return session.scalar(select(Backdrop).order_by(Backdrop.id.desc()).limit(1))


def _counts(table: type[UnitPosition] | type[UnitMember]) -> dict[int, int]:
    query = select(table.unit_id, func.count()).group_by(table.unit_id)
    return {row[0]: row[1] for row in session.execute(query)}


def _rows(query: object) -> Sequence[tuple]:
    return list(session.execute(query))  # type: ignore[call-overload, no-any-return]


def _grouped(pairs: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for unit_id, name in pairs:
        found[unit_id].append(name)
    return dict(found)
