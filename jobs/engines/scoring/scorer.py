"""A model ready to answer: what callers send in, outputs out, step by step with its times."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.engines.scoring import formats
from jobs.engines.scoring.checking import Checker
from jobs.engines.scoring.description import ModelDescription
from jobs.engines.scoring.errors import InvalidInput, PredictionFailed, Problem
from jobs.engines.scoring.inputs import Request, parse_request, request_of
from jobs.engines.scoring.prepare import Script
from jobs.engines.scoring.runtime import Record

MAX_RECORDS = 10_000


@dataclass(slots=True)
class Scored:
    """The answer to one request."""

    outputs: list[Record]
    ms: dict[str, float] = field(default_factory=dict)
    """Milliseconds of validate, prepare (with a script) and predict."""


class Scorer:
    """One loaded model with its checks and its preprocessing script."""

    def __init__(self, path: Path, *, memory_bytes: int, script: str = "") -> None:
        format_ = formats.recognise(path)
        format_.check(path)
        self._runtime = format_.load(path, memory_bytes=memory_bytes)
        self.description: ModelDescription = self._runtime.description
        self._checker = Checker(self.description)
        self._names = frozenset(each.name for each in self.description.inputs)
        self._script = Script(script) if script.strip() else None

    def answer(self, data: Any, *, timeout_s: float | None = None) -> Scored:
        """Answer a request given as parsed JSON. Raises InvalidInput, ScriptFailed, PredictionFailed."""
        return self._answer(request_of(data, self.description, names=self._names), timeout_s)

    def answer_bytes(self, body: bytes, *, timeout_s: float | None = None) -> Scored:
        """The same for a request that is not parsed yet."""
        return self._answer(parse_request(body, self.description, names=self._names), timeout_s)

    def warm_up(self, record: Record) -> None:
        """Predict a record that fits the model, without the script: what a script takes is not known."""
        self._runtime.predict([record])

    def _answer(self, request: Request, timeout_s: float | None) -> Scored:
        if len(request.records) > MAX_RECORDS:
            expected = f"at most {MAX_RECORDS} records in one request"
            raise InvalidInput([Problem(0, "", "record", expected, len(request.records))])
        return self.score(request.records, outputs=request.outputs, timeout_s=timeout_s)

    def score(
        self,
        records: Sequence[Any],
        *,
        outputs: Sequence[str] = (),
        timeout_s: float | None = None,
        first_row: int = 1,
    ) -> Scored:
        """Prepare, check and predict. Raises InvalidInput, ScriptFailed, PredictionFailed."""
        ms: dict[str, float] = {}
        started = time.perf_counter()
        if self._script is not None:
            records = self._script.run(records)
            ms["prepare"] = _since(started)
            started = time.perf_counter()
        self._checker.require(records, first_row=first_row)
        ms["validate"] = _since(started)
        started = time.perf_counter()
        found = self._runtime.predict(records, timeout_s=timeout_s)
        ms["predict"] = _since(started)
        if len(found) != len(records):
            raise PredictionFailed("the engine did not answer every record")
        if outputs:
            found = [{name: each.get(name) for name in outputs} for each in found]
        return Scored(found, ms)

    def interrupt(self) -> None:
        """Called from another thread: stop the prediction that is under way, if the engine can."""
        self._runtime.interrupt()

    def close(self) -> None:
        """Let go of the engine and of the script's workers."""
        self._runtime.close()
        if self._script is not None:
            self._script.close()


def _since(started: float) -> float:
    return 1e3 * (time.perf_counter() - started)
