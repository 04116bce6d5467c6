"""ONNX, scored by onnxruntime on one CPU thread; external data is never read."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.engines.scoring.errors import (
    OutOfMemory,
    OutOfTime,
    PredictionFailed,
    RefusedModel,
)
from jobs.engines.scoring.formats.onnx_file import describe, read_file
from jobs.engines.scoring.formats.onnx_values import Input, plain, rows_of
from jobs.engines.scoring.runtime import Record, Runtime

CHUNK_ROWS = 1000
_WHOLE = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
TYPES = {f"tensor({name})" for name in ("float", "double", "float16", "string", "bool", *_WHOLE)}
"""What an input may be."""
_WHERE = re.compile(r"^Load model from .*? failed:\s*(?:Exception during loading:\s*)?")


class ONNXFormat:
    """The format, as `formats` lists it."""

    NAME = "onnx"

    def claims(self, head: bytes) -> bool:
        # Protocol buffers have no mark; text is what they never are.
        return head[0] in (0x08, 0x12, 0x1A, 0x22, 0x3A, 0x42) and any(
            byte < 0x20 and byte not in b"\t\r\n" for byte in head
        )

    def check(self, path: Path) -> None:
        read_file(path)

    def load(self, path: Path, *, memory_bytes: int) -> Runtime:
        return ONNXRuntime(path)


FORMAT = ONNXFormat()


class ONNXRuntime:
    """A loaded ONNX model."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        proto = read_file(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises a dozen unrelated classes
            reason = f"the engine cannot load this model: {_short(error)}"
            raise RefusedModel(reason, "unsupported") from error
        for each in self._session.get_inputs():
            if each.type not in TYPES:
                reason = f"the input {each.name[:60]!r} is a {each.type}, which no record can hold"
                raise RefusedModel(f"{reason}; export the model with numbers or text", "type")
        self._options = onnxruntime.RunOptions
        self.description = describe(
            path, proto, self._session, engine=f"onnxruntime {onnxruntime.__version__}"
        )
        self._inputs = [Input(each) for each in self.description.inputs]
        self._outputs = self.description.outputs
        self._names = [each.name for each in self._outputs]
        self._batch = self.description.batch
        self._running = self._options()

    def predict(self, records: Sequence[Record], *, timeout_s: float | None = None) -> list[Record]:
        if not records:
            return []
        if self._batch is None or any(each.is_whole(records[0]) for each in self._inputs):
            return [self._predict_whole(record, timeout_s) for record in records]
        step = self._batch or CHUNK_ROWS
        found: list[Record] = []
        for start in range(0, len(records), step):
            found += self._predict_rows(records[start : start + step], timeout_s)
        return found

    def _predict_rows(self, records: Sequence[Record], timeout_s: float | None) -> list[Record]:
        n = len(records)
        fill = (self._batch or n) - n
        padded = [*records, *[records[-1]] * fill] if fill else records
        feeds = {each.name: each.rows(padded) for each in self._inputs}
        columns = [rows_of(values, n) for values in self._run(feeds, timeout_s)]
        if any(len(column) != n for column in columns):
            raise PredictionFailed("the model did not answer each record by itself")
        return [dict(zip(self._names, row, strict=True)) for row in zip(*columns, strict=True)]

    def _predict_whole(self, record: Record, timeout_s: float | None) -> Record:
        feeds = {each.name: each.whole(record[each.name]) for each in self._inputs}
        return dict(zip(self._names, map(plain, self._run(feeds, timeout_s)), strict=True))

    def _run(self, feeds: dict[str, Any], timeout_s: float | None) -> list[Any]:
        if self._running.terminate:
            self._running = self._options()
        if timeout_s is None:
            return self._guarded(feeds, self._running)
        timer = threading.Timer(timeout_s, self.interrupt)
        timer.daemon = True
        timer.start()
        try:
            return self._guarded(feeds, self._running)
        finally:
            timer.cancel()

    def _guarded(self, feeds: dict[str, Any], options: Any) -> list[Any]:
        try:
            return list(self._session.run(self._names, feeds, options))
        except MemoryError as error:
            raise OutOfMemory("the model asked for more memory than it may use") from error
        except Exception as error:  # onnxruntime raises a dozen unrelated classes
            if options.terminate:
                raise OutOfTime("the model did not answer in time") from error
            if "alloc" in str(error):
                raise OutOfMemory("the model asked for more memory than it may use") from error
            raise PredictionFailed(f"the engine failed: {_short(error)}") from error

    def interrupt(self) -> None:
        """Stop the run that is under way."""
        self._running.terminate = True

    def close(self) -> None:
        """Let go of the session."""
        del self._session


def _short(error: Exception) -> str:
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    # "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Load model from FILE failed:..." - the end is for people.
    return _WHERE.sub("", line.rpartition(" : ")[2]).rpartition(", Error ")[2][:160]
