"""Scores the sample files of a folder with their sample inputs, in one process (one JVM); prints what differs.

Run as a module: a JVM must not be started in the process of the tests.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

from jobs.engines.scoring import Scorer, sample_record, validate

RELATIVE = {"pmml": 1e-5, "onnx": 1e-3}


def main() -> None:
    found = {}
    for path in sorted(Path(sys.argv[1]).iterdir()):
        if path.suffix != ".json":
            found[path.name] = check(path)
    print(json.dumps(found))


def check(path: Path) -> str:
    """Empty when all outputs are as expected."""
    sample = json.loads(path.with_suffix(".sample.json").read_text())
    scorer = Scorer(path, memory_bytes=512 * 2**20)
    tolerance = RELATIVE[scorer.description.format]
    if problems := validate(scorer.description, [sample_record(scorer.description)]):
        return f"the sample record does not fit: {problems[0]}"
    if "cases" in sample:
        return next(filter(None, (onnx(scorer, case, tolerance) for case in sample["cases"])), "")
    outputs = scorer.score(sample["records"]).outputs
    # A single record takes another way through the engine than a table does.
    for row, record in enumerate(sample["records"][:20]):
        (alone,) = scorer.score([record]).outputs
        if repr(alone) != repr(outputs[row]):
            return f"row {row} alone: {alone!r} instead of {outputs[row]!r}"
    for row, (got, wanted) in enumerate(zip(outputs, sample["expected"], strict=True)):
        for name, value in wanted.items():
            if not same(got.get(name), value, tolerance):
                return f"row {row}, {name}: {got.get(name)!r} instead of {value!r}"
    return ""


def onnx(scorer: Scorer, case: dict[str, Any], tolerance: float) -> str:
    record = {name: nested(tensor) for name, tensor in case["inputs"].items()}
    (got,) = scorer.score([record]).outputs
    for name, tensor in case["outputs"].items():
        wanted = nested(tensor) if isinstance(tensor, dict) and "data" in tensor else tensor
        if not same(got[name], wanted, tolerance):
            return f"{name}: {str(got[name])[:80]} instead of {str(wanted)[:80]}"
    return ""


def nested(tensor: dict[str, Any]) -> Any:
    data = tensor["data"]
    for size in reversed(tensor["shape"][1:]):
        data = [data[place : place + size] for place in range(0, len(data), size)]
    return data


def same(got: Any, wanted: Any, tolerance: float) -> bool:
    if isinstance(wanted, dict):
        return got.keys() == wanted.keys() and all(same(got[k], wanted[k], tolerance) for k in got)
    if isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(same, got, wanted, [tolerance] * len(got)))
    if isinstance(wanted, float | int) and isinstance(got, float | int):
        return math.isclose(got, wanted, rel_tol=tolerance, abs_tol=1e-6)
    return bool(got == wanted)


if __name__ == "__main__":
    main()
