"""Reads of what learners did: a learner sees her own, nobody else's."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from dashboard.activity.models import Favourite, Rating, WatchProgress
from dashboard.catalogue.models import Item, ItemStatus, Video, VideoState
from dashboard.core.database import Page, page_of, session


@dataclass(frozen=True, slots=True)
class Mine:
    """A learner's present state on one item."""

    favourite: bool
    stars: int | None
    positions: dict[int, WatchProgress]
    """By video."""


def get_mine(user_id: int, item_id: int) -> Mine:
    """What a learner keeps about an item."""
    progress = select(WatchProgress).where(
        WatchProgress.user_id == user_id, WatchProgress.item_id == item_id
    )
    rating = session.get(Rating, (user_id, item_id))
    return Mine(
        favourite=session.get(Favourite, (user_id, item_id)) is not None,
        stars=rating.stars if rating else None,
        positions={row.video_id: row for row in session.scalars(progress)},
    )


def list_favourites(user_id: int, *, page: int = 1, per_page: int = 20) -> Page[Item]:
    """A learner's favourites that are published, newest first."""
    query = (
        select(Item)
        .join(Favourite, Favourite.item_id == Item.id)
        .where(Favourite.user_id == user_id, Item.status == ItemStatus.PUBLISHED)
        .order_by(Favourite.created_at.desc(), Item.id.desc())
    )
    return page_of(query, page=page, per_page=per_page)


@dataclass(frozen=True, slots=True)
class Resume:
    """A video that a learner has begun and not finished."""

    item: Item
    video: Video
    position_s: float
    duration_s: float


def list_to_resume(user_id: int, *, limit: int = 4) -> list[Resume]:
    """Where a learner can go on, most recent first."""
    query = (
        select(WatchProgress, Video)
        .join(Video, Video.id == WatchProgress.video_id)
        .join(Item, Item.id == Video.item_id)
        .options(joinedload(Video.item))
        .where(
            WatchProgress.user_id == user_id,
            WatchProgress.finished.is_(False),
            Video.state == VideoState.READY,
            Item.status == ItemStatus.PUBLISHED,
        )
        .order_by(WatchProgress.updated_at.desc(), Video.id.desc())
        .limit(limit)
    )
    return [
        Resume(
            item=video.item,
            video=video,
            position_s=row.position_s,
            duration_s=row.duration_s,
        )
        for row, video in session.execute(query)
    ]


def list_progress(user_id: int, *, page: int = 1, per_page: int = 20) -> Page[WatchProgress]:
    """How far a learner is in each video, most recent first."""
    query = (
        select(WatchProgress)
        .join(Item, Item.id == WatchProgress.item_id)
        .where(WatchProgress.user_id == user_id, Item.status == ItemStatus.PUBLISHED)
        .order_by(WatchProgress.updated_at.desc(), WatchProgress.video_id.desc())
    )
    return page_of(query, page=page, per_page=per_page)
