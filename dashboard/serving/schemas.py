"""What this domain's API accepts and returns."""

import marshmallow as ma

from dashboard.core.api import PageArgs, UTCTime
from dashboard.serving.models import TaskState
from dashboard.serving.services import fields

NAME = ma.validate.Length(min=1, max=300)


class ListArgs(PageArgs):
    """Which page of a list, and which words."""

    q = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))


class TaskListArgs(PageArgs):
    """Which page of the tasks, and in which state."""

    state = ma.fields.String(
        load_default="", validate=ma.validate.OneOf(["", *(state.value for state in TaskState)])
    )


class FieldSchema(ma.Schema):
    """An input or output of a model."""

    name = ma.fields.String(required=True)
    type = ma.fields.String(required=True)
    optype = ma.fields.String(required=True)
    range = ma.fields.String(required=True, attribute="range_text")
    values = ma.fields.List(ma.fields.Raw(), required=True)
    low = ma.fields.Float(required=True, allow_none=True)
    high = ma.fields.Float(required=True, allow_none=True)
    dimension = ma.fields.List(ma.fields.Integer(allow_none=True), required=True)
    required = ma.fields.Boolean(required=True)


class VersionSchema(ma.Schema):
    """One file of a model."""

    number = ma.fields.Integer(required=True)
    format = ma.fields.String(required=True)
    function = ma.fields.String(required=True)
    algorithm = ma.fields.String(required=True)
    engine = ma.fields.String(required=True)
    sha256 = ma.fields.String(required=True)
    size_bytes = ma.fields.Integer(required=True)
    note = ma.fields.String(required=True)
    created_at = UTCTime(required=True)


class VersionDetailSchema(VersionSchema):
    """One file of a model, with its inputs and outputs."""

    inputs = ma.fields.Function(
        lambda version: FieldSchema(many=True).dump(fields.inputs_of(version)),
        required=True,
        metadata={"type": "array", "items": {"type": "object"}},
    )
    outputs = ma.fields.Function(
        lambda version: FieldSchema(many=True).dump(fields.outputs_of(version)),
        required=True,
        metadata={"type": "array", "items": {"type": "object"}},
    )
    sample_record = ma.fields.Dict(required=True)
    sample_outputs = ma.fields.Dict(required=True)


class ModelSchema(ma.Schema):
    """A model."""

    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    description = ma.fields.String(required=True)
    owner_id = ma.fields.Integer(required=True)
    created_at = UTCTime(required=True)
    newest = ma.fields.Nested(VersionSchema, required=True)


class ModelDetailSchema(ModelSchema):
    """A model with what its newest version takes and gives, and its versions."""

    newest = ma.fields.Nested(VersionDetailSchema, required=True)
    versions = ma.fields.List(ma.fields.Nested(VersionSchema), required=True)


class ModelChangeSchema(ma.Schema):
    """What to change of a model."""

    name = ma.fields.String(validate=NAME)
    description = ma.fields.String(validate=ma.validate.Length(max=5000))


class DeleteArgs(ma.Schema):
    """Whether to delete what still is in use."""

    force = ma.fields.Boolean(load_default=False)

    class Meta:
        unknown = ma.EXCLUDE


class _Settings(ma.Schema):
    version = ma.fields.Integer(strict=True, validate=ma.validate.Range(min=1, max=2**31 - 1))
    replicas = ma.fields.Integer(strict=True, validate=ma.validate.Range(min=1, max=16))
    cpus = ma.fields.Float(allow_nan=False, validate=ma.validate.Range(min=0.05, max=1024))
    memory_mb = ma.fields.Integer(strict=True, validate=ma.validate.Range(min=64, max=2**22))
    timeout_s = ma.fields.Float(allow_nan=False, validate=ma.validate.Range(min=0.1, max=300))
    warm_up = ma.fields.Boolean()
    script = ma.fields.String(validate=ma.validate.Length(max=65_536))


class DeploySchema(_Settings):
    """A new deployment."""

    name = ma.fields.String(required=True, validate=NAME)


class DeploymentChangeSchema(_Settings):
    """What to change of a deployment; another version is rolled to without a failed request."""


class DeploymentSchema(ma.Schema):
    """A deployment: what is wanted, and how it stands."""

    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    model_id = ma.fields.Integer(required=True)
    version = ma.fields.Function(
        lambda deployment: deployment.version.number, required=True, metadata={"type": "integer"}
    )
    state = ma.fields.String(required=True, metadata={"description": "running or paused"})
    health = ma.fields.String(required=True)
    health_text = ma.fields.String(required=True)
    replicas = ma.fields.Integer(required=True)
    n_ready = ma.fields.Integer(required=True)
    n_restarts = ma.fields.Integer(required=True)
    cpus = ma.fields.Float(required=True)
    memory_mb = ma.fields.Integer(required=True)
    timeout_s = ma.fields.Float(required=True)
    warm_up = ma.fields.Boolean(required=True)
    has_script = ma.fields.Function(
        lambda deployment: bool(deployment.script), required=True, metadata={"type": "boolean"}
    )
    script_result = ma.fields.Dict(
        allow_none=True,
        required=True,
        metadata={"description": "What the script made of the sample record: input and record"},
    )
    created_at = UTCTime(required=True)


class NewDeploymentSchema(DeploymentSchema):
    """A new deployment with its token, which is shown this once."""

    token = ma.fields.String(required=True)


class DeploymentTokenSchema(ma.Schema):
    """A token, shown this once."""

    token = ma.fields.String(required=True)


class StepSchema(ma.Schema):
    """How long a step took, milliseconds."""

    step = ma.fields.String(required=True)
    count = ma.fields.Integer(required=True)
    p50 = ma.fields.Float(required=True, allow_none=True)
    p95 = ma.fields.Float(required=True, allow_none=True)
    p99 = ma.fields.Float(required=True, allow_none=True)


class MonitorSchema(ma.Schema):
    """What a deployment did in the last hours."""

    hours = ma.fields.Integer(required=True)
    requests = ma.fields.Integer(required=True)
    errors = ma.fields.Integer(required=True)
    records = ma.fields.Integer(required=True)
    in_flight = ma.fields.Integer(required=True)
    mean_ms = ma.fields.Float(required=True, allow_none=True)
    min_ms = ma.fields.Float(required=True, allow_none=True)
    max_ms = ma.fields.Float(required=True, allow_none=True)
    by_face = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer(), required=True)
    by_code = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer(), required=True)
    steps = ma.fields.List(ma.fields.Nested(StepSchema), required=True)


class MonitorArgs(ma.Schema):
    """How far to look back."""

    hours = ma.fields.Integer(load_default=24, validate=ma.validate.Range(min=1, max=24 * 366))

    class Meta:
        unknown = ma.EXCLUDE


class PredictionSchema(ma.Schema):
    """The answer: a record of outputs for each record, in their order."""

    outputs = ma.fields.List(ma.fields.Dict(), required=True)
    ms = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Float(), required=True)


class TaskSchema(ma.Schema):
    """A prediction whose result is fetched later."""

    id = ma.fields.String(required=True, attribute="public_id")
    deployment_id = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    state_label = ma.fields.String(required=True)
    rows = ma.fields.Integer(required=True, attribute="n_rows")
    done = ma.fields.Integer(required=True, attribute="n_done")
    bad = ma.fields.Integer(required=True, attribute="n_bad")
    bad_rows = ma.fields.List(ma.fields.List(ma.fields.Raw()), required=True)
    error = ma.fields.String(required=True)
    created_at = UTCTime(required=True)
    finished_at = UTCTime(required=True, allow_none=True)
    expires_at = UTCTime(required=True)
