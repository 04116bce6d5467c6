"""Whether records fit a model: names, types, ranges, categories, shapes. Engines do not check: they take what does not
fit as missing, and answer all the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jobs.engines.scoring.description import Field, ModelDescription
from jobs.engines.scoring.errors import InvalidInput, Problem, shortened
from jobs.engines.scoring.runtime import Record

MAX_PROBLEMS = 100
FLOAT32_MAX = 3.4028234663852886e38
# What a check returns instead of a value: the code of the problem and what was expected.
Fault = tuple[str, str]
Check = Callable[[Any], Fault | None]


def validate(
    description: ModelDescription, records: Sequence[Any], *, first_row: int = 1
) -> list[Problem]:
    """What is wrong with the records, at most a hundred problems; empty when they may be predicted."""
    return Checker(description).problems(records, first_row=first_row)


class Checker:
    """The checks of one model, made once."""

    def __init__(self, description: ModelDescription) -> None:
        self._fields = description.inputs
        self._names = frozenset(each.name for each in description.inputs)
        self._targets = frozenset(each.name for each in description.targets)
        self._checks = [(each, each.name, _check_of(each, description)) for each in self._fields]

    def require(self, records: Sequence[Any], *, first_row: int = 1) -> None:
        """Raise InvalidInput with every problem when the records do not fit."""
        if problems := self.problems(records, first_row=first_row):
            raise InvalidInput(problems)

    def problems(self, records: Sequence[Any], *, first_row: int = 1) -> list[Problem]:
        """What is wrong with the records; rows are numbered from `first_row`."""
        found: list[Problem] = []
        names, targets = self._names, self._targets
        for row, record in enumerate(records, first_row):
            if not isinstance(record, dict):
                expected = "a record: an object of input names and values"
                found.append(Problem(row, "", "record", expected, shortened(record)))
            else:
                if record.keys() != names:
                    self._check_names(record, row, found, targets)
                self._check_values(record, row, found)
            if len(found) >= MAX_PROBLEMS:
                return found[:MAX_PROBLEMS]
        return found

    def _check_names(
        self, record: Record, row: int, found: list[Problem], targets: frozenset[str]
    ) -> None:
        for name in record.keys() - self._names - targets:
            inputs = ", ".join(repr(each.name) for each in self._fields[:12])
            more = ", …" if len(self._fields) > 12 else ""
            expected = f"one of the model's inputs: {inputs}{more}"
            found.append(Problem(row, shortened(str(name)), "name", expected))
        for each in self._fields:
            if each.name not in record and not each.omittable:
                found.append(Problem(row, each.name, "missing", f"a value ({_wanted(each)})"))

    def _check_values(self, record: Record, row: int, found: list[Problem]) -> None:
        for field, name, check in self._checks:
            value = record.get(name)
            if value is None:
                if name in record and field.missing is None:
                    expected = f"a value ({_wanted(field)})"
                    found.append(Problem(row, name, "missing", expected))
            elif (fault := check(value)) is not None:
                found.append(Problem(row, name, fault[0], fault[1], shortened(value)))


def _wanted(field: Field) -> str:
    """What a field takes, for people."""
    if field.values:
        return f"one of {_listed(field.values)}"
    if field.intervals:
        return f"a number in {field.range_text}"
    if field.dimension:
        shape = " x ".join("any" if size is None else str(size) for size in field.dimension)
        return f"a list of shape {shape}"
    return _TYPE_WORDS.get(scalar_kind(field.type), f"a value of type {field.type}")


def _listed(values: Sequence[Any]) -> str:
    text = ", ".join(repr(value) for value in values[:20])
    return text + (", …" if len(values) > 20 else "")


_TYPE_WORDS = {
    "integer": "a whole number",
    "number": "a finite number",
    "float": "a finite number",
    "boolean": "true or false",
    "string": "text",
}
_PMML = {"double": "number", "float": "number", "real": "number", "integer": "integer"}
_ONNX = {"float": "float", "double": "number", "float16": "float", "bool": "boolean"}


def scalar_kind(type_: str) -> str:
    """The kind of one element: integer, number, float (32 bits), boolean or string."""
    if not type_.startswith("tensor("):
        return _PMML.get(type_, type_ if type_ == "boolean" else "string")
    inner = type_[len("tensor(") : -1]
    return "integer" if inner.startswith(("int", "uint")) else _ONNX.get(inner, inner)


def _check_of(field: Field, description: ModelDescription) -> Check:
    scalar = _scalar_check(field)
    if field.shape is None:
        return scalar
    return _tensor_check(field, scalar, batched=description.batch is not None)


def _scalar_check(field: Field) -> Check:
    kind = scalar_kind(field.type)
    if kind in ("integer", "number", "float"):
        return _number_check(field, kind)
    if kind == "boolean":
        return lambda value: None if isinstance(value, bool) else ("type", "true or false")
    categories = frozenset(field.values)
    expected = f"one of {_listed(field.values)}"

    def check_text(value: Any) -> Fault | None:
        if not isinstance(value, str):
            return "type", expected if categories else "text"
        if categories and value not in categories:
            return "category", expected
        return None

    return check_text


_INTEGER_BITS = {"8": 8, "16": 16, "32": 32, "64": 64}


def _number_check(field: Field, kind: str) -> Check:
    low, high = _bounds(field, kind)
    whole = kind == "integer"
    categories = frozenset(field.values)
    intervals = field.intervals
    wanted = _TYPE_WORDS[kind]
    isfinite = math.isfinite

    def check_number(value: Any) -> Fault | None:
        if type(value) is not float and type(value) is not int:
            return "type", wanted
        if not isfinite(value) or (whole and value != int(value)):
            return "type", wanted
        if not low <= value <= high:
            return "range", f"a number between {low:g} and {high:g}"
        if categories and value not in categories:
            return "category", f"one of {_listed(field.values)}"
        if intervals and not any(value in interval for interval in intervals):
            return "range", f"a number in {field.range_text}"
        return None

    return check_number


def _bounds(field: Field, kind: str) -> tuple[float, float]:
    """What the type itself can hold."""
    if kind == "float":
        return -FLOAT32_MAX, FLOAT32_MAX
    inner = field.type[len("tensor(") : -1]
    if kind != "integer" or not field.type.startswith("tensor("):
        return -math.inf, math.inf
    bits = int("".join(filter(str.isdigit, inner)))
    if inner.startswith("u"):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _tensor_check(field: Field, scalar: Check, *, batched: bool) -> Check:
    whole = field.shape or ()
    row = whole[1:] if batched else whole
    forms = [row, whole] if batched else [row]
    expected = " or ".join(_shape_words(each) for each in dict.fromkeys(forms))
    if row in ((), (1,)) and batched:
        expected = (
            f"a single value, or a list of shape {' x '.join(_sizes(whole))} for a whole batch"
        )
    single = row in ((), (1,))

    def check_tensor(value: Any) -> Fault | None:
        if not isinstance(value, list):
            return scalar(value) if single else ("shape", expected)
        elements: list[Any] = []
        shape = _collect(value, elements)
        if shape is None or not _fits(shape, len(elements), forms):
            return "shape", expected
        for element in elements:
            fault = ("missing", "a value") if element is None else scalar(element)
            if fault is not None:
                return fault[0], f"{fault[1]} in every place"
        return None

    return check_tensor


def _sizes(shape: Iterable[int | None]) -> list[str]:
    return ["any" if size is None else str(size) for size in shape]


def _shape_words(shape: tuple[int | None, ...]) -> str:
    return f"a list of shape {' x '.join(_sizes(shape))}" if shape else "a single value"


def _collect(value: list[Any], into: list[Any]) -> tuple[int, ...] | None:
    """The shape of nested lists, whose elements are added to `into`; None when they are ragged."""
    if not value or not isinstance(value[0], list):
        if any(isinstance(each, list) for each in value):
            return None
        into.extend(value)
        return (len(value),)
    inner: tuple[int, ...] | None = None
    for each in value:
        shape = _collect(each, into) if isinstance(each, list) else None
        if shape is None or (inner is not None and shape != inner):
            return None
        inner = shape
    return (len(value), *(inner or ()))


def _fits(shape: tuple[int, ...], n_elements: int, forms: list[tuple[int | None, ...]]) -> bool:
    for form in forms:
        if len(shape) == len(form) and all(
            size is None or size == given for size, given in zip(form, shape, strict=True)
        ):
            return True
        # A flat list of all elements, in order, when the shape leaves nothing open.
        sizes = [size for size in form if size is not None]
        if len(sizes) == len(form) > 1 and len(shape) == 1 and n_elements == math.prod(sizes):
            return True
    return False
