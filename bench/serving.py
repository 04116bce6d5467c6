"""Our model service beside MLServer, MLflow, BentoML and a bare Flask application: latency, throughput, CPU.

    python bench/serving.py [--quick] [--json] [--only PEER ...] [--part servers|batch]

One forest of 100 trees, as the same ONNX file where a server can (the scikit-learn model it was made of where that is
what a server's users get); one row a request, 1 and 8 connections kept open, rounds in turns; the median of the rounds
counts, and a ratio is the median of the ratios within each round. Every answer of every server is compared with
onnxruntime's own. CPU is that of a server's whole process tree: ours are the prediction server, the keeper and all
replicas, with authentication, validation and counting on; the peers have none of these. Then PMML beside ONNX, and
a batch file through the job runner. The peers are installed from bench/serving-*.lock into .bench/serving-*.
Exit code 1: an answer was wrong."""

import argparse
import json
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from workers import serving_batch, serving_models, serving_targets
from workers.serving_client import drive
from workers.serving_targets import Answer, Target

WARM_UP_S = 0.5
PEERS = ("bare_flask", "mlserver", "mlflow", "bentoml")
RATIOS = (
    ("p50_vs_mlserver_onnx", "p50_ms", "atrium", "mlserver_onnx"),
    ("throughput8_vs_mlserver_onnx", "rate8", "atrium", "mlserver_onnx"),
    ("cpu_vs_mlserver_onnx", "cpu_us", "atrium", "mlserver_onnx"),
    ("cpu8_vs_mlserver_onnx", "cpu8_us", "atrium", "mlserver_onnx"),
    ("p50_vs_mlserver_sklearn", "p50_ms", "atrium", "mlserver_sklearn"),
    ("p50_vs_mlflow", "p50_ms", "atrium", "mlflow_sklearn"),
    ("p50_vs_bentoml", "p50_ms", "atrium", "bentoml_sklearn"),
    ("p50_vs_bentoml_onnx", "p50_ms", "atrium", "bentoml_onnx"),
    ("cpu_vs_bare_flask", "cpu_us", "atrium", "bare_flask"),
    ("cpu8_vs_bare_flask", "cpu8_us", "atrium", "bare_flask"),
    ("pmml_vs_onnx_row", "p50_ms", "atrium_tree_pmml", "atrium_tree_onnx"),
)


@dataclass(frozen=True)
class Figures:
    """One round of one server: with 1 connection, with 8 connections."""

    p50_ms: float
    p95_ms: float
    rate: float
    """Answers a second."""
    cpu_us: float
    """Processor time for each answer."""
    p50_8_ms: float
    p95_8_ms: float
    rate8: float
    cpu8_us: float
    rss_mb: float
    wrong: int


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = Path(folder)
        models = place / "models"
        serving_models.write(models)
        targets, portal = _start(place, models, options.only, stack)
        rounds: dict[str, list[Figures]] = {each.name: [] for each in targets}
        for number in range(options.rounds):
            # In turns, and each round another first, so that a busy minute hits all alike.
            turn = number % len(targets)
            for target in targets[turn:] + targets[:turn]:
                rounds[target.name].append(_measure(target, options.seconds))
        print(f"{options.rounds} rounds are done", file=sys.stderr)
        batches = (
            []
            if options.part == "servers"
            else serving_batch.measure(place, portal, quick=options.quick)
        )
    results = {name: _median(taken) for name, taken in rounds.items() if taken}
    ratios = _ratios(rounds) | serving_batch.ratios(batches)
    wrong = sum(each.wrong for taken in rounds.values() for each in taken)
    _print(results, ratios, batches, wrong)
    if options.json:
        report = {"bench": "serving", "ratios": ratios, "wrong_answers": wrong}
        print(json.dumps(report | {"results": results, "batches": batches}))
    return 1 if wrong or any(each["wrong"] for each in batches) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=cast(str, __doc__).splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="fewer and shorter rounds, a smaller batch"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    parser.add_argument("--only", nargs="+", choices=PEERS, default=None, metavar="PEER")
    parser.add_argument("--rounds", type=int, help="rounds (5; quick: 3)")
    parser.add_argument("--part", choices=("servers", "batch"), help="only this part")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.seconds = 1.5 if options.quick else 3.0
    options.only = PEERS if options.only is None else options.only
    if options.part == "batch":
        options.rounds, options.only = 0, []
    return options


def _start(
    place: Path, models: Path, peers: list[str], stack: ExitStack
) -> tuple[list[Target], dict[str, Any]]:
    """Every server, running and warm."""
    rows = serving_models.rows()
    targets, portal = serving_targets.ours(place, models, rows)
    for server in {each.server for each in targets}:
        stack.callback(server.stop)
    for peer in peers:
        made = getattr(serving_targets, peer)(place, models, rows)
        made = made if isinstance(made, list) else [made]
        for each in made:
            stack.callback(each.server.stop)
        targets += made
    expected = {name: _expected(models / f"{name}.onnx", rows) for name in ("forest", "tree")}
    portal["labels"] = [label for label, _shares in expected["tree"]]
    for target in targets:
        target.expected = expected["tree" if "tree" in target.name else "forest"]
        target.wait()
        drive(target.port, target.requests, connections=8, seconds=WARM_UP_S)
    return targets, portal


def _expected(path: Path, rows: list[list[float]]) -> list[Answer]:
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))
    labels, shares = session.run(None, {serving_models.INPUT: np.array(rows, dtype=np.float32)})
    return list(zip(labels.tolist(), shares.tolist(), strict=True))


def _measure(target: Target, seconds: float) -> Figures:
    figures: dict[str, float] = {}
    wrong = 0
    for connections, mark in ((1, ""), (8, "8")):
        drive(target.port, target.requests, connections=connections, seconds=0.1)
        cpu = target.server.cpu_s()
        load = drive(target.port, target.requests, connections=connections, seconds=seconds)
        cpu = target.server.cpu_s() - cpu
        wrong += target.wrong(load.answers)
        n = len(load.latencies_s)
        taken = sorted(load.latencies_s)
        middle = "_8" if mark else ""
        figures[f"p50{middle}_ms"] = 1e3 * taken[n // 2]
        figures[f"p95{middle}_ms"] = 1e3 * taken[int(0.95 * n)]
        figures[f"rate{mark}"] = n / load.seconds
        figures[f"cpu{mark}_us"] = 1e6 * cpu / n
    return Figures(**figures, rss_mb=target.server.rss_mb(), wrong=wrong)


def _median(rounds: list[Figures]) -> dict[str, float]:
    taken = [asdict(each) for each in rounds]
    return {key: round(statistics.median(each[key] for each in taken), 3) for key in taken[0]}


def _ratios(rounds: dict[str, list[Figures]]) -> dict[str, float]:
    """Within a round, whose servers the machine treated alike; the median of the rounds."""
    return {
        name: round(
            statistics.median(
                getattr(one, key) / getattr(other, key)
                for one, other in zip(rounds[ours], rounds[peer], strict=True)
            ),
            3,
        )
        for name, key, ours, peer in RATIOS
        if rounds.get(peer)
    }


def _print(
    results: dict[str, dict[str, float]],
    ratios: dict[str, float],
    batches: list[dict[str, Any]],
    wrong: int,
) -> None:
    columns = [each.name for each in fields(Figures) if each.name != "wrong"]
    print(f"| {'server':20} |" + "".join(f" {name:>8} |" for name in columns))
    print("|---|" + "---|" * len(columns))
    for server, figures in results.items():
        cells = "".join(f" {figures[name]:8.4g} |" for name in columns)
        print(f"| {server:20} |{cells}")
    print(f"\nwrong answers: {wrong}")
    for each in batches:
        print("batch", *(f"{key}={value}" for key, value in each.items()))
    for name, ratio in ratios.items():
        print(f"{name:32}{ratio:8.3f}")


if __name__ == "__main__":
    sys.exit(main())
