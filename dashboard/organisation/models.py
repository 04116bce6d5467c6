"""Units (divisions, departments, teams) as a tree, who and which positions are in them, and the backdrop."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.core.database import UTCDateTime, db, utcnow

MAX_NAME = 80
MAX_CODE = 40
# Divisions, departments, groups, teams, ...: deeper trees are mistakes, and MySQL ends cascades at 15.
MAX_DEPTH = 6
# Compared byte by byte: MySQL would take "Résumé" and "resume" for the same.
NameKey = String(MAX_NAME).with_variant(
    String(MAX_NAME, collation="utf8mb4_bin"), "mysql", "mariadb"
)
Code = String(MAX_CODE).with_variant(String(MAX_CODE, collation="utf8mb4_bin"), "mysql", "mariadb")


class Unit(db.Model):  # type: ignore[name-defined,misc]
    """A part of the organisation: a division, a department, a team."""

    __tablename__ = "unit"
    # `parent_id` is NULL at the top, where NULLs would not count as equal: `siblings_of` is 0 there.
    __table_args__ = (UniqueConstraint("siblings_of", "name_key", name="uq_unit_siblings_of"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("unit.id", ondelete="CASCADE"), index=True
    )
    siblings_of: Mapped[int] = mapped_column(Integer, default=0)
    ordinal: Mapped[int] = mapped_column(Integer, default=0)  # among its siblings, from 0
    # What files call the unit; it stays when the unit is renamed.
    code: Mapped[str] = mapped_column(Code, unique=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    name_key: Mapped[str] = mapped_column(NameKey)  # folded
    name_en: Mapped[str] = mapped_column(String(MAX_NAME), default="")
    colour: Mapped[str] = mapped_column(String(7), default="")  # "#rrggbb", "" for the default
    floor_plan: Mapped[str] = mapped_column(String(80), default="")  # stored file name
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)

    def __str__(self) -> str:
        return self.name


class UnitMember(db.Model):  # type: ignore[name-defined,misc]
    """A person who belongs to a unit."""

    __tablename__ = "unit_member"

    unit_id: Mapped[int] = mapped_column(
        ForeignKey("unit.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class UnitPosition(db.Model):  # type: ignore[name-defined,misc]
    """A position that a unit has: a room on its floor."""

    __tablename__ = "unit_position"

    unit_id: Mapped[int] = mapped_column(
        ForeignKey("unit.id", ondelete="CASCADE"), primary_key=True
    )
    item_id: Mapped[int] = mapped_column(
        ForeignKey("item.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    ordinal: Mapped[int] = mapped_column(Integer, default=0)


class Backdrop(db.Model):  # type: ignore[name-defined,misc]
    """A building model (GLB) that stands around the structure; the newest row counts."""

    __tablename__ = "backdrop"

    id: Mapped[int] = mapped_column(primary_key=True)
    stored_name: Mapped[str] = mapped_column(String(80), unique=True)
    original_name: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)

    def __str__(self) -> str:
        return self.original_name
