"""What the API of analyses accepts and returns. Names and ages are masked in every answer."""

from typing import Any

import marshmallow as ma

from dashboard.analyses.models import AnalysisState
from dashboard.analyses.queries import Entry
from dashboard.core.api import PageArgs, UTCTime, page_schema
from dashboard.core.ids import MAX_ID
from jobs.engines.clonal import ENGINE, Density, GenotypePrior
from jobs.engines.clonal.originals import Program


class NothingBody(ma.Schema):
    """Nothing to say; an empty object."""


class AnalysisParameters(ma.Schema):
    """The engine and its options; those not given are the defaults. A foreign engine only where it is offered."""

    engine = ma.fields.String(
        validate=ma.validate.OneOf([ENGINE, *(each.value for each in Program)])
    )
    density = ma.fields.Enum(Density, by_value=True)
    prior = ma.fields.Enum(GenotypePrior, by_value=True)
    precision = ma.fields.Float(
        allow_none=True, allow_nan=False, validate=ma.validate.Range(0.001, 1e8)
    )
    clusters = ma.fields.Integer(strict=True, validate=ma.validate.Range(1, 1000))
    restarts = ma.fields.Integer(strict=True, validate=ma.validate.Range(1, 10_000))
    grid = ma.fields.Integer(strict=True, allow_none=True, validate=ma.validate.Range(11, 10_001))
    seed = ma.fields.Integer(strict=True, validate=ma.validate.Range(0, MAX_ID))


class TumourSampleBody(ma.Schema):
    """A sample: how it is called in plots and tables, and its share of cancer cells."""

    label = ma.fields.String(required=True, validate=ma.validate.Length(1, 40))
    tumour_content = ma.fields.Float(
        load_default=None, allow_none=True, allow_nan=False, validate=ma.validate.Range(0, 1)
    )


class DescriptionBody(ma.Schema):
    """Whom the tables are of; what is not given is emptied."""

    patient_name = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))
    patient_age = ma.fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=ma.validate.Range(0, 130)
    )
    note = ma.fields.String(load_default="", validate=ma.validate.Length(max=2_000))
    samples = ma.fields.List(
        ma.fields.Nested(TumourSampleBody), validate=ma.validate.Length(max=500)
    )


class AnalysisStartBody(ma.Schema):
    """With which options."""

    parameters = ma.fields.Nested(AnalysisParameters, load_default=dict)


class AnalysisRunBody(ma.Schema):
    """Which run; the latest one unless given."""

    run_id = ma.fields.Integer(strict=True, validate=ma.validate.Range(1, MAX_ID))


class ListArgs(PageArgs):
    """Which analyses."""

    state = ma.fields.Enum(AnalysisState, by_value=True)


class RunArgs(ma.Schema):
    """Which run; the latest one unless given."""

    run = ma.fields.Integer(validate=ma.validate.Range(1, MAX_ID))

    class Meta:
        unknown = ma.EXCLUDE


class AnalysisSchema(ma.Schema):
    """An upload and where its latest run stands."""

    load_id = ma.fields.Integer(required=True, attribute="upload.id")
    run_id = ma.fields.Function(
        lambda entry: entry.run.id if entry.run else None,
        required=True,
        metadata={"type": ["integer", "null"]},
    )
    job_id = ma.fields.Function(
        lambda entry: entry.job.id if entry.job else None,
        required=True,
        metadata={"type": ["integer", "null"]},
    )
    state = ma.fields.Enum(AnalysisState, by_value=True, required=True)
    state_label = ma.fields.String(
        required=True, metadata={"description": "The state in the caller's language."}
    )
    patient = ma.fields.String(
        required=True, attribute="upload.name_mask", metadata={"description": "Masked."}
    )
    age = ma.fields.String(
        required=True, attribute="upload.age_band", metadata={"description": "A decade."}
    )
    touched_at = UTCTime(required=True, attribute="upload.touched_at")


class MutationFileSchema(ma.Schema):
    """A table of an upload."""

    id = ma.fields.Integer(required=True)
    name = ma.fields.String(
        required=True, attribute="name_mask", metadata={"description": "Masked."}
    )
    size_bytes = ma.fields.Integer(required=True)
    sha256 = ma.fields.String(required=True)
    has_arrived = ma.fields.Boolean(required=True)


class TumourSampleSchema(ma.Schema):
    """A sample."""

    label = ma.fields.String(required=True)
    tumour_content = ma.fields.Float(required=True, allow_none=True)


class AnalysisRunSchema(ma.Schema):
    """A run with its recipe."""

    id = ma.fields.Integer(required=True)
    engine = ma.fields.String(required=True)
    parameters = ma.fields.Dict(required=True)
    summary = ma.fields.Dict(required=True)
    recipe = ma.fields.Dict(required=True)
    repeats_id = ma.fields.Integer(required=True, allow_none=True)
    comparison = ma.fields.Dict(
        required=True,
        metadata={"description": "Of a reproduction: whether the tables are identical."},
    )
    created_at = UTCTime(required=True)
    finished_at = UTCTime(required=True, allow_none=True)
    seconds = ma.fields.Float(required=True, allow_none=True)


class Detail:
    """An entry with everything about it, for AnalysisDetailSchema."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)

    @property
    def files(self) -> Any:
        return self._entry.upload.files

    @property
    def samples(self) -> Any:
        return self._entry.upload.samples

    @property
    def preflight(self) -> Any:
        return self._entry.upload.preflight


class AnalysisDetailSchema(AnalysisSchema):
    """An analysis with its tables, samples, check and latest run."""

    files = ma.fields.List(ma.fields.Nested(MutationFileSchema), required=True)
    samples = ma.fields.List(ma.fields.Nested(TumourSampleSchema), required=True)
    preflight = ma.fields.Dict(required=True, allow_none=True)
    run = ma.fields.Nested(AnalysisRunSchema, required=True, allow_none=True)


class AnalysisPlotSchema(ma.Schema):
    """One of the nine plots and where its forms are."""

    name = ma.fields.String(required=True)
    label = ma.fields.String(required=True)
    urls = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)


class AnalysisPlotsSchema(ma.Schema):
    """The nine plots."""

    items = ma.fields.List(ma.fields.Nested(AnalysisPlotSchema), required=True)


class AnalysisTableSchema(ma.Schema):
    """A table as rows."""

    columns = ma.fields.List(ma.fields.String(), required=True)
    rows = ma.fields.List(ma.fields.List(ma.fields.String()), required=True)


EntryPage = page_schema(AnalysisSchema)
