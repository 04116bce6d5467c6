"""Understand a file that somebody uploaded: in a child process with limits, which tries one prediction."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from jobs.engines.scoring import formats
from jobs.engines.scoring.description import ModelDescription
from jobs.engines.scoring.errors import RefusedModel
from jobs.engines.scoring.limits import child_command, clean_environment
from jobs.engines.scoring.runtime import Record

INSPECT_TIMEOUT_S = 30.0
INSPECT_MEMORY_BYTES = 1024 * 2**20
TRIAL_SHARE, MAX_TRIAL_S = 0.6, 5.0
"""Of the time allowed, what the trial prediction may take once the model is loaded."""
# A JVM told to leave when its heap is full ends with this code.
JVM_OUT_OF_MEMORY = 3
MAX_ANSWER_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found out about a file that may be served."""

    description: ModelDescription
    sample_record: Record
    sample_outputs: Record
    """What the model answered to the sample record."""


def inspect_file(
    path: Path,
    *,
    timeout_s: float = INSPECT_TIMEOUT_S,
    memory_bytes: int = INSPECT_MEMORY_BYTES,
) -> Inspection:
    """Describe a model file after a trial prediction. Raises RefusedModel, whose message may be shown as it is.

    Nothing of the file runs in this process; whatever the file does, the answer comes within `timeout_s` and a
    moment.
    """
    formats.recognise(path)
    order = {
        "do": "inspect",
        "path": str(path.resolve()),
        "trial_s": min(MAX_TRIAL_S, timeout_s * TRIAL_SHARE),
    }
    answer = ask_child(order, timeout_s=timeout_s, memory_bytes=memory_bytes)
    if answer.get("error"):
        raise RefusedModel(answer["message"], answer["code"])
    return Inspection(
        ModelDescription.from_json(answer["description"]),
        answer["sample_record"],
        answer["sample_outputs"],
    )


def ask_child(order: Mapping[str, Any], *, timeout_s: float, memory_bytes: int) -> dict[str, Any]:
    """Have an order done in a limited child; its answer. `error`, `code` and `message` say what went wrong."""
    with tempfile.TemporaryDirectory(prefix="scoring-") as folder:
        process = subprocess.Popen(  # noqa: S603 - our own module
            child_command("child"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={**clean_environment(), "TMPDIR": folder},
            start_new_session=True,
        )
        sent = orjson.dumps({**order, "memory_bytes": memory_bytes, "timeout_s": timeout_s})
        try:
            out, _ = process.communicate(sent, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            text = f"the model was not done within {timeout_s:g} s"
            return {"error": "limit", "code": "timeout", "message": text}
        finally:
            _end_group(process)
    return _answer_of(process.returncode, out, memory_bytes)


def _answer_of(code: int, out: bytes, memory_bytes: int) -> dict[str, Any]:
    with contextlib.suppress(orjson.JSONDecodeError):
        found = orjson.loads(out.rstrip().rpartition(b"\n")[2])
        if isinstance(found, dict):
            return found
    if code in (JVM_OUT_OF_MEMORY, -signal.SIGKILL, -signal.SIGABRT):
        text = f"the model needs more than {memory_bytes // 2**20} MiB of memory"
        return {"error": "limit", "code": "memory", "message": text}
    if code == -signal.SIGXCPU:
        text = "the model used up the processor time that it may take"
        return {"error": "limit", "code": "timeout", "message": text}
    text = "the engine broke down on this model"
    return {"error": "refused", "code": "crash", "message": text}


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
