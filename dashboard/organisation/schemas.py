"""What the API of the organisation gives."""

import marshmallow as ma

from dashboard.core.api import PageArgs, page_schema

MAX_ITEMS = 1000
MAX_SEARCH = 80


class RoomSchema(ma.Schema):
    """A position on a floor."""

    id = ma.fields.Integer(required=True)
    title = ma.fields.String(required=True)
    language = ma.fields.String(required=True)
    courses = ma.fields.Integer(required=True, attribute="n_courses")


class FloorSchema(ma.Schema):
    """A unit; `parent` is the unit it is in, null at the top."""

    id = ma.fields.Integer(required=True, attribute="unit.id")
    parent = ma.fields.Integer(required=True, allow_none=True, attribute="unit.parent_id")
    name = ma.fields.String(required=True, attribute="unit.name")
    name_en = ma.fields.String(required=True, attribute="unit.name_en")
    colour = ma.fields.String(required=True, attribute="unit.colour")
    plan = ma.fields.String(required=True, attribute="unit.floor_plan")
    rooms = ma.fields.List(ma.fields.Nested(RoomSchema), required=True)


class BackdropSchema(ma.Schema):
    """A building model (GLB); its file is at /3d/backdrop/<name>."""

    name = ma.fields.String(required=True, attribute="stored_name")
    size_bytes = ma.fields.Integer(required=True)


class SceneSchema(ma.Schema):
    """The organisation from the top down, units before what is in them."""

    title = ma.fields.String(required=True)
    units = ma.fields.List(ma.fields.Nested(FloorSchema), required=True)
    backdrop = ma.fields.Nested(BackdropSchema, required=True, allow_none=True)


class ItemArgs(PageArgs):
    """Which page; a floor is fetched in few, large ones."""

    per_page = ma.fields.Integer(load_default=500, validate=ma.validate.Range(min=1, max=MAX_ITEMS))


class SceneItemSchema(ma.Schema):
    """A course in a room."""

    room = ma.fields.Integer(required=True)
    id = ma.fields.Integer(required=True)
    title = ma.fields.String(required=True)
    duration_s = ma.fields.Integer(required=True, allow_none=True)
    videos = ma.fields.Integer(required=True, attribute="n_videos")


SceneItemPage = page_schema(SceneItemSchema)


class SearchArgs(ma.Schema):
    """What to look for; every word has to be there."""

    class Meta:
        unknown = ma.EXCLUDE

    words = ma.fields.String(required=True, validate=ma.validate.Length(max=MAX_SEARCH))


class FoundRoomSchema(ma.Schema):
    """A room that was found; `courses` of its courses have the words in their titles."""

    unit = ma.fields.Integer(required=True)
    room = ma.fields.Integer(required=True)
    courses = ma.fields.Integer(required=True, attribute="n_courses")


class FoundSchema(ma.Schema):
    """The first rooms that were found, the best first, and how many there are."""

    rooms = ma.fields.List(ma.fields.Nested(FoundRoomSchema), required=True)
    total = ma.fields.Integer(required=True)


class MeasuresSchema(ma.Schema):
    """What is known about a position, its courses counted in."""

    people = ma.fields.Integer(required=True)
    completion = ma.fields.Float(required=True, allow_none=True)
    views = ma.fields.Integer(required=True)
    demand = ma.fields.Integer(required=True)


class RoomMeasuresSchema(ma.Schema):
    """Measures by the position's id."""

    rooms = ma.fields.Dict(
        keys=ma.fields.Integer(), values=ma.fields.Nested(MeasuresSchema), required=True
    )


class WaySchema(ma.Schema):
    """How far you are towards a position, 0 to 1."""

    done = ma.fields.Float(required=True)
    favourite = ma.fields.Boolean(required=True)
    n_courses = ma.fields.Integer(required=True)
    n_done = ma.fields.Integer(required=True)


class WaysSchema(ma.Schema):
    """Your ways by the position's id, and how far you are in each begun course."""

    positions = ma.fields.Dict(
        keys=ma.fields.Integer(), values=ma.fields.Nested(WaySchema), required=True
    )
    courses = ma.fields.Dict(keys=ma.fields.Integer(), values=ma.fields.Float(), required=True)


class PartSchema(ma.Schema):
    """One part of the portal; state: ok, busy, failed or off; fullness: 0 to 1."""

    key = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    text = ma.fields.String(required=True)
    fullness = ma.fields.Float(required=True)
    url = ma.fields.String(required=True)


class LayerSchema(ma.Schema):
    """Parts that do the same kind of work."""

    key = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    colour = ma.fields.String(required=True)
    parts = ma.fields.List(ma.fields.Nested(PartSchema), required=True)


class LayersSchema(ma.Schema):
    """The portal's own architecture, from what visitors meet down to what keeps the data."""

    layers = ma.fields.List(ma.fields.Nested(LayerSchema), required=True)
