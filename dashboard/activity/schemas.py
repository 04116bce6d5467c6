"""What the activity API accepts and returns."""

from typing import Any

import marshmallow as ma

from dashboard.activity.models import EventKind
from dashboard.activity.services import Happening
from dashboard.core.api import UTCTime, page_schema
from dashboard.core.i18n import _
from dashboard.core.ids import MAX_ID

MAX_BATCH = 50
SECONDS = ma.validate.Range(min=0, max=10**7)


def _id(**options: Any) -> ma.fields.Integer:
    return ma.fields.Integer(strict=True, validate=ma.validate.Range(min=1, max=MAX_ID), **options)


class EventSchema(ma.Schema):
    """One thing that the signed-in learner did."""

    kind = ma.fields.String(
        required=True, validate=ma.validate.OneOf([kind.value for kind in EventKind])
    )
    item_id = _id(required=True)
    video_id = _id(allow_none=True, metadata={"description": "For watch and download."})
    value = ma.fields.Float(
        allow_none=True,
        validate=SECONDS,
        metadata={"description": "rating: 1 to 5 stars; watch: the second reached."},
    )
    position_s = ma.fields.Float(
        allow_none=True, validate=SECONDS, metadata={"description": "watch: the second reached."}
    )
    duration_s = ma.fields.Float(
        allow_none=True, validate=SECONDS, metadata={"description": "watch: the video's length."}
    )


class EventsBody(EventSchema):
    """One event, or up to fifty of them under `events`."""

    kind = ma.fields.String(validate=ma.validate.OneOf([kind.value for kind in EventKind]))
    item_id = _id()
    events = ma.fields.List(
        ma.fields.Nested(EventSchema), validate=ma.validate.Length(min=1, max=MAX_BATCH)
    )

    @ma.validates_schema
    def _one_or_many(self, data: dict[str, Any], **_options: Any) -> None:
        if "events" in data:
            if len(data) > 1:
                raise ma.ValidationError(_("Send one event, or several under events: not both."))
            return
        for name in ("kind", "item_id"):
            if name not in data:
                raise ma.ValidationError(_("This is required."), name)


class AcceptedSchema(ma.Schema):
    """How many events were recorded."""

    accepted = ma.fields.Integer(required=True)


class WatchProgressSchema(ma.Schema):
    """How far the learner is in one video."""

    video_id = ma.fields.Integer(required=True)
    item_id = ma.fields.Integer(required=True)
    position_s = ma.fields.Float(required=True)
    reached_s = ma.fields.Float(required=True)
    duration_s = ma.fields.Float(required=True)
    finished = ma.fields.Boolean(required=True)
    updated_at = UTCTime(required=True)


ProgressPage = page_schema(WatchProgressSchema)


def happenings_of(body: dict[str, Any]) -> list[Happening]:
    """The events of a checked body."""
    return [
        Happening(**{**event, "kind": EventKind(event["kind"])})
        for event in body.get("events", [body])
    ]
