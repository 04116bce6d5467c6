"""Courses and positions: making, changing, publishing, linking, deleting."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from sqlalchemy import delete, select
from werkzeug.datastructures import FileStorage

from dashboard.audit import services as audit
from dashboard.catalogue import queries
from dashboard.catalogue.models import (
    Item,
    ItemKind,
    ItemStatus,
    Language,
    Level,
    PositionCourse,
    Tag,
    UploadTicket,
    Video,
)
from dashboard.core import pictures, uploads
from dashboard.core.database import session, transaction
from dashboard.core.errors import Invalid, NotFound, Problem
from dashboard.core.i18n import _

MAX_TITLE = 200
MAX_SUMMARY = 500
MAX_CONTENT = 50_000
MAX_TAGS = 30


class ItemFields(TypedDict, total=False):
    """What can be set about an item; fields that are not given stay."""

    title: str
    summary: str
    content: str
    status: str
    language: str
    level: str | None
    duration_s: int | None
    external_id: str | None
    tags: list[str]


def create_item(
    kind: str,
    *,
    actor_id: int | None,
    cover: FileStorage | None = None,
    fields: ItemFields | Mapping[str, Any],
) -> Item:
    """A new course or position, a draft unless `status` says otherwise. Raises Invalid."""
    values = {"title": "", **fields}
    _check(kind=kind, fields=values)
    with transaction():
        item = Item(kind=kind)
        _set(item, values)
        session.add(item)
        session.flush()
        if cover:
            item.cover = pictures.save_cover(cover)
        _record(item, "create", actor_id=actor_id)
    return item


def update_item(
    item_id: int,
    *,
    actor_id: int | None,
    cover: FileStorage | None = None,
    fields: ItemFields | Mapping[str, Any],
) -> Item:
    """The item with the given fields changed. Raises NotFound and Invalid."""
    _check(kind=None, fields=fields)
    with transaction():
        item = queries.get_item(item_id, drafts=True)
        before = _values(item)
        _set(item, fields)
        if cover:
            _replace_cover(item, pictures.save_cover(cover))
        session.flush()
        _record(item, "update", actor_id=actor_id, changes=_changes(before, _values(item)))
    return item


def publish_item(item_id: int, *, actor_id: int | None) -> Item:
    """Show an item to everybody."""
    return _set_status(item_id, ItemStatus.PUBLISHED, actor_id=actor_id)


def unpublish_item(item_id: int, *, actor_id: int | None) -> Item:
    """Make an item a draft again: only administrators see it."""
    return _set_status(item_id, ItemStatus.DRAFT, actor_id=actor_id)


def replace_cover(item_id: int, *, actor_id: int | None, cover: str) -> Item:
    """Give an item a cover that is stored already; "" takes it away."""
    with transaction():
        item = queries.get_item(item_id, drafts=True)
        _replace_cover(item, cover)
        _record(item, "update", actor_id=actor_id, changes={"cover": ["", cover]})
    return item


def set_tags(item_id: int, *, actor_id: int | None, tags: Iterable[str]) -> Item:
    """Give an item exactly these tags; tags that nobody carries any more go away."""
    return update_item(item_id, actor_id=actor_id, fields={"tags": list(tags)})


def link_courses(position_id: int, *, actor_id: int | None, course_ids: list[int]) -> Item:
    """Let exactly these courses lead to a position, in this order. Raises NotFound and Invalid."""
    with transaction():
        position = queries.get_item(position_id, kind=ItemKind.POSITION, drafts=True)
        wanted = list(dict.fromkeys(course_ids))
        courses = queries.list_items_by_id(wanted, drafts=True)
        if [course.id for course in courses if course.kind == ItemKind.COURSE] != wanted:
            message = _("Only courses that exist can lead to a position.")
            raise Invalid(message, problems=[Problem("course_ids", message)])
        session.execute(delete(PositionCourse).where(PositionCourse.position_id == position.id))
        session.add_all(
            PositionCourse(position_id=position.id, course_id=course_id, ordinal=ordinal)
            for ordinal, course_id in enumerate(wanted)
        )
        session.flush()
        _record(position, "link_courses", actor_id=actor_id, changes={"courses": [None, wanted]})
    return position


def delete_item(item_id: int, *, actor_id: int | None) -> None:
    """Remove an item with its videos, their files, and what learners did with it. Raises NotFound."""
    with transaction():
        item = queries.get_item(item_id, drafts=True)
        for video in session.scalars(select(Video).where(Video.item_id == item_id)):
            uploads.delete_on_commit(uploads.path_of("videos", video.stored_name))
            if video.poster:
                uploads.delete_on_commit(uploads.path_of("posters", video.poster))
        for ticket in session.scalars(select(UploadTicket).where(UploadTicket.item_id == item_id)):
            uploads.delete_on_commit(uploads.path_of("incoming", f"{ticket.token}.part"))
        if item.cover:
            uploads.delete_on_commit(uploads.path_of("covers", item.cover))
        _record(item, "delete", actor_id=actor_id, changes=_changes(_values(item), {}))
        # The database removes what hangs on the item; the session need not load it.
        session.execute(delete(Item).where(Item.id == item_id))
        session.expire_all()


# ---------------------------------------------------------------------------------------------- helpers


def _set_status(item_id: int, status: ItemStatus, *, actor_id: int | None) -> Item:
    with transaction():
        item = queries.get_item(item_id, drafts=True)
        if item.status != status:
            before, item.status = item.status, status.value
            action = "publish" if status is ItemStatus.PUBLISHED else "unpublish"
            _record(item, action, actor_id=actor_id, changes={"status": [before, status.value]})
    return item


def _set(item: Item, fields: Mapping[str, Any]) -> None:
    for name in ("summary", "content", "status", "language", "external_id", "duration_s"):
        if name in fields:
            setattr(item, name, fields[name])
    if "title" in fields:
        item.title = fields["title"].strip()
    if "level" in fields:
        item.level = fields["level"] or None
    if "tags" in fields:
        item.tags = _tags(fields["tags"])


def _tags(names: Iterable[str]) -> list[Tag]:
    """The tags of these names, made where missing; the first spelling of a tag stays."""
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(queries.fold_tag(name), " ".join(name.split())[:60])
    wanted.pop("", None)
    known = {tag.key: tag for tag in session.scalars(select(Tag).where(Tag.key.in_(wanted)))}
    return [known.get(key) or Tag(key=key, name=name) for key, name in sorted(wanted.items())]


def _replace_cover(item: Item, name: str) -> None:
    if item.cover and item.cover != name:
        uploads.delete_on_commit(uploads.path_of("covers", item.cover))
    item.cover = name


def _check(*, kind: str | None, fields: Mapping[str, Any]) -> None:
    problems = [
        Problem(name, text)
        for name, broken, text in (
            ("kind", kind is not None and kind not in set(ItemKind), _("Unknown kind of item.")),
            ("title", _bad_title(fields), _("The title needs 1 to 200 characters.")),
            (
                "summary",
                len(fields.get("summary") or "") > MAX_SUMMARY,
                _("The summary may have 500 characters at most."),
            ),
            (
                "content",
                len(fields.get("content") or "") > MAX_CONTENT,
                _("The content may have 50,000 characters at most."),
            ),
            ("status", _bad(fields, "status", ItemStatus), _("Unknown status.")),
            ("language", _bad(fields, "language", Language), _("Unknown language.")),
            ("level", _bad(fields, "level", Level, empty=True), _("Unknown level.")),
            ("duration_s", _bad_duration(fields), _("The duration must be more than 0 seconds.")),
            ("tags", len(fields.get("tags") or []) > MAX_TAGS, _("At most 30 tags.")),
        )
        if broken
    ]
    if problems:
        raise Invalid(problems[0].message, problems=problems)


def _bad_title(fields: Mapping[str, Any]) -> bool:
    return "title" in fields and not 0 < len((fields["title"] or "").strip()) <= MAX_TITLE


def _bad(fields: Mapping[str, Any], name: str, choices: Any, *, empty: bool = False) -> bool:
    return name in fields and fields[name] not in set(choices) and not (empty and not fields[name])


def _bad_duration(fields: Mapping[str, Any]) -> bool:
    duration = fields.get("duration_s")
    return duration is not None and not 0 < duration < 2**31


def _values(item: Item) -> dict[str, Any]:
    names = ("title", "summary", "content", "status", "language", "level", "duration_s", "cover")
    return {**{name: getattr(item, name) for name in names}, "tags": item.tag_names}


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [value, after.get(name)] for name, value in before.items() if value != after.get(name)
    }


def _record(
    item: Item, what: str, *, actor_id: int | None, changes: dict[str, Any] | None = None
) -> None:
    audit.record(
        actor_id=actor_id,
        action=f"{item.kind}.{what}",
        subject=f"item:{item.id}",
        summary=item.title,
        changes=changes,
    )


def require_item(item_id: int) -> Item:
    """The item, draft or not; NotFound says so in words."""
    try:
        return queries.get_item(item_id, drafts=True)
    except NotFound:
        raise NotFound(_("There is no such course or position.")) from None
