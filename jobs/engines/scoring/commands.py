"""`run.py score`: predict the rows of a file with a model, without the portal."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from jobs.engines.scoring import formats
from jobs.engines.scoring.errors import RefusedModel
from jobs.engines.scoring.inspection import ask_child

EXIT_REFUSED = 2
EXIT_INPUT = 3
EXIT_LIMIT = 4
TIMEOUT_S = 600.0
TRIAL_S = 5.0
"""A model that has not answered one record by then is given up, so that the verdict comes within ten seconds."""
MEMORY_MIB = 1024
MIN_MEMORY_MIB, MAX_MEMORY_MIB = 64, 2**22
MAX_TIMEOUT_S = 7 * 86_400.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("model", type=Path, help="a PMML or ONNX file")
    parser.add_argument("input", type=Path, nargs="?", help="records: a CSV or JSON file")
    parser.add_argument("--out", type=Path, metavar="OUT.json", help="where the outputs go")
    parser.add_argument("--describe", action="store_true", help="print what the model is")
    parser.add_argument(
        "--timeout", type=float, default=TIMEOUT_S, metavar="S", help="seconds for all of it (600)"
    )
    parser.add_argument(
        "--memory", type=int, default=MEMORY_MIB, metavar="MiB", help="memory of the engine (1024)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Score or describe. 2: the model is refused or the usage wrong, 3: the input, 4: out of time or memory."""
    if wrong := _wrong_usage(arguments):
        return _complain(wrong, EXIT_REFUSED)
    try:
        if not arguments.model.is_file():
            raise RefusedModel("there is no such file", "file")
        formats.recognise(arguments.model)
    except RefusedModel as error:
        return _complain(f"{arguments.model.name}: {error.reason}", EXIT_REFUSED)
    except OSError as error:
        return _complain(f"{arguments.model.name}: {error.strerror}", EXIT_REFUSED)
    return _describe(arguments) if arguments.describe else _score(arguments)


def _wrong_usage(arguments: argparse.Namespace) -> str:
    if not 0 < arguments.timeout <= MAX_TIMEOUT_S:
        return f"--timeout must be more than 0 seconds and at most {MAX_TIMEOUT_S:.0f} (a week)"
    if not MIN_MEMORY_MIB <= arguments.memory <= MAX_MEMORY_MIB:
        return f"--memory must be {MIN_MEMORY_MIB} to {MAX_MEMORY_MIB} MiB"
    if arguments.describe:
        return ""
    if arguments.input is None or arguments.out is None:
        return "give MODEL INPUT --out OUT.json, or MODEL --describe"
    if not arguments.out.parent.is_dir():
        return f"--out: there is no folder {arguments.out.parent}"
    return ""


def _describe(arguments: argparse.Namespace) -> int:
    answer = _ask(arguments, do="describe")
    if answer.get("error"):
        return _fail(arguments, answer)
    print(json.dumps(answer["described"], ensure_ascii=False, indent=2))
    return 0


def _score(arguments: argparse.Namespace) -> int:
    if not arguments.input.is_file():
        return _complain(f"{arguments.input.name}: there is no such file", EXIT_INPUT)
    # Beside the result, so that it appears at once and whole, or not at all.
    with tempfile.NamedTemporaryFile(
        dir=arguments.out.parent, prefix=".score-", delete=False
    ) as partial:
        path = Path(partial.name)
    try:
        answer = _ask(
            arguments, do="score", input=str(arguments.input.resolve()), out=str(path.resolve())
        )
        if answer.get("error"):
            return _fail(arguments, answer)
        path.chmod(0o644)
        path.replace(arguments.out)
    except OSError as error:
        return _complain(f"--out: {error.strerror}", EXIT_REFUSED)
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
    return 0


def _ask(arguments: argparse.Namespace, **order: Any) -> dict[str, Any]:
    return ask_child(
        {
            **order,
            "path": str(arguments.model.resolve()),
            "name": arguments.model.stem,
            "trial_s": min(TRIAL_S, arguments.timeout),
        },
        timeout_s=arguments.timeout,
        memory_bytes=arguments.memory * 2**20,
    )


def _fail(arguments: argparse.Namespace, answer: dict[str, Any]) -> int:
    codes = {"refused": EXIT_REFUSED, "input": EXIT_INPUT, "limit": EXIT_LIMIT}
    about = arguments.input if answer["error"] == "input" else arguments.model
    return _complain(f"{about.name}: {answer['message']}", codes[answer["error"]])


def _complain(text: str, code: int) -> int:
    print(f"run.py score: {text}", file=sys.stderr)
    return code
