"""The analyst's preprocessing script: Python in the pydantic-monty sandbox, which has no files, network or processes.

A script defines `prepare(record)`, which returns the record to predict, or `prepare_all(records)`, which returns a list
of as many. Anything else that it computes stays in the sandbox.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from jobs.engines.scoring.errors import ScoringError

MAX_SCRIPT_BYTES = 64 * 1024
MAX_OUTPUT_BYTES = 8 * 2**20
"""Of what one call returns: a sandbox bounds what a script keeps, not what it hands out."""
MAX_PRINT_BYTES = 64 * 1024
FIRST_FEED = "<python-input-0>"
"""What the sandbox calls the script in tracebacks."""


@dataclass(frozen=True, slots=True)
class ScriptLimits:
    """What a script may take for one call."""

    time_s: float = 1.0
    memory_bytes: int = 64 * 2**20
    recursion: int = 200


class ScriptFailed(ScoringError):
    """The preprocessing script failed; the message names the line."""

    def __init__(self, message: str, *, line: int | None = None, code: str = "script") -> None:
        super().__init__(message)
        self.line, self.code = line, code


_DEFINED = """
try:
    _found = isinstance({name}, type(lambda: 0))
except NameError:
    _found = False
_found
"""


class Script:
    """A script that is ready to run. One thread at a time uses it; others wait."""

    def __init__(self, source: str, limits: ScriptLimits = ScriptLimits()) -> None:
        if len(source.encode()) > MAX_SCRIPT_BYTES:
            raise ScriptFailed(
                f"the script is longer than {MAX_SCRIPT_BYTES // 1024} KiB", code="size"
            )
        self._source, self._limits = source, limits
        self._lock = threading.Lock()
        self._stack: contextlib.ExitStack | None = None
        self._session: Any = None
        self._call = ""
        self._n_calls = 0
        with self._lock:
            self._open()

    def run(self, records: Sequence[Any]) -> list[Any]:
        """The prepared records. Raises ScriptFailed."""
        with self._lock:
            if self._session is None:
                self._open()
            found = self._feed(self._call, records)
        if not isinstance(found, list):
            raise ScriptFailed(f"the script returned no list for {len(records)} records")
        if len(found) != len(records):
            raise ScriptFailed(f"the script returned {len(found)} for {len(records)} records")
        for place, each in enumerate(found, 1):
            if not isinstance(each, dict):
                kind = type(each).__name__
                raise ScriptFailed(f"prepare returned {kind} for record {place}; a dict is wanted")
        return found

    def close(self) -> None:
        """End the sandbox's process."""
        if self._stack is not None:
            self._stack.close()
        self._stack = self._session = None

    def _open(self) -> None:
        import pydantic_monty

        limits = self._limits
        self.close()
        stack = contextlib.ExitStack()
        try:
            pool = stack.enter_context(
                pydantic_monty.Monty(
                    max_processes=1, min_processes=1, request_timeout=limits.time_s + 4
                )
            )
            self._session = stack.enter_context(
                pool.checkout(
                    limits={
                        "max_feed_duration_secs": limits.time_s,
                        "max_memory": limits.memory_bytes,
                        "max_recursion_depth": limits.recursion,
                    },
                )
            )
        except BaseException:
            stack.close()
            raise
        self._stack = stack
        self._feed_code(self._source)
        self._call = self._choose()

    def _choose(self) -> str:
        for name, call in (
            ("prepare_all", "prepare_all(_records)"),
            ("prepare", "[prepare(_each) for _each in _records]"),
        ):
            if self._feed_code(_DEFINED.format(name=name)) is True:
                return call
        self.close()
        raise ScriptFailed("the script defines neither prepare(record) nor prepare_all(records)")

    def _feed(self, call: str, records: Sequence[Any]) -> Any:
        found = self._feed_code(call, inputs={"_records": list(records)})
        try:
            size = len(orjson.dumps(found))
        except (TypeError, orjson.JSONEncodeError) as error:
            text = "the script returned a value that JSON cannot hold"
            raise ScriptFailed(text) from error
        if size > MAX_OUTPUT_BYTES:
            raise ScriptFailed(
                f"the script returned more than {MAX_OUTPUT_BYTES >> 20} MiB", code="size"
            )
        return found

    def _feed_code(self, code: str, inputs: dict[str, Any] | None = None) -> Any:
        import pydantic_monty

        printed = pydantic_monty.CollectString(max_bytes=MAX_PRINT_BYTES)
        try:
            return self._session.feed_run(code, inputs=inputs, print_callback=printed)
        except pydantic_monty.MontyCrashedError as error:
            self.close()
            raise ScriptFailed(
                "the script took too long or too much memory and was ended", code="limit"
            ) from error
        except pydantic_monty.MontyError as error:
            raise _failure(error) from error
        except (RuntimeError, ValueError, MemoryError, RecursionError) as error:
            self.close()
            raise ScriptFailed(
                f"the script was stopped: {_first_line(error)}", code="limit"
            ) from error


_LIMIT_ERRORS = ("TimeoutError", "MemoryError", "RecursionError")


def _failure(error: Any) -> ScriptFailed:
    """The line of the script and what went wrong there."""
    line: int | None = None
    with contextlib.suppress(Exception):
        # The script is what the session was fed first; what calls it comes later.
        frames = [each for each in error.traceback() if each.filename == FIRST_FEED]
        line = frames[-1].line
    text = _first_line(error)
    with contextlib.suppress(Exception):
        text = error.display("type-msg")
    code = "limit" if text.startswith(_LIMIT_ERRORS) else "script"
    where = f"line {line}: " if line else ""
    return ScriptFailed(f"{where}{text[:300]}", line=line, code=code)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:300]
