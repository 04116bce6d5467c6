"""What a model is: its inputs, its outputs and where it comes from, as values that travel as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

NUMBERS = frozenset({"integer", "float", "double", "real"})


@dataclass(frozen=True, slots=True)
class Interval:
    """Allowed numbers; None is no bound. A closed end belongs to it."""

    low: float | None = None
    high: float | None = None
    low_closed: bool = True
    high_closed: bool = True

    def __contains__(self, value: float) -> bool:
        if self.low is not None and not (
            value >= self.low if self.low_closed else value > self.low
        ):
            return False
        return self.high is None or (value <= self.high if self.high_closed else value < self.high)

    def __str__(self) -> str:
        low = "(-∞" if self.low is None else f"{'[' if self.low_closed else '('}{self.low:g}"
        high = "∞)" if self.high is None else f"{self.high:g}{']' if self.high_closed else ')'}"
        return f"{low}, {high}"


@dataclass(frozen=True, slots=True)
class Field:
    """One input, output or target."""

    name: str
    type: str
    """PMML's type (string, integer, float, double, boolean, date, ...) or ONNX' (tensor(float), ...)."""
    optype: str = "continuous"
    """continuous, categorical or ordinal."""
    values: tuple[Any, ...] = ()
    """The categories, in the model's order; empty means any."""
    intervals: tuple[Interval, ...] = ()
    """The allowed numbers lie in one of these; empty means any."""
    dimension: tuple[int | None, ...] = ()
    """Shape of one record's value; () is a single value, None a length that may vary."""
    shape: tuple[int | None, ...] | None = None
    """ONNX: the tensor's declared shape, batch included; None is a length that may vary."""
    missing: str | None = None
    """What the model does with a missing value, in PMML's words; None: it may not be missing."""
    omittable: bool = False
    """Whether a record may leave the name out: the model declares a replacement for this very field."""
    columns: tuple[str, ...] = ()
    """Names of the elements of a one-dimensional value, as columns of a table are called."""

    @property
    def numeric(self) -> bool:
        """Whether single numbers are what it holds."""
        return self.type in NUMBERS or (
            self.type.startswith("tensor(") and not self.type.startswith(("tensor(str", "tensor(b"))
        )

    @property
    def range_text(self) -> str:
        """The allowed values for people: `[4.3, 7.9]`, `a, b, c`, or empty."""
        if self.values:
            return ", ".join(str(value) for value in self.values)
        return " or ".join(str(interval) for interval in self.intervals)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Field:
        """The field of which `asdict` made `data`."""
        shape = data.get("shape")
        return cls(
            name=data["name"],
            type=data["type"],
            optype=data["optype"],
            values=tuple(data["values"]),
            intervals=tuple(Interval(**interval) for interval in data["intervals"]),
            dimension=tuple(data["dimension"]),
            shape=None if shape is None else tuple(shape),
            missing=data.get("missing"),
            omittable=data.get("omittable", False),
            columns=tuple(data.get("columns", ())),
        )


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """Everything that is known of a model file without running it on data."""

    format: str
    """pmml or onnx."""
    format_version: str
    """4.4 (PMML), or the operator set (ONNX)."""
    engine: str
    """Who scores it, with the version."""
    name: str
    model_type: str
    """The function: classification, regression, clustering, ..."""
    algorithm: str
    version: str
    description: str
    producer: str
    sha256: str
    size_bytes: int
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    targets: tuple[Field, ...] = ()
    batch: int | None = 0
    """Records that one run of the model takes: 0 any number, n exactly n (ours are filled up and cut), None one
    record is the whole input."""
    extra: dict[str, str] = field(default_factory=dict)
    """What else the file says of itself."""

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON values; `from_json` reads it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ModelDescription:
        """The description of which `to_json` made `data`."""
        fields = {
            name: tuple(Field.from_json(each) for each in data[name])
            for name in ("inputs", "outputs", "targets")
        }
        return cls(**{**data, **fields})


def documented(description: ModelDescription, *, name: str, time: str) -> dict[str, Any]:
    """The description in the words of the customer's document (getmodelinfo)."""
    return {
        "modelname": name,
        "time": time,
        "modeltype": description.model_type,
        "algorithm": description.algorithm,
        "description": description.description,
        "engine": description.engine,
        "input": [documented_field(each) for each in description.inputs],
        "output": [documented_field(each) for each in description.outputs],
    }


def documented_field(field_: Field) -> dict[str, Any]:
    """name, type, range (categories as a list, numbers as text), dimension, optype."""
    return {
        "name": field_.name,
        "type": field_.type,
        "range": list(field_.values) or field_.range_text,
        "dimension": list(field_.dimension) or [1],
        "optype": field_.optype,
    }
