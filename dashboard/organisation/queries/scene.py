"""What everybody may see of the organisation: units, and published positions with their published courses."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import aliased

from dashboard.catalogue.models import Item, ItemStatus, PositionCourse, Video, VideoState
from dashboard.core.database import Page, contains, session
from dashboard.organisation.models import Unit, UnitPosition
from dashboard.organisation.queries.units import list_units

MAX_FOUND = 1000
MAX_WORDS = 8


@dataclass(frozen=True, slots=True)
class Room:
    """A published position on a unit's floor."""

    id: int
    title: str
    language: str
    n_courses: int


@dataclass(frozen=True, slots=True)
class Floor:
    """A unit with its rooms, at its depth in the tree."""

    unit: Unit
    depth: int
    rooms: list[Room] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SceneItem:
    """A course in a room; `n_videos` of it play."""

    room: int
    id: int
    title: str
    duration_s: int | None
    n_videos: int


@dataclass(frozen=True, slots=True)
class FoundRoom:
    """A room that a search found; `n_courses` of its courses hold the words."""

    unit: int
    room: int
    n_courses: int


def list_floors() -> list[Floor]:
    """Every unit, top down, with its published positions in their order."""
    n_courses = _count_courses()
    rooms: dict[int, list[Room]] = defaultdict(list)
    query = (
        select(UnitPosition.unit_id, Item.id, Item.title, Item.language)
        .join(Item, Item.id == UnitPosition.item_id)
        .where(Item.status == ItemStatus.PUBLISHED)
        .order_by(UnitPosition.ordinal, Item.id)
    )
    for unit_id, item_id, title, language in session.execute(query):
        rooms[unit_id].append(Room(item_id, title, language, n_courses.get(item_id, 0)))
    return [Floor(unit, depth, rooms.get(unit.id, [])) for unit, depth in list_units()]


def list_items_of(unit_id: int, *, page: int, per_page: int) -> Page[SceneItem]:
    """One page of the published courses in a unit's rooms, room by room, in their order."""
    query = _courses_of(unit_id)
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    rows = session.execute(query.limit(per_page).offset((page - 1) * per_page)).all()
    n_videos = _count_videos([item_id for _room, item_id, *_rest in rows])
    items = [
        SceneItem(room, item_id, title, duration_s, n_videos.get(item_id, 0))
        for room, item_id, title, duration_s in rows
    ]
    return Page(items=items, page=page, per_page=per_page, total=total)


def find_rooms(words: str) -> tuple[list[FoundRoom], int]:
    """The rooms in whose name, unit or published courses all the words stand: the first MAX_FOUND, and how many.

    Named rooms come first, then those with most such courses.
    """
    patterns = [contains(word) for word in words.replace("\0", " ").split()[:MAX_WORDS]]
    if not patterns:
        return [], 0
    n_courses = _count_matching(patterns).subquery()
    named = _holds(Item.title, patterns)
    count = func.coalesce(n_courses.c.count, 0)
    query = (
        select(UnitPosition.unit_id, Item.id, count)
        .join(Item, Item.id == UnitPosition.item_id)
        .join(Unit, Unit.id == UnitPosition.unit_id)
        .outerjoin(n_courses, n_courses.c.position_id == Item.id)
        .where(
            Item.status == ItemStatus.PUBLISHED,
            named | (count > 0) | _holds(Unit.name, patterns) | _holds(Unit.name_en, patterns),
        )
    )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    best_first = query.order_by(
        case((named, 0), else_=1), count.desc(), UnitPosition.unit_id, UnitPosition.ordinal
    )
    rows = session.execute(best_first.limit(MAX_FOUND))
    return [FoundRoom(unit, room, n) for unit, room, n in rows], total


def find_unit_of(position_id: int) -> int | None:
    """The first unit that has the position, None when none has."""
    query = select(UnitPosition.unit_id).where(UnitPosition.item_id == position_id)
    return session.scalar(query.order_by(UnitPosition.unit_id).limit(1))


def _courses_of(unit_id: int) -> Select[int, int, str, int | None]:
    position, course = aliased(Item), aliased(Item)
    return (
        select(position.id, course.id, course.title, course.duration_s)
        .select_from(UnitPosition)
        .join(position, position.id == UnitPosition.item_id)
        .join(PositionCourse, PositionCourse.position_id == position.id)
        .join(course, course.id == PositionCourse.course_id)
        .where(
            UnitPosition.unit_id == unit_id,
            position.status == ItemStatus.PUBLISHED,
            course.status == ItemStatus.PUBLISHED,
        )
        .order_by(UnitPosition.ordinal, position.id, PositionCourse.ordinal, course.id)
    )


def _count_matching(patterns: list[str]) -> Select[int, int]:
    """How many published courses of each position hold all the patterns in their title."""
    return (
        select(PositionCourse.position_id, func.count().label("count"))
        .join(Item, Item.id == PositionCourse.course_id)
        .where(Item.status == ItemStatus.PUBLISHED, _holds(Item.title, patterns))
        .group_by(PositionCourse.position_id)
    )


def _holds(column: Any, patterns: list[str]) -> ColumnElement[bool]:
    return and_(*(column.ilike(pattern, escape="\\") for pattern in patterns))


def _count_courses() -> dict[int, int]:
    query = (
        select(PositionCourse.position_id, func.count())
        .join(Item, Item.id == PositionCourse.course_id)
        .where(
            Item.status == ItemStatus.PUBLISHED,
            PositionCourse.position_id.in_(select(UnitPosition.item_id)),
        )
        .group_by(PositionCourse.position_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _count_videos(course_ids: list[int]) -> dict[int, int]:
    query = (
        select(Video.item_id, func.count())
        .where(Video.item_id.in_(course_ids), Video.state == VideoState.READY)
        .group_by(Video.item_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}
