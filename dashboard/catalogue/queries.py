"""Reads of the catalogue. Unless a function is asked for drafts it knows published items only."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload

from dashboard.catalogue.models import (
    Item,
    ItemKind,
    ItemStatus,
    PositionCourse,
    Tag,
    UploadTicket,
    Video,
    VideoState,
    item_tag,
)
from dashboard.core.database import Page, contains, page_of, session
from dashboard.core.errors import NotFound
from dashboard.core.ids import MAX_ID
from dashboard.job_queue.models import Job

MAX_QUERY_LENGTH = 100
MAX_WORDS = 8


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items are wanted; empty fields do not narrow."""

    kind: str = ""
    q: str = ""
    tag: str = ""
    language: str = ""
    level: str = ""
    status: str = ""
    sort: str = "newest"
    drafts: bool = False


# ------------------------------------------------------------------------------------------------ items


def get_item(item_id: int, *, kind: str | None = None, drafts: bool = False) -> Item:
    """The item; NotFound when there is none of this kind that the asker may see."""
    item = session.get(Item, item_id) if 0 < item_id <= MAX_ID else None
    if item is None or (kind and item.kind != kind) or not (drafts or item.published):
        raise NotFound()
    return item


def list_items(wanted: ItemFilter, *, page: int = 1, per_page: int = 20) -> Page[Item]:
    """One page of the items that fit, newest first or by title."""
    return page_of(_ordered(_matching(wanted), wanted.sort), page=page, per_page=per_page)


def list_newest(*, kind: ItemKind, language: str, limit: int) -> list[Item]:
    """Published items of a kind: those in `language` first, each group newest first."""
    query = _ordered(
        select(Item).where(Item.kind == kind, Item.status == ItemStatus.PUBLISHED), "newest"
    )
    # Two short reads by an index; sorting by "is it her language" would read every item.
    own = list(session.scalars(query.where(Item.language == language).limit(limit)))
    others = query.where(Item.language != language).limit(limit - len(own))
    return own + (list(session.scalars(others)) if len(own) < limit else [])


def list_items_by_id(ids: list[int], *, drafts: bool = False) -> list[Item]:
    """The items of these ids that the asker may see, in the order asked for."""
    if not ids:
        return []
    query = select(Item).where(Item.id.in_(ids))
    found = {item.id: item for item in session.scalars(query) if drafts or item.published}
    return [found[item_id] for item_id in ids if item_id in found]


def count_published() -> dict[str, int]:
    """How many courses, positions and playable videos everybody sees."""
    by_kind = (
        select(Item.kind, func.count())
        .where(Item.status == ItemStatus.PUBLISHED)
        .group_by(Item.kind)
    )
    kinds: dict[str, int] = {row[0]: row[1] for row in session.execute(by_kind)}
    videos = session.scalar(
        select(func.count())
        .select_from(Video)
        .join(Item)
        .where(Item.status == ItemStatus.PUBLISHED, Video.state == VideoState.READY)
    )
    return {
        "courses": kinds.get(ItemKind.COURSE, 0),
        "positions": kinds.get(ItemKind.POSITION, 0),
        "videos": videos or 0,
    }


def list_tags(*, kind: str = "", limit: int = 60) -> list[tuple[str, int]]:
    """The tags of published items with how many carry them, most used first."""
    n_items = func.count(Item.id)
    query = (
        select(Tag.name, n_items)
        .join(item_tag, item_tag.c.tag_id == Tag.id)
        .join(Item, Item.id == item_tag.c.item_id)
        .where(Item.status == ItemStatus.PUBLISHED)
        .group_by(Tag.id, Tag.name, Tag.key)
        .order_by(n_items.desc(), Tag.key)
        .limit(limit)
    )
    if kind:
        query = query.where(Item.kind == kind)
    return [(name, count) for name, count in session.execute(query)]


def fold_tag(name: str) -> str:
    """The form under which a tag is unique: case and space do not tell tags apart."""
    return " ".join(name.split()).casefold()[:60]


def _matching(wanted: ItemFilter) -> Select[Any]:
    query = select(Item)
    if not wanted.drafts:
        query = query.where(Item.status == ItemStatus.PUBLISHED)
    for column, value in (
        (Item.kind, wanted.kind),
        (Item.language, wanted.language),
        (Item.level, wanted.level),
        (Item.status, wanted.status),
    ):
        if value:
            query = query.where(column == value)
    if wanted.tag:
        query = query.where(Item.tags.any(Tag.key == fold_tag(wanted.tag)))
    for word in _words(wanted.q):
        pattern = contains(word)
        query = query.where(
            or_(
                Item.title.ilike(pattern, escape="\\"),
                Item.summary.ilike(pattern, escape="\\"),
                Item.tags.any(Tag.name.ilike(pattern, escape="\\")),
            )
        )
    return query


def _words(q: str) -> list[str]:
    # No database takes NUL as text.
    return q.replace("\0", " ")[:MAX_QUERY_LENGTH].split()[:MAX_WORDS]


def _ordered(query: Select[Any], sort: str) -> Select[Any]:
    if sort == "title":
        return query.order_by(Item.title, Item.id)
    return query.order_by(Item.created_at.desc(), Item.id.desc())


# ------------------------------------------------------------------------------------------------ links


def list_courses_of(position_id: int, *, drafts: bool = False) -> list[Item]:
    """The courses that lead to a position, in the order in which to take them."""
    query = (
        select(Item)
        .join(PositionCourse, PositionCourse.course_id == Item.id)
        .where(PositionCourse.position_id == position_id)
        .order_by(PositionCourse.ordinal, Item.id)
    )
    return [item for item in session.scalars(query) if drafts or item.published]


def list_positions_of(course_id: int, *, drafts: bool = False) -> list[Item]:
    """The positions that a course leads to, by title."""
    query = (
        select(Item)
        .join(PositionCourse, PositionCourse.position_id == Item.id)
        .where(PositionCourse.course_id == course_id)
        .order_by(Item.title, Item.id)
    )
    return [item for item in session.scalars(query) if drafts or item.published]


# ----------------------------------------------------------------------------------------------- videos


def get_video(video_id: int, *, drafts: bool = False) -> Video:
    """The video with its item; NotFound when the asker may not see the item."""
    options = [joinedload(Video.item)]
    video = session.get(Video, video_id, options=options) if 0 < video_id <= MAX_ID else None
    if video is None or not (drafts or video.item.published):
        raise NotFound()
    return video


def list_videos(item_id: int, *, all_states: bool = False) -> list[Video]:
    """The videos of an item in their order: those a learner can use, or all."""
    query = select(Video).where(Video.item_id == item_id).order_by(Video.ordinal, Video.created_at)
    return [video for video in session.scalars(query) if all_states or video.downloadable]


def check_key(video_id: int) -> str:
    """What makes the check of a video one: asked for twice, it runs once."""
    return f"catalogue.check_video:{video_id}"


def list_checks(video_ids: list[int]) -> dict[int, Job]:
    """The waiting or running check of each of these videos that has one."""
    keys = {check_key(video_id): video_id for video_id in video_ids}
    jobs = session.scalars(select(Job).where(Job.unique_key.in_(keys)))
    return {keys[str(job.unique_key)]: job for job in jobs}


# ---------------------------------------------------------------------------------------------- uploads


def get_ticket(token: str, *, owner_id: int) -> UploadTicket:
    """The unfinished upload of this owner; NotFound for anybody else's."""
    query = select(UploadTicket).where(
        UploadTicket.token == token, UploadTicket.owner_id == owner_id
    )
    ticket = session.scalar(query)
    if ticket is None:
        raise NotFound()
    return ticket
