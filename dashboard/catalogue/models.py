"""Courses and positions (one table, told apart by `kind`), their links, tags, videos and unfinished uploads."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dashboard.core.database import UTCDateTime, db, utcnow

# MySQL's TEXT ends at 64 kB, which 20,000 Chinese characters fill.
LongText = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")
# Compared byte by byte: MySQL would take "Résumé" and "resume" for the same.
ExactString = String(60).with_variant(String(60, collation="utf8mb4_bin"), "mysql", "mariadb")


class ItemKind(StrEnum):
    """What an item is."""

    COURSE = "course"  # something to learn
    POSITION = "position"  # what courses lead to


class ItemStatus(StrEnum):
    """Who sees an item."""

    DRAFT = "draft"  # administrators only
    PUBLISHED = "published"  # everybody


class Language(StrEnum):
    """The language an item is written in."""

    EN = "en"
    ZH = "zh"


class Level(StrEnum):
    """How much a course presumes."""

    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class VideoState(StrEnum):
    """Where a video stands; every one of them but `checking` is an end, so none lasts for ever."""

    UPLOADED = "uploaded"  # stored, its check not yet asked for
    CHECKING = "checking"  # a job looks into the file
    READY = "ready"  # plays in the page
    CANNOT_PLAY = "cannot_play"  # sound, but no browser plays it: offered as a download
    FAILED = "failed"  # not a usable video; `reason` says why


class VideoReason(StrEnum):
    """Why a video is not ready; the words for people are in video_reasons.py."""

    NOT_A_VIDEO = "not_a_video"
    PLAYLIST = "playlist"
    BROKEN = "broken"
    NO_PICTURE = "no_picture"
    NO_DURATION = "no_duration"
    DIMENSIONS = "dimensions"
    CODEC = "codec"
    CONTAINER = "container"
    CHECK_FAILED = "check_failed"
    MISSING_FILE = "missing_file"


item_tag = Table(
    "item_tag",
    db.metadata,
    Column("item_id", Integer, ForeignKey("item.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "tag_id", Integer, ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True, index=True
    ),
)


class Tag(db.Model):  # type: ignore[name-defined,misc]
    """A word that items are found by; `key` is its folded form, so that Excel and excel are one tag."""

    __tablename__ = "tag"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(ExactString, unique=True)
    name: Mapped[str] = mapped_column(String(60))

    def __str__(self) -> str:
        return self.name


class PositionCourse(db.Model):  # type: ignore[name-defined,misc]
    """A course that leads to a position, in the order in which to take them."""

    __tablename__ = "position_course"

    position_id: Mapped[int] = mapped_column(
        ForeignKey("item.id", ondelete="CASCADE"), primary_key=True
    )
    course_id: Mapped[int] = mapped_column(
        ForeignKey("item.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    ordinal: Mapped[int] = mapped_column(default=0)


class Item(db.Model):  # type: ignore[name-defined,misc]
    """A course or a position with its introduction page."""

    __tablename__ = "item"
    # For the dashboard's lists; for counts; for lists, newest first; for home, which asks for one language.
    __table_args__ = (
        Index("ix_item_kind_id", "kind", "id"),
        Index("ix_item_kind_status", "kind", "status"),
        Index("ix_item_newest", "kind", "status", "created_at"),
        Index("ix_item_newest_in_language", "kind", "status", "language", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200), index=True)
    summary: Mapped[str] = mapped_column(String(500), default="")
    content: Mapped[str] = mapped_column(LongText, default="")  # Markdown
    cover: Mapped[str] = mapped_column(String(80), default="", index=True)  # stored file name
    status: Mapped[str] = mapped_column(String(20), default=ItemStatus.DRAFT.value)
    language: Mapped[str] = mapped_column(String(5), default=Language.EN.value)
    level: Mapped[str | None] = mapped_column(String(20))
    duration_s: Mapped[int | None] = mapped_column(Integer)
    # The name of the item in the system it was loaded from, such as "mars:510".
    external_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)

    tags: Mapped[list[Tag]] = relationship(
        secondary=item_tag, lazy="selectin", order_by=Tag.key, passive_deletes=True
    )
    videos: Mapped[list["Video"]] = relationship(
        back_populates="item", order_by="(Video.ordinal, Video.id)", passive_deletes=True
    )

    @property
    def published(self) -> bool:
        return self.status == ItemStatus.PUBLISHED

    @property
    def tag_names(self) -> list[str]:
        return [tag.name for tag in self.tags]

    def __str__(self) -> str:
        return self.title


class Video(db.Model):  # type: ignore[name-defined,misc]
    """A training video of an item; its file is named by us, `original_name` is for people."""

    __tablename__ = "video"
    __table_args__ = (CheckConstraint("size_bytes >= 0", name="size"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    stored_name: Mapped[str] = mapped_column(String(80), unique=True)
    original_name: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    duration_s: Mapped[float | None] = mapped_column(Float)
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    codec: Mapped[str] = mapped_column(String(40), default="")
    mime_type: Mapped[str] = mapped_column(String(40), default="application/octet-stream")
    poster: Mapped[str] = mapped_column(String(80), default="")  # stored file name
    state: Mapped[str] = mapped_column(String(20), default=VideoState.UPLOADED.value, index=True)
    reason: Mapped[str] = mapped_column(String(40), default="")  # VideoReason
    reason_detail: Mapped[str] = mapped_column(String(200), default="")
    # May visitors without an account watch it?
    preview_public: Mapped[bool] = mapped_column(Boolean, default=False)
    ordinal: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)

    item: Mapped[Item] = relationship(back_populates="videos")

    @property
    def playable(self) -> bool:
        return self.state == VideoState.READY

    @property
    def downloadable(self) -> bool:
        return self.state in (VideoState.READY, VideoState.CANNOT_PLAY)

    def __str__(self) -> str:
        return self.title


class UploadTicket(db.Model):  # type: ignore[name-defined,misc]
    """Leave to send one video in pieces; how much has arrived is the size of its file."""

    __tablename__ = "upload_ticket"

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(43), unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    original_name: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
