"""What the bench of clonal clustering measures with: one process, and how good its clusters are.

Every process has one thread. Truth stands in a table beside the input (NAME.truth.tsv) or in extra
columns of the input itself."""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
Truth = dict[tuple[str, str], tuple[str, float | None]]
"""(mutation, sample) -> its true cluster and prevalence."""


def run(command: list[str], *, expected: int = 0) -> dict[str, Any]:
    """CPU seconds, seconds and peak memory of a process, and what it printed."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, env=os.environ | ONE_THREAD, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        said = {"stdout": output.read(), "stderr": errors.read()}
    if process.returncode != expected:
        last = said["stderr"].strip().rpartition("\n")[2]
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {last}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return {"cpu_s": cpu_s, "seconds": seconds, "mb": usage.ru_maxrss / 1024} | said


def ours(paths: list[Path], out: Path, options: list[str]) -> dict[str, Any]:
    """The command line of our engine: reading, clustering, writing the tables.

    Without plots, as PyClone-VI draws none either."""
    command = [sys.executable, "-m", "jobs.engines.clonal", *map(str, paths)]
    return _with_json(run([*command, "--out", str(out), "--json", "--no-plots", *options]))


def random_starts(path: Path, out: Path, options: list[str]) -> dict[str, Any]:
    """The published algorithm in numpy (clonal_random_starts.py) on a table."""
    worker = Path(__file__).with_name("clonal_random_starts.py")
    return _with_json(run([sys.executable, str(worker), str(path), str(out), *options]))


def quality(truth: Truth, loci: Path) -> dict[str, float | None]:
    """V-measure and mean prevalence error of a table of mutations; None where nothing is known."""
    from jobs.engines import clonal

    if not truth:
        return {"v": None, "error": None}
    rows = {(row["mutation_id"], row["sample_id"]): row for row in table(loci)}
    keys = sorted(rows.keys() & truth.keys())
    labels = [[truth[key][0] for key in keys], [rows[key]["cluster_id"] for key in keys]]
    known, found = (np.unique(column, return_inverse=True)[1] for column in labels)
    errors = [
        abs(float(rows[key]["cellular_prevalence"]) - prevalence)
        for key in keys
        if (prevalence := truth[key][1]) is not None
    ]
    v_measure = clonal.agreement(known, found).v_measure
    return {"v": v_measure, "error": float(np.mean(errors)) if errors else None}


def truth_of(path: Path) -> Truth:
    """What is known about an input; empty when nothing is."""
    beside = path.with_suffix(".truth.tsv")
    rows = table(beside if beside.exists() else path)
    columns = {"true_cluster": "true_ccf", "cluster": "ccf", "variant_cases": None}
    label = next((name for name in columns if name in rows[0]), None)
    if label is None:
        return {}
    prevalence = columns[label]
    return {
        (row["mutation_id"], row["sample_id"]): (
            row[label],
            float(row[prevalence]) if prevalence else None,
        )
        for row in rows
    }


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a tab-separated file."""
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def _with_json(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures of a process and of the JSON object that it printed last, without the texts."""
    said = json.loads(figures["stdout"].splitlines()[-1])
    kept = {name: value for name, value in figures.items() if name not in ("stdout", "stderr")}
    return said | kept
