"""The inside of a limited child: one order as JSON on standard input, one line of JSON as the answer."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from jobs.engines.scoring.description import documented
from jobs.engines.scoring.errors import (
    InvalidInput,
    OutOfMemory,
    OutOfTime,
    PredictionFailed,
    RefusedModel,
)
from jobs.engines.scoring.limits import limit_process

CHUNK_ROWS = 1000


def main() -> int:
    order = orjson.loads(sys.stdin.buffer.read())
    # Libraries may print: the answer goes out on a descriptor of its own.
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    limit_process(memory_bytes=order["memory_bytes"], cpu_s=math.ceil(order["timeout_s"]) + 5)
    answer = _done(order)
    with os.fdopen(answers, "wb") as out:
        out.write(orjson.dumps(answer, option=orjson.OPT_NON_STR_KEYS) + b"\n")
    # Without the interpreter's end: a JVM's threads may hold it up.
    sys.stdout.flush()
    os._exit(0)


def _done(order: dict[str, Any]) -> dict[str, Any]:
    try:
        return _ORDERS[order["do"]](order)
    except InvalidInput as error:
        problems = [problem.to_json() for problem in error.problems[:20]]
        return _error("input", "input", str(error.problems[0]), problems=problems)
    except RefusedModel as error:
        return _error("refused", error.code, error.reason)
    except PredictionFailed as error:
        limit = isinstance(error, OutOfTime | OutOfMemory)
        return _error("limit" if limit else "refused", error.code, str(error))
    except MemoryError:
        return _error("limit", "memory", "the model needs more memory than it may use")
    except OSError as error:
        return _error("input", "file", f"{error.strerror}: {error.filename}")


def _error(error: str, code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"error": error, "code": code, "message": " ".join(message.split())[:400], **more}


def _loaded(order: dict[str, Any]) -> Any:
    from jobs.engines.scoring.scorer import Scorer

    return Scorer(Path(order["path"]), memory_bytes=order["memory_bytes"])


def _inspect(order: dict[str, Any]) -> dict[str, Any]:
    from jobs.engines.scoring.samples import sample_record

    scorer = _loaded(order)
    record = sample_record(scorer.description)
    outputs = _trial(scorer, record, order["trial_s"])
    return {
        "description": scorer.description.to_json(),
        "sample_record": record,
        "sample_outputs": outputs,
    }


def _trial(scorer: Any, record: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    """What the model answers to its sample record; a model that cannot do that is refused."""
    try:
        found: dict[str, Any] = scorer.score([record], timeout_s=timeout_s).outputs[0]
    except OutOfTime as error:
        reason = f"the model did not answer a sample record within {timeout_s:g} s"
        raise OutOfTime(reason) from error
    except OutOfMemory as error:
        raise OutOfMemory(
            "the model asks for more memory than it may use to answer one record"
        ) from error
    except PredictionFailed as error:
        raise RefusedModel(f"the model loads, but cannot be scored: {error}", "trial") from error
    if not found:
        raise RefusedModel("the model loads, but gives no output", "trial")
    return found


def _describe(order: dict[str, Any]) -> dict[str, Any]:
    scorer = _loaded(order)
    path = Path(order["path"])
    changed = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(path.stat().st_mtime))
    said = scorer.description
    shown = documented(said, name=said.name or order["name"], time=changed)
    more = {
        "format": said.format,
        "formatversion": said.format_version,
        "version": said.version,
        "producer": said.producer,
        "sha256": said.sha256,
        "size": said.size_bytes,
    }
    return {"described": {**shown, **more}}


def _score(order: dict[str, Any]) -> dict[str, Any]:
    from jobs.engines.scoring.inputs import read_rows
    from jobs.engines.scoring.samples import sample_record

    scorer = _loaded(order)
    _trial(scorer, sample_record(scorer.description), order["trial_s"])
    n_rows = 0
    with open(order["out"], "wb") as out:  # noqa: PTH123 - a path that the parent made
        out.write(b"[")
        for chunk in _chunks(read_rows(Path(order["input"]), scorer.description)):
            scored = scorer.score(chunk, first_row=n_rows + 1)
            for record in scored.outputs:
                out.write(b",\n" if n_rows else b"\n")
                out.write(orjson.dumps(record, option=orjson.OPT_NON_STR_KEYS))
                n_rows += 1
        out.write(b"\n]\n")
    return {"n_rows": n_rows}


def _chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk


_ORDERS = {"inspect": _inspect, "describe": _describe, "score": _score}

if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
