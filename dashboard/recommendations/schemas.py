"""What this domain's API accepts and returns."""

import marshmallow as ma

from dashboard.catalogue.schemas import ItemSchema
from dashboard.core.api import PageArgs, UTCTime
from dashboard.recommendations.services.transfer import Format
from jobs.engines.collaborative_filtering import NAMED


class CountArgs(ma.Schema):
    """How many are wanted."""

    n = ma.fields.Integer(load_default=10, validate=ma.validate.Range(min=1, max=50))


class RunQuery(PageArgs):
    """Which page of the runs."""


class ExportArgs(ma.Schema):
    """In which form."""

    format = ma.fields.String(
        load_default="csv", validate=ma.validate.OneOf([each.value for each in Format])
    )


class ImportArgs(ExportArgs):
    """In which form, and whether it is only judged."""

    dry_run = ma.fields.Boolean(load_default=False)


class ImportedSchema(ma.Schema):
    """What came in, or would."""

    n_lines = ma.fields.Integer(required=True)
    n_new = ma.fields.Integer(required=True)
    n_known = ma.fields.Integer(
        required=True, metadata={"description": "Events that were there already."}
    )
    dry_run = ma.fields.Boolean(required=True)


class TrainBody(ma.Schema):
    """What to serve; without it the portal's own choice."""

    model = ma.fields.String(validate=ma.validate.OneOf(list(NAMED)))


class EmptyBody(ma.Schema):
    """Nothing to say yet; an empty object."""


class ReasonSchema(ma.Schema):
    """Something of your own that speaks for an item."""

    item_id = ma.fields.Integer(required=True)
    title = ma.fields.String(required=True)
    kind = ma.fields.String(required=True, metadata={"description": "What you did with it."})
    share = ma.fields.Float(required=True, metadata={"description": "Of the score, 0 to 1."})
    text = ma.fields.String(required=True)
    people_text = ma.fields.String(required=True)
    n_both = ma.fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Of n_people, who took both; null below five people."},
    )
    n_people = ma.fields.Integer(required=True, allow_none=True)
    by_content = ma.fields.Boolean(
        required=True, metadata={"description": "The texts are alike, more than the behaviour."}
    )


class RecommendationSchema(ma.Schema):
    """A recommended item and why."""

    item = ma.fields.Nested(ItemSchema, required=True)
    score = ma.fields.Float(required=True)
    popular = ma.fields.Boolean(required=True)
    ground = ma.fields.String(
        required=True,
        metadata={"description": "What speaks for it: behaviour, content, popular or pin."},
    )
    reason = ma.fields.String(required=True)
    reasons = ma.fields.List(ma.fields.Nested(ReasonSchema), required=True)


class RecommendationsSchema(ma.Schema):
    """A list, best first."""

    items = ma.fields.List(ma.fields.Nested(RecommendationSchema), required=True)


class RelatedItemSchema(ma.Schema):
    """An item that people of another item take as well."""

    item = ma.fields.Nested(ItemSchema, required=True)
    score = ma.fields.Float(required=True)
    n_both = ma.fields.Integer(required=True, allow_none=True)
    n_people = ma.fields.Integer(required=True, allow_none=True)


class RelatedItemsSchema(ma.Schema):
    """Related items, most similar first."""

    items = ma.fields.List(ma.fields.Nested(RelatedItemSchema), required=True)


class ExplanationSchema(ma.Schema):
    """Everything of your own that speaks for an item."""

    item = ma.fields.Nested(ItemSchema, required=True)
    reasons = ma.fields.List(ma.fields.Nested(ReasonSchema), required=True)
    dismissed = ma.fields.Boolean(required=True)
    met = ma.fields.Boolean(required=True)


class QueuedSchema(ma.Schema):
    """The job that was asked for."""

    job_id = ma.fields.Integer(required=True, attribute="id")
    state = ma.fields.String(required=True)


class FigureSchema(ma.Schema):
    """A mean with its 95 % interval."""

    value = ma.fields.Float(required=True)
    low = ma.fields.Float(required=True)
    high = ma.fields.Float(required=True)


class MetricSchema(ma.Schema):
    """One model on one split of held-out data."""

    model = ma.fields.String(required=True)
    split = ma.fields.String(required=True)
    k = ma.fields.Integer(required=True)
    n_users = ma.fields.Integer(required=True)
    recall = ma.fields.Nested(FigureSchema, required=True)
    ndcg = ma.fields.Nested(FigureSchema, required=True)
    map = ma.fields.Nested(FigureSchema, required=True)
    coverage = ma.fields.Float(required=True)
    novelty = ma.fields.Float(metadata={"description": "Bits."})
    popularity_share = ma.fields.Float(required=True)
    seconds = ma.fields.Float(required=True)


class RunSchema(ma.Schema):
    """A training run."""

    id = ma.fields.Integer(required=True)
    state = ma.fields.String(required=True)
    is_current = ma.fields.Function(
        lambda run: bool(run.is_current), required=True, metadata={"type": "boolean"}
    )
    job_id = ma.fields.Integer(required=True, allow_none=True)
    started_at = UTCTime(required=True)
    finished_at = UTCTime(required=True, allow_none=True)
    refreshed_at = UTCTime(required=True, allow_none=True)
    message = ma.fields.String(required=True)


class RunDetailSchema(RunSchema):
    """A training run with what went in and how good it is."""

    recipe = ma.fields.Dict(required=True)
    metrics = ma.fields.List(ma.fields.Nested(MetricSchema), required=True)
