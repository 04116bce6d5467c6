"""The batch part of bench/serving.py: a file through the portal's job runner, its CPU for each row and its memory."""

import csv
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
from workers.serving_models import FIELDS, INPUT, rows
from workers.serving_targets import ROOT, WORKERS, Server

SMALL, LARGE, LARGE_QUICK = 1_000, 1_000_000, 50_000
LOOK_EVERY_S = 0.05


def measure(folder: Path, portal: dict[str, Any], *, quick: bool) -> list[dict[str, Any]]:
    """Figures of each batch: a small file, then a large one, by the tree as PMML and as ONNX."""
    place = folder / "batch"
    place.mkdir()
    worker = Server(
        "atrium_worker",
        [sys.executable, ROOT / "run.py", "worker", "--kinds", "serving.predict_batch"],
        portal["environment"],
        folder,
    )
    found = []
    try:
        for model in ("tree.pmml", "tree.onnx"):
            names = FIELDS if model.endswith("pmml") else [f"{INPUT}[{n}]" for n in range(4)]
            for n_rows in (SMALL, LARGE_QUICK if quick else LARGE):
                print(f"batch of {n_rows} rows by {model}", file=sys.stderr)
                path = _table(place / f"{model}-{n_rows}.csv", names, n_rows)
                number = portal["deployed"][model]["id"]
                found.append({"model": model} | _batch(path, number, n_rows, worker, portal))
    finally:
        worker.stop()
    return found


def ratios(batches: list[dict[str, Any]]) -> dict[str, float]:
    """What the bars are about: milliseconds of CPU a row, and memory that a large file takes beyond a small one."""
    found: dict[str, float] = {}
    for model in dict.fromkeys(each["model"] for each in batches):
        small, large = (each for each in batches if each["model"] == model)
        kind = model.rpartition(".")[2]
        found[f"batch_{kind}_ms_per_row"] = large["cpu_ms_per_row"]
        for what in ("worker", "replica"):
            growth = round(large[f"{what}_mb"] - small[f"{what}_mb"], 1)
            found[f"batch_{kind}_{what}_growth_mb"] = growth
    if found:
        growths = [value for name, value in found.items() if name.endswith("growth_mb")]
        found["batch_memory_growth_mb"] = max(growths)
    return found


def _batch(
    path: Path, deployment_id: int, n_rows: int, worker: Server, portal: dict[str, Any]
) -> dict[str, Any]:
    keeper: Server = portal["keeper"]
    peaks = _Peaks(worker, keeper)
    cpu = worker.cpu_s() + keeper.cpu_s()
    with peaks:
        command = [
            sys.executable,
            str(WORKERS / "serving_ours.py"),
            "batch",
            str(deployment_id),
            str(path),
        ]
        done = subprocess.run(
            command,
            env=os.environ | portal["environment"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    said = json.loads(done.stdout.splitlines()[-1])
    cpu = worker.cpu_s() + keeper.cpu_s() - cpu + said["cpu_s"]
    return {
        "rows": n_rows,
        "seconds": round(said["seconds"], 1),
        "cpu_ms_per_row": round(1e3 * cpu / n_rows, 4),
        "worker_mb": round(peaks.worker_mb, 1),
        "replica_mb": round(peaks.replica_mb, 1),
        "wrong": _wrong(Path(said["result"]), n_rows, portal["labels"]),
    }


class _Peaks:
    """The most memory that one process below the worker, and all replicas together, held meanwhile."""

    def __init__(self, worker: Server, keeper: Server) -> None:
        self._worker, self._keeper = worker, keeper
        self.worker_mb = self.replica_mb = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            self.worker_mb = max(self.worker_mb, *map(_rss_mb, self._worker.processes()))
            replicas = sum(map(_rss_mb, self._keeper.processes()[1:]))
            self.replica_mb = max(self.replica_mb, replicas)


def _rss_mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def _table(path: Path, names: Any, n_rows: int) -> Path:
    given = rows()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(given[number % len(given)] for number in range(n_rows))
    return path


def _wrong(path: Path, n_rows: int, labels: list[int]) -> int:
    """Rows of the result that are missing, twice, in the wrong place or wrongly answered."""
    n_right = number = 0
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), 1):
            label = row.get("predicted_species", row.get("label", ""))
            n_right += (row["row"], label) == (str(number), str(labels[(number - 1) % len(labels)]))
    return n_rows - n_right + abs(number - n_rows)
