"""What the API says about jobs."""

from typing import Any

import marshmallow as ma
from webargs.fields import DelimitedList

from dashboard.core.api import PageArgs, UTCTime, page_schema
from dashboard.job_queue.kinds import label_of
from dashboard.job_queue.models import EventKind, Job, JobEvent, JobState

MAX_STATUS_IDS = 100
MAX_ID = 2**31 - 1


class JobSchema(ma.Schema):
    """A job in a list."""

    id = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True)
    kind_label = ma.fields.Function(lambda job: label_of(job.kind), required=True)
    state = ma.fields.Enum(JobState, by_value=True, required=True)
    state_label = ma.fields.String(
        required=True, metadata={"description": "The state in the caller's language."}
    )
    progress = ma.fields.Float(required=True, metadata={"description": "0 to 1."})
    progress_message = ma.fields.String(required=True)
    owner_id = ma.fields.Integer(required=True, allow_none=True)
    error = ma.fields.String(required=True, metadata={"description": "Why it failed, one line."})
    attempt = ma.fields.Integer(required=True)
    run_at = UTCTime(required=True, allow_none=True)
    created_at = UTCTime(required=True)
    started_at = UTCTime(required=True, allow_none=True)
    finished_at = UTCTime(required=True, allow_none=True)


class JobEventSchema(ma.Schema):
    """A line of a job's timeline."""

    at = UTCTime(required=True)
    kind = ma.fields.Enum(EventKind, by_value=True, required=True)
    label = ma.fields.String(required=True)
    attempt = ma.fields.Integer(required=True)
    note = ma.fields.String(required=True)


class JobDetail:
    """A job, its place in the queue and its timeline, for JobDetailSchema."""

    def __init__(self, job: Job, queue_position: int | None, events: list[JobEvent]) -> None:
        self._job = job
        self.queue_position = queue_position
        self.events = events

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)


class JobDetailSchema(JobSchema):
    """A job with its timeline."""

    queue_position = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "From 1; null unless it waits."}
    )
    result = ma.fields.Dict(required=True, allow_none=True)
    events = ma.fields.List(ma.fields.Nested(JobEventSchema), required=True)


class ProgressSchema(ma.Schema):
    """How far a job is."""

    id = ma.fields.Integer(required=True)
    state = ma.fields.Enum(JobState, by_value=True, required=True)
    state_label = ma.fields.String(required=True)
    active = ma.fields.Boolean(required=True)
    progress = ma.fields.Float(required=True)
    progress_message = ma.fields.String(required=True)
    queue_position = ma.fields.Integer(required=True, allow_none=True)
    silent_s = ma.fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Seconds since its worker was heard of, when too long ago."},
    )
    mark = ma.fields.String(
        required=True,
        metadata={"description": "Changes with the state, the attempt and a request to cancel."},
    )
    text = ma.fields.String(
        required=True, metadata={"description": "The same as one line for people."}
    )


class StatusSchema(ma.Schema):
    """How far several jobs are, and when to ask again."""

    items = ma.fields.List(ma.fields.Nested(ProgressSchema), required=True)
    poll_s = ma.fields.Float(required=True)


class LogSchema(ma.Schema):
    """A piece of a job's log."""

    text = ma.fields.String(required=True)
    next_offset = ma.fields.Integer(required=True)
    attempt = ma.fields.Integer(required=True)


class JobListArgs(PageArgs):
    """Which jobs."""

    state = ma.fields.Enum(JobState, by_value=True)
    kind = ma.fields.String(validate=ma.validate.Length(max=80))


class StatusArgs(ma.Schema):
    """Which jobs, as 1,2,3; others than the caller's are left out."""

    ids = DelimitedList(
        ma.fields.Integer(validate=ma.validate.Range(min=1, max=MAX_ID)),
        required=True,
        validate=ma.validate.Length(min=1, max=MAX_STATUS_IDS),
        metadata={"example": "1,2"},
    )

    class Meta:
        unknown = ma.EXCLUDE


class LogArgs(ma.Schema):
    """From where, and of which attempt (the last unless given)."""

    offset = ma.fields.Integer(
        load_default=0, validate=ma.validate.Range(min=0, max=2**40), metadata={"example": 0}
    )
    attempt = ma.fields.Integer(validate=ma.validate.Range(min=0, max=MAX_ID))

    class Meta:
        unknown = ma.EXCLUDE


JobPageSchema = page_schema(JobSchema)
