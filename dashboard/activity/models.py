"""The event log, which only grows, and the present state that pages ask for: one row per learner and thing."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.core.database import UTCDateTime, db, utcnow

# SQLite numbers rows by itself only in an INTEGER column.
BigId = BigInteger().with_variant(Integer, "sqlite")


class EventKind(StrEnum):
    """What happened; `value` says how much."""

    VIEW = "view"  # opened an introduction page
    FAVOURITE = "favourite"
    UNFAVOURITE = "unfavourite"
    RATING = "rating"  # value: 1 to 5 stars
    WATCH = "watch"  # value: fraction of the video that was reached, 0 to 1
    DOWNLOAD = "download"
    DISMISS = "dismiss"  # "not interested" on a recommendation
    UNDISMISS = "undismiss"
    IGNORE = "ignore"  # "leave this out": what she did with the item says nothing about her
    UNIGNORE = "unignore"


class Event(db.Model):  # type: ignore[name-defined,misc]
    """One thing a learner did. Rows are added, never changed; they go only with their user or item."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_user_id_created_at", "user_id", "created_at"),
        # What somebody with a very long history met, dismissed and rated is read without the rest.
        Index("ix_event_user_id_kind_item_id", "user_id", "kind", "item_id"),
        Index("ix_event_item_id_kind", "item_id", "kind"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"))
    video_id: Mapped[int | None] = mapped_column(
        ForeignKey("video.id", ondelete="SET NULL"), index=True
    )
    kind: Mapped[str] = mapped_column(String(20))
    value: Mapped[float | None] = mapped_column(Float)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)


class Favourite(db.Model):  # type: ignore[name-defined,misc]
    """An item that a learner keeps as a favourite now."""

    __tablename__ = "favourite"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    item_id: Mapped[int] = mapped_column(
        ForeignKey("item.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)


class Rating(db.Model):  # type: ignore[name-defined,misc]
    """The stars a learner gives an item now."""

    __tablename__ = "rating"
    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),)

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    item_id: Mapped[int] = mapped_column(
        ForeignKey("item.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    stars: Mapped[int] = mapped_column(SmallInteger)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)


class WatchProgress(db.Model):  # type: ignore[name-defined,misc]
    """Where a learner stopped in a video."""

    __tablename__ = "watch_progress"
    __table_args__ = (
        Index("ix_watch_progress_user_id_updated_at", "user_id", "updated_at"),
        CheckConstraint("position_s >= 0", name="position"),
    )

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    position_s: Mapped[float] = mapped_column(Float)
    duration_s: Mapped[float] = mapped_column(Float)
    # The furthest point ever reached, so that going back does not lose what was done.
    reached_s: Mapped[float] = mapped_column(Float)
    finished: Mapped[bool] = mapped_column(Boolean, default=False)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)
