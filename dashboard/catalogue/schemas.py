"""What the catalogue's API accepts and returns."""

from typing import Any

import marshmallow as ma
from flask import url_for

from dashboard.catalogue import labels
from dashboard.catalogue.models import Item, ItemKind, ItemStatus, Language, Level, Video
from dashboard.core.api import PageArgs, UTCTime, page_schema

MAX_CONTENT = 50_000


def _one_of(choices: Any) -> ma.validate.OneOf:
    return ma.validate.OneOf([choice.value for choice in choices])


def _page_of(item: Any) -> str:
    """The address of an item's page; an item with its content comes as a dict."""
    kind, item_id = (ma.utils.get_value(item, name) for name in ("kind", "id"))
    return url_for(f"catalogue.{kind}", item_id=item_id)


class ItemQuery(PageArgs):
    """Which items are wanted."""

    kind = ma.fields.String(validate=_one_of(ItemKind))
    q = ma.fields.String(validate=ma.validate.Length(max=100))
    tag = ma.fields.String(validate=ma.validate.Length(max=60))
    language = ma.fields.String(validate=_one_of(Language))
    level = ma.fields.String(validate=_one_of(Level))
    sort = ma.fields.String(load_default="newest", validate=ma.validate.OneOf(["newest", "title"]))


class ItemSchema(ma.Schema):
    """A course or a position, as lists show it."""

    id = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    summary = ma.fields.String(required=True)
    status = ma.fields.String(required=True)
    language = ma.fields.String(required=True)
    level = ma.fields.String(allow_none=True)
    duration_s = ma.fields.Integer(allow_none=True)
    tags = ma.fields.List(ma.fields.String(), attribute="tag_names", required=True)
    url = ma.fields.Function(_page_of, metadata={"type": "string"})
    created_at = UTCTime(required=True)
    updated_at = UTCTime(required=True)


ItemPage = page_schema(ItemSchema)


class VideoSchema(ma.Schema):
    """A training video."""

    id = ma.fields.Integer(required=True)
    item_id = ma.fields.Integer(required=True)
    title = ma.fields.String(required=True)
    size_bytes = ma.fields.Integer(required=True)
    duration_s = ma.fields.Float(allow_none=True)
    width = ma.fields.Integer(allow_none=True)
    height = ma.fields.Integer(allow_none=True)
    codec = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    state_label = ma.fields.Function(lambda video: str(labels.VIDEO_STATES[video.state]))
    reason = ma.fields.String(required=True)
    reason_text = ma.fields.Function(labels.video_reason)
    preview_public = ma.fields.Boolean(required=True)
    stream_url = ma.fields.Function(
        lambda video: url_for("catalogue.video_stream", video_id=video.id)
    )


class LinkSchema(ma.Schema):
    """The other end of a link between a position and a course."""

    id = ma.fields.Integer(required=True)
    title = ma.fields.String(required=True)


class ItemDetailSchema(ItemSchema):
    """A course or a position with its content, videos and links."""

    content = ma.fields.String(required=True)
    videos = ma.fields.List(ma.fields.Nested(VideoSchema), required=True)
    courses = ma.fields.List(ma.fields.Nested(LinkSchema), required=True)
    positions = ma.fields.List(ma.fields.Nested(LinkSchema), required=True)


class ItemBody(ma.Schema):
    """A new course or position."""

    kind = ma.fields.String(required=True, validate=_one_of(ItemKind))
    title = ma.fields.String(required=True, validate=ma.validate.Length(min=1, max=200))
    summary = ma.fields.String(validate=ma.validate.Length(max=500))
    content = ma.fields.String(validate=ma.validate.Length(max=MAX_CONTENT))
    status = ma.fields.String(validate=_one_of(ItemStatus))
    language = ma.fields.String(validate=_one_of(Language))
    level = ma.fields.String(allow_none=True, validate=_one_of(Level))
    duration_s = ma.fields.Integer(
        allow_none=True, strict=True, validate=ma.validate.Range(min=1, max=10_000_000)
    )
    tags = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(min=1, max=60)),
        validate=ma.validate.Length(max=30),
    )


class ItemChanges(ItemBody):
    """What to change about a course or position; its kind stays."""

    class Meta:
        exclude = ("kind",)

    title = ma.fields.String(validate=ma.validate.Length(min=1, max=200))


class CourseLinksBody(ma.Schema):
    """The courses that lead to a position, in the order in which to take them."""

    course_ids = ma.fields.List(
        ma.fields.Integer(strict=True, validate=ma.validate.Range(min=1, max=2**31 - 1)),
        required=True,
        validate=ma.validate.Length(max=200),
    )


def detail_of(
    item: Item, *, videos: list[Video], courses: list[Item], positions: list[Item]
) -> dict[str, Any]:
    """An item with what belongs to it, ready for ItemDetailSchema."""
    fields = {name: getattr(item, name) for name in ("id", "kind", "title", "summary", "content")}
    fields |= {name: getattr(item, name) for name in ("status", "language", "level", "duration_s")}
    return {
        **fields,
        "tag_names": item.tag_names,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "videos": videos,
        "courses": courses,
        "positions": positions,
    }
