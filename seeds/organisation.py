"""The demo's organisation, and larger ones made up for measurements."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import insert, select

from dashboard.accounts.models import User
from dashboard.catalogue.models import Item, ItemKind, PositionCourse, Video, VideoState
from dashboard.core.database import session, transaction
from dashboard.organisation import services
from dashboard.organisation.models import Unit, UnitPosition


@dataclass(frozen=True, slots=True)
class Department:
    """A department: its names, and the positions in it by their pages in seeds/data."""

    code: str
    name: str
    name_en: str
    positions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Division:
    """A division with its departments."""

    code: str
    name: str
    name_en: str
    colour: str
    departments: tuple[Department, ...]


DIVISIONS = (
    Division(
        "research",
        "研究院",
        "Research division",
        "#2f7f9e",
        (
            Department(
                "genomics",
                "基因组学部",
                "Genomics",
                ("position-bioinformatics", "position-lab-lead", "position-data-analyst"),
            ),
            Department(
                "lab",
                "实验部",
                "Laboratory",
                ("position-lab-lead", "position-bioinformatics"),
            ),
            Department(
                "statistics",
                "统计部",
                "Statistics",
                ("position-data-analyst", "position-zh-analyst"),
            ),
        ),
    ),
    Division(
        "operations",
        "运营中心",
        "Operations division",
        "#a4552f",
        (
            Department(
                "business",
                "业务分析部",
                "Business analysis",
                ("position-zh-analyst", "position-data-analyst", "position-zh-deployment"),
            ),
            Department(
                "models",
                "模型部署部",
                "Model deployment",
                ("position-zh-deployment", "position-zh-analyst"),
            ),
            Department(
                "training",
                "培训部",
                "Training",
                ("position-lab-lead", "position-zh-deployment"),
            ),
        ),
    ),
)


def load(items: dict[str, Item], people: list[User]) -> None:
    """The demo's divisions and departments; everybody of `people` belongs to one department."""
    made: list[Unit] = []
    for division in DIVISIONS:
        top = _create(division.code, division.name, division.name_en, division.colour)
        for department in division.departments:
            unit = _create(department.code, department.name, department.name_en, "", parent=top)
            ids = [items[name].id for name in department.positions]
            services.set_positions(unit.id, actor_id=None, item_ids=ids)
            made.append(unit)
    for number, unit in enumerate(made):
        members = [user.id for user in people[number :: len(made)]]
        services.set_members(unit.id, actor_id=None, user_ids=members)


def generate(n_items: int, *, n_floors: int = 5, n_rooms: int = 8) -> None:
    """Fill an empty portal with `n_items` courses of up to three videos, spread evenly over n_floors x n_rooms
    positions. The videos have no files.

    For measurements: rows go in in bulk, past the services' checks, which a thousand courses would wait for.
    """
    with transaction():
        courses = _insert_items(ItemKind.COURSE, n_items, lambda i: f"课程 Course {i + 1}")
        positions = _insert_items(
            ItemKind.POSITION, n_floors * n_rooms, lambda i: f"职位 {i + 1:03d}"
        )
        top = _create("house", "总部", "Headquarters", "#2f7f9e")
        units = [
            _create(f"floor-{i + 1}", f"第 {i + 1} 部", f"Department {i + 1}", "", parent=top)
            for i in range(n_floors)
        ]
        rooms = [
            {"unit_id": units[i // n_rooms].id, "item_id": position, "ordinal": i % n_rooms}
            for i, position in enumerate(positions)
        ]
        session.execute(insert(UnitPosition), rooms)
        links = [
            {"position_id": positions[i % len(positions)], "course_id": course, "ordinal": i}
            for i, course in enumerate(courses)
        ]
        session.execute(insert(PositionCourse), links)
        videos = [
            {
                "item_id": course,
                "title": f"{number + 1}",
                "stored_name": f"{course}-{number}.mp4",
                "original_name": f"{number + 1}.mp4",
                "size_bytes": 0,
                "state": VideoState.READY.value,
            }
            for i, course in enumerate(courses)
            for number in range(i % 4)
        ]
        session.execute(insert(Video), videos)


def _create(code: str, name: str, name_en: str, colour: str, *, parent: Unit | None = None) -> Unit:
    fields = {"code": code, "name": name, "name_en": name_en, "colour": colour}
    return services.create_unit(
        actor_id=None, parent_id=parent.id if parent else None, fields=fields
    )


def _insert_items(kind: ItemKind, count: int, title: Callable[[int], str]) -> list[int]:
    rows = [{"kind": kind.value, "title": title(i), "status": "published"} for i in range(count)]
    session.execute(insert(Item), rows)
    session.flush()
    return list(session.scalars(select(Item.id).where(Item.kind == kind).order_by(Item.id)))
