"""What a PMML file says of itself, read by a SAX parser that allows no DTD, before the engine sees the file."""

from __future__ import annotations

import hashlib
import re
import xml.sax
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from defusedxml import sax as safe_sax
from defusedxml.common import DefusedXmlException

from jobs.engines.scoring.description import NUMBERS, Field, Interval, ModelDescription
from jobs.engines.scoring.errors import RefusedModel

VERSIONS = ("3.0", "3.1", "3.2", "4.0", "4.1", "4.2", "4.2.1", "4.3", "4.4", "4.4.1")
MAX_DEPTH = 2000
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
SCORED = frozenset(
    {
        "AnomalyDetectionModel",
        "ClusteringModel",
        "GeneralRegressionModel",
        "MiningModel",
        "NaiveBayesModel",
        "NearestNeighborModel",
        "NeuralNetwork",
        "RegressionModel",
        "RuleSetModel",
        "Scorecard",
        "SupportVectorMachineModel",
        "TreeModel",
    }
)
NOT_SCORED = frozenset(
    {
        "AssociationModel",
        "BaselineModel",
        "BayesianNetworkModel",
        "GaussianProcessModel",
        "SequenceModel",
        "TextModel",
        "TimeSeriesModel",
    }
)


@dataclass
class Said:
    """What a file says of itself."""

    version: str = ""
    element: str = ""
    model: dict[str, str] = field(default_factory=dict)
    header: dict[str, str] = field(default_factory=dict)
    application: dict[str, str] = field(default_factory=dict)
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    mining: list[dict[str, str]] = field(default_factory=list)
    has_bayes_output: bool = False


def read_file(path: Path) -> Said:
    """What the file says of itself. Raises RefusedModel when the engine must not see it."""
    reader = _Reader()
    try:
        with path.open("rb") as file:
            safe_sax.parse(file, reader, forbid_dtd=True)
    except DefusedXmlException as error:
        reason = "the file has a document type declaration (DTD), which can pull in other files; remove it"
        raise RefusedModel(reason, "dtd") from error
    except xml.sax.SAXParseException as error:
        where = f"line {error.getLineNumber()}"
        reason = f"the file is not whole, well-formed XML ({where}: {error.getMessage()})"
        raise RefusedModel(reason, "xml") from error
    except (UnicodeError, ValueError, LookupError) as error:
        raise RefusedModel("the file's text encoding is not what it declares", "xml") from error
    if not reader.said.element:
        raise RefusedModel("the PMML file holds no model, only its frame", "no_model")
    if reader.said.element == "NaiveBayesModel" and not reader.said.has_bayes_output:
        reason = "the naive Bayes model has no BayesOutput: how often each class occurs is missing"
        raise RefusedModel(f"{reason}; export the model with it", "bayes_output")
    return reader.said


# A value in an array: quoted, or up to the next space.
_ITEM = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')


class _Reader(xml.sax.ContentHandler):
    """Collects what stands in attributes near the top; keeps nothing of the model's body."""

    def __init__(self) -> None:
        super().__init__()
        self.said = Said()
        self._path: list[str] = []
        self._field: dict[str, Any] = {}
        self._array: tuple[str, list[str]] | None = None
        """What an array says that it holds, and the text in it."""
        self._locator: Any = None

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 - SAX names it
        local = name.rpartition(":")[2]
        values = dict(attrs.items())
        self._path.append(local)
        depth = len(self._path)
        if depth > MAX_DEPTH:
            reason = f"the XML is nested more than {MAX_DEPTH} elements deep"
            raise RefusedModel(reason, "depth")
        if depth == 1:
            self._root(local, values)
        elif depth == 2:
            self._top(local, values)
        elif depth <= 4:
            self._inside(local, values)
        if local == "Array":
            self._array = (values.get("n", ""), [])
        elif local == "BayesOutput":
            self.said.has_bayes_output = True

    def characters(self, content: str) -> None:
        if self._array is not None:
            self._array[1].append(content)

    def endElement(self, _name: str) -> None:  # noqa: N802 - SAX names it
        if self._path.pop() == "Array" and self._array is not None:
            self._check_array(*self._array)
            self._array = None

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: N802 - SAX names it
        self._locator = locator

    def _check_array(self, said: str, pieces: list[str]) -> None:
        if not said.isdecimal():
            return
        held = sum(1 for _ in _ITEM.finditer("".join(pieces)))
        if held != int(said):
            where = f"line {self._locator.getLineNumber()}"
            reason = f"the list of values in {where} says that it holds {said}, but holds {held}"
            raise RefusedModel(f"{reason}; export the model again", "array")

    def _root(self, local: str, values: dict[str, str]) -> None:
        if local != "PMML":
            raise RefusedModel(f"this is XML, but not PMML: its root is <{local[:60]}>", "root")
        self.said.version = values.get("version", "")
        if self.said.version not in VERSIONS:
            said = self.said.version[:20] or "none"
            reason = f"PMML version {said} is not known; versions 3.0 to 4.4.1 are"
            raise RefusedModel(reason, "version")

    def _top(self, local: str, values: dict[str, str]) -> None:
        if local in NOT_SCORED:
            raise RefusedModel(f"models of the kind {local} cannot be scored", "unsupported")
        if local == "Header":
            self.said.header = values
        elif local in SCORED and not self.said.element:
            self.said.element, self.said.model = local, values

    def _inside(self, local: str, values: dict[str, str]) -> None:
        above = self._path[1:-1]
        said = self.said
        if above == ["Header"] and local == "Application":
            said.application = values
        elif above == ["DataDictionary"] and local == "DataField":
            self._field = {**values, "values": [], "intervals": []}
            said.fields[values.get("name", "")] = self._field
        elif above == ["DataDictionary", "DataField"] and local == "Value":
            if values.get("property", "valid") == "valid":
                self._field["values"].append(values.get("value", ""))
        elif above == ["DataDictionary", "DataField"] and local == "Interval":
            self._field["intervals"].append(values)
        elif above == [said.element, "MiningSchema"] and local == "MiningField":
            said.mining.append(values)


def _describe_field(said: Said, name: str) -> Field:
    """An input or target from the data dictionary and the mining schema."""
    known: dict[str, Any] = said.fields.get(name, {})
    mined = next((each for each in said.mining if each.get("name") == name), {})
    type_ = str(known.get("dataType", "string"))
    optype = str(mined.get("optype") or known.get("optype", "categorical"))
    values = () if optype == "continuous" else _values(known.get("values", []), type_)
    intervals = [_interval(each) for each in known.get("intervals", [])]
    missing = _missing(said, mined)
    return Field(
        name=name,
        type=type_,
        optype=optype,
        values=values,
        intervals=tuple(each for each in intervals if each),
        missing=missing,
        omittable="missingValueReplacement" in mined,
    )


def _missing(said: Said, mined: dict[str, str]) -> str | None:
    if "missingValueReplacement" in mined:
        return f"replaced by {mined['missingValueReplacement']}"
    treatment = mined.get("missingValueTreatment", "")
    if treatment == "returnInvalid":
        return None
    strategy = said.model.get("missingValueStrategy", "none")
    return treatment or (strategy if strategy != "none" else None)


def _values(texts: list[str], type_: str) -> tuple[Any, ...]:
    if type_ not in NUMBERS:
        return tuple(texts)
    numbers = [_number(text) for text in texts]
    return tuple(number for number in numbers if number is not None)


def _number(text: str | None) -> float | int | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return int(value) if value is not None and value.is_integer() else value


def _interval(values: dict[str, str]) -> Interval | None:
    low, high = _number(values.get("leftMargin")), _number(values.get("rightMargin"))
    closure = values.get("closure", "closedClosed")
    if low is None and high is None:
        return None
    return Interval(low, high, closure.startswith("closed"), closure.endswith("Closed"))


def describe(path: Path, said: Said, model: Any, *, engine: str) -> ModelDescription:
    targets = [str(name) for name in model.targetNames]
    outputs = [
        Field(
            name=str(each.name),
            type=str(each.dataType),
            optype=_optype(each.opType),
            # The one that carries the label has the target's categories.
        )
        for each in model.outputFields
    ]
    target_fields = tuple(_describe_field(said, name) for name in targets)
    if target_fields:
        label = f"predicted_{target_fields[0].name}".lower()
        outputs = [
            replace(each, values=target_fields[0].values) if each.name.lower() == label else each
            for each in outputs
        ]
    application = " ".join(
        filter(None, (said.application.get("name"), said.application.get("version")))
    )
    data = path.read_bytes()
    return ModelDescription(
        format="pmml",
        format_version=said.version,
        engine=engine,
        name=said.model.get("modelName", ""),
        model_type=said.model.get("functionName", ""),
        algorithm=said.model.get("algorithmName") or said.element,
        version=said.header.get("modelVersion", ""),
        description=said.header.get("description", ""),
        producer=application or said.header.get("copyright", ""),
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        inputs=tuple(_describe_field(said, str(name)) for name in model.inputNames),
        outputs=tuple(outputs),
        targets=target_fields,
        extra={"model_element": said.element},
    )


def _optype(text: str) -> str:
    return {"nominal": "categorical"}.get(str(text), str(text))
