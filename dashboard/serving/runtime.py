"""What this domain needs of the scoring engine: understanding a file, one run in a child, a call of a replica.

Details are a version's description as its row keeps it (ModelDescription.to_json).
"""

import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jobs.engines import scoring
from jobs.engines.scoring.description import ModelDescription
from jobs.engines.scoring.inspection import ask_child

Record = dict[str, Any]
Details = Mapping[str, Any]


class BadRecords(Exception):
    """The records do not fit the model."""

    def __init__(self, problems: Sequence[Any]) -> None:
        super().__init__("the records do not fit the model")
        self.problems = [_as_dict(problem) for problem in problems]
        """row (from 1; 0: no row is meant), field, code, expected, value"""


class ScriptError(Exception):
    """The preprocessing script failed; the message says where and why."""


class ModelError(Exception):
    """The model gave no answer: an error of the engine, or its memory."""


class OutOfTime(ModelError):
    """The model did not answer in time."""


class NoReplica(Exception):
    """No replica answers."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer: one record of outputs for each record, and the milliseconds of each step."""

    outputs: list[Record]
    ms: dict[str, float] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Every output, in the order in which they come up."""
        return list(dict.fromkeys(name for record in self.outputs for name in record))

    def only(self, names: Sequence[str]) -> "Prediction":
        """The same with these outputs only; all when none is named."""
        if not names:
            return self
        return replace(
            self, outputs=[{name: each.get(name) for name in names} for each in self.outputs]
        )

    def with_total(self, ms: float) -> "Prediction":
        """The same with the time of all steps together."""
        return replace(self, ms={**self.ms, "total": ms})


def request_of(value: Any, details: Details) -> tuple[list[Record], list[str]]:
    """The records and the outputs wanted in a request's JSON, in any of the accepted forms. Raises BadRecords."""
    try:
        found = scoring.request_of(value, ModelDescription.from_json(dict(details)))
    except scoring.InvalidInput as error:
        raise BadRecords(error.problems) from error
    return found.records, list(found.outputs)


def record_maker(columns: Sequence[str], details: Details) -> Callable[[Sequence[Any]], Record]:
    """A function from the cells of a table's row to a record. Raises BadRecords when the columns do not fit."""
    try:
        return scoring.record_maker(columns, ModelDescription.from_json(dict(details)))
    except scoring.InvalidInput as error:
        raise BadRecords(error.problems) from error


def check(records: Sequence[Any], details: Details) -> None:
    """Raise BadRecords unless the records fit the model."""
    problems = scoring.validate(ModelDescription.from_json(dict(details)), records)
    if problems:
        raise BadRecords(problems)


def run_script(script: str, records: Sequence[Record]) -> list[Record]:
    """What a preprocessing script makes of records, in the sandbox. Raises ScriptError."""
    try:
        ready = scoring.Script(script)
        try:
            return list(ready.run(records))
        finally:
            ready.close()
    except scoring.ScriptFailed as error:
        raise ScriptError(str(error)) from error


def run_once(
    path: Path,
    details: Details,
    records: Sequence[Record],
    *,
    script: str = "",
    timeout_s: float,
    memory_mb: int,
) -> Prediction:
    """What a model file answers, in a child with limits. Raises BadRecords, ScriptError, ModelError, OutOfTime."""
    ms: dict[str, float] = {}
    if script.strip():
        start = time.perf_counter()
        records = run_script(script, records)
        ms["prepare"] = (time.perf_counter() - start) * 1000
    start = time.perf_counter()
    check(records, details)
    ms["validate"] = (time.perf_counter() - start) * 1000
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="atrium-test-") as folder:
        given, out = Path(folder, "records.json"), Path(folder, "outputs.json")
        given.write_text(json.dumps(list(records)), encoding="utf-8")
        order = {
            **{"do": "score", "path": str(path.resolve()), "name": path.stem},
            **{"input": str(given), "out": str(out), "trial_s": timeout_s},
        }
        answer = ask_child(order, timeout_s=timeout_s, memory_bytes=memory_mb * 2**20)
        if answer.get("error") == "input" and answer.get("problems"):
            raise BadRecords(answer["problems"])
        if answer.get("error"):
            kind = OutOfTime if answer.get("code") == "timeout" else ModelError
            raise kind(answer["message"])
        outputs = json.loads(out.read_text(encoding="utf-8"))
    ms["predict"] = (time.perf_counter() - start) * 1000
    return Prediction(outputs, ms)


def _as_dict(problem: Any) -> dict[str, Any]:
    return dict(problem) if isinstance(problem, Mapping) else dict(problem.to_json())
