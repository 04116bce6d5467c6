"""The inputs and outputs of a version, ready to show; and records as people and programs write them."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.core.errors import Invalid, Problem
from dashboard.core.i18n import _, lazy
from dashboard.serving import runtime, tables
from dashboard.serving.models import BaselineOrigin, ModelVersion
from dashboard.serving.services import wording
from jobs.engines.scoring.description import Field

Record = dict[str, Any]
# Values shown of a field with many.
N_SHOWN = 12
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_REALS = ("float", "double", "float16", "bfloat16")
KINDS = {
    **dict.fromkeys(("integer", *(f"tensor({name})" for name in _INTEGERS)), "integer"),
    **dict.fromkeys(("float", "double", "real", *(f"tensor({name})" for name in _REALS)), "real"),
    **dict.fromkeys(("boolean", "tensor(bool)"), "boolean"),
}


class InvalidInput(Invalid):
    """The records do not fit the model's inputs; the problems are for those who manage it."""

    code = "invalid_input"
    default = lazy("The records do not fit the model's inputs.")

    def __init__(
        self,
        message: object = None,
        *,
        problems: list[Problem] | None = None,
        faults: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__(message, problems=problems)
        self.faults = faults
        """What the engine found: row (from 1), field, code, expected."""


@dataclass(frozen=True, slots=True)
class FieldView:
    """An input or output, as the pages and the API tell of it."""

    name: str
    type: str
    optype: str
    values: list[Any]
    low: float | None
    high: float | None
    dimension: list[int | None]
    """Empty for a single value; None is any number."""
    required: bool
    range_text: str

    @property
    def kind(self) -> str:
        """integer, real, boolean or string."""
        return KINDS.get(self.type, "string")

    @property
    def dimension_text(self) -> str:
        """As 1×28×28; 1 for a single value."""
        return "×".join("?" if size is None else str(size) for size in self.dimension) or "1"


def inputs_of(version: ModelVersion) -> list[FieldView]:
    """The inputs of a version, in the model's order."""
    # What was seen in training is a range to go by; what a file declares is shown as it is.
    about = version.baseline_about or {"from": BaselineOrigin.TRAINING}
    trained = about["from"] == BaselineOrigin.TRAINING
    seen = (version.baseline or {}) if trained else {}
    return [_view(field, seen.get(field["name"])) for field in version.details["inputs"]]


def outputs_of(version: ModelVersion) -> list[FieldView]:
    """The outputs of a version, in the model's order."""
    return [_view(field) for field in version.details["outputs"]]


def check_outputs(version: ModelVersion, outputs: Sequence[str] | None) -> list[str]:
    """The outputs that are wanted, all when none is named. Raises Invalid for one the model has not."""
    wanted = [str(name) for name in outputs or []]
    known = {field.name for field in outputs_of(version)}
    # A model may answer more than it declares: the trial says what.
    known |= set(version.sample_outputs)
    if unknown := [name for name in wanted if name not in known]:
        message = _("The model has no output %(name)s.", name=unknown[0][:100])
        raise Invalid(message, problems=[Problem("outputs", message)])
    return wanted


def check_columns(version: ModelVersion, columns: list[str], *, script: bool) -> None:
    """Raise Invalid when a table lacks inputs; a preprocessing script may make them of others."""
    try:
        runtime.record_maker(columns, version.details)
    except runtime.BadRecords as error:
        if not script:
            raise Invalid(problems=problems_of(error)) from error


def record_of_texts(version: ModelVersion, texts: Mapping[str, str]) -> Record:
    """The record that a form written from the inputs describes; empty fields are left out."""
    record: Record = {}
    for field in inputs_of(version):
        text = texts.get(field.name, "").strip()
        if not text:
            continue
        if field.dimension:
            record[field.name] = _json(text, field)
        elif field.kind == "string":
            record[field.name] = text
        else:
            record[field.name] = _typed(text, field.kind)
    return record


def records_of(version: ModelVersion, value: Any) -> tuple[list[Record], list[str]]:
    """Records in any of the accepted forms, and the outputs wanted. Raises InvalidInput."""
    try:
        return runtime.request_of(value, version.details)
    except runtime.BadRecords as error:
        raise InvalidInput(problems=problems_of(error)) from error


def problems_of(error: runtime.BadRecords) -> list[Problem]:
    """What is wrong with records, for whoever may know: the field, with its record when there are several."""
    many = any(each["row"] > 1 for each in error.problems)
    return [_problem(each, many=many) for each in error.problems]


def _problem(each: Mapping[str, Any], *, many: bool) -> Problem:
    field = each["field"]
    if many and each["row"]:
        field = f"records[{each['row'] - 1}]" + (f".{field}" if field else "")
    return Problem(field or "records", _("expected %(what)s", what=wording.said(each["expected"])))


def records_of_table(
    path: Path, form: str, version: ModelVersion, *, script: bool
) -> Iterator[Record]:
    """The rows of a file as records; columns that are no input are left out. Raises Invalid and BadTable.

    With a script the columns stay as they are: it makes the inputs of them.
    """
    rows = tables.read_rows(path, form)
    if form == "json":
        yield from rows
        return
    columns = tables.columns_of(path, form) or []
    try:
        make = runtime.record_maker(columns, version.details)
    except runtime.BadRecords as error:
        if not script:
            raise Invalid(problems=problems_of(error)) from error
        yield from rows
        return
    for row in rows:
        cells = ["" if value is None and form == "csv" else value for value in row.values()]
        yield {**row, **make(cells)} if script else make(cells)


def read_small_table(
    data: bytes, name: str, *, version: ModelVersion, folder: Path
) -> list[Record]:
    """The records of a small CSV, JSON or Parquet file. Raises Invalid."""
    path = folder / secrets.token_hex(16)
    path.write_bytes(data)
    try:
        form = tables.format_of(data[:64], name)
        if form == "json":
            return records_of(version, _loaded(data))[0]
        return list(records_of_table(path, form, version, script=False))
    except tables.BadTable as error:
        raise Invalid(str(error), problems=[Problem("file", str(error))]) from error
    finally:
        path.unlink(missing_ok=True)


def _typed(text: str, kind: str) -> Any:
    """A number or truth; a text that is none stays, and whoever checks it says so."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return int(text) if kind == "integer" else float(text)
    except ValueError:
        return text


def as_text(value: Any) -> str:
    """A value of a record as a form shows it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def columns_of_records(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every name in the records, in the order in which they come up."""
    return list(dict.fromkeys(name for record in records for name in record))


def _view(field: Mapping[str, Any], seen: Mapping[str, Any] | None = None) -> FieldView:
    parsed = Field.from_json(dict(field))
    lows = [interval.low for interval in parsed.intervals]
    highs = [interval.high for interval in parsed.intervals]
    return FieldView(
        name=parsed.name,
        type=parsed.type,
        optype=parsed.optype,
        values=list(parsed.values),
        low=min((low for low in lows if low is not None), default=None)
        if None not in lows
        else None,
        high=max((h for h in highs if h is not None), default=None) if None not in highs else None,
        dimension=list(parsed.dimension),
        required=not parsed.omittable,
        range_text=_range_text(parsed, seen),
    )


def _range_text(field: Field, seen: Mapping[str, Any] | None) -> str:
    if len(field.values) > N_SHOWN:
        some = ", ".join(str(value) for value in field.values[:N_SHOWN])
        return f"{some}, … ({len(field.values)})"
    if text := field.range_text:
        return text
    if seen and "edges" in seen:
        return _(
            "in training %(low)s to %(high)s",
            low=f"{seen['edges'][0]:g}",
            high=f"{seen['edges'][-1]:g}",
        )
    if seen and seen.get("values"):
        return _("in training %(values)s", values=", ".join(seen["values"][:N_SHOWN]))
    return ""


def _json(text: str, field: FieldView) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        message = _("Expected JSON: nested lists of %(shape)s.", shape=field.dimension_text)
        raise Invalid(message, problems=[Problem(field.name, message)]) from error


def _loaded(data: bytes) -> Any:
    text = data.decode("utf-8-sig", errors="replace").strip()
    try:
        if text.startswith("{") and "\n{" in text:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        message = _("This is no JSON: %(reason)s", reason=str(error))
        raise Invalid(message, problems=[Problem("file", message)]) from error
