"""Our clonal clustering beside PyClone-VI: CPU seconds of the whole process, ELBO, V-measure.

    python bench/clonal.py [--quick] [--json]

PyClone-VI is on no package index. Where `pyclone-vi` is on PATH, or ATRIUM_PYCLONE_VI names it, it is
run on the same files in turn with ours; elsewhere ours is compared with figures of it measured on
another machine (version 0.1.6), so that only ratios of ELBO and V-measure are exact. Every run is a
process of its own with one thread. A ratio below 1 means that ours takes less. Exit code 1: a bar is
missed."""

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = Path(os.environ.get("ATRIUM_SHARED_DATA", ROOT.parent / "shared" / "data")) / "clonal"
PEER = os.environ.get("ATRIUM_PYCLONE_VI") or shutil.which("pyclone-vi")
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


@dataclass(frozen=True)
class Case:
    """A file, the setting of the comparison, and what PyClone-VI 0.1.6 gave with it."""

    name: str
    files: tuple[str, ...]
    elbo: float
    peer_cpu_s: float
    peer_v: float | None = None
    peer_error: float | None = None
    true_clusters: int | None = None
    best_v: float | None = None
    options: tuple[str, ...] = (
        "--density",
        "beta-binomial",
        "--clusters",
        "40",
        "--restarts",
        "10",
    )
    is_quick: bool = True

    @property
    def paths(self) -> list[Path]:
        return [SHARED_DATA / name for name in self.files]


BINOMIAL = ("--density", "binomial", "--clusters", "20", "--restarts", "3")
CASES = [
    Case("d01", ("synthetic/d01_n60_s2_k3_d500_bb.tsv",), -634.0, 8.2, 1.0, 0.011, 3, 1.0),
    Case("d02", ("synthetic/d02_n150_s3_k5_d200_bb.tsv",), -1884.3, 8.3, 0.820, 0.045, 5, 0.825),
    Case("d03", ("synthetic/d03_n1000_s4_k7_d100_bb.tsv",), -12191.1, 22.2, 0.777, 0.029, 7, 0.785),
    Case(
        "d04",
        ("synthetic/d04_n5000_s2_k6_d200_bin.tsv",),
        -38071.7,
        21.6,
        0.733,
        0.029,
        6,
        0.783,
        options=BINOMIAL,
        is_quick=False,
    ),
    Case("synthetic", ("pyclone_vi/synthetic.tsv",), -1612.6, 10.7, 0.894, 0.026),
    Case("mixing_small", ("pyclone_vi/mixing_small.tsv",), -375.3, 8.6, 1.0),
    Case("tracerx", ("pyclone_vi/tracerx.tsv",), -17471.8, 38.0, is_quick=False),
    Case("cp08", ("pyclone/cp08/cp08_t1.tsv", "pyclone/cp08/cp08_t2.tsv"), -2198.5, 11.6),
    Case("cp18", ("pyclone/cp18/cp18_t1.tsv", "pyclone/cp18/cp18_t2.tsv"), -2155.7, 10.2),
]
SIMULATED = {
    "500 x 4": (("--mutations", "500", "--sample-count", "4", "--true-clusters", "8"), 5.0, True),
    "20,000 x 4": (
        ("--mutations", "20000", "--sample-count", "4", "--true-clusters", "12"),
        120.0,
        False,
    ),
}


def main() -> int:
    options = _options()
    if not SHARED_DATA.is_dir():
        print(f"the sample data is not in {SHARED_DATA}")
        return 1
    cases = [case for case in CASES if case.is_quick or not options.quick]
    with tempfile.TemporaryDirectory() as folder:
        results = {case.name: _measure(case, Path(folder)) for case in cases}
        sizes = {
            name: _simulated(arguments, Path(folder))
            for name, (arguments, _, is_quick) in SIMULATED.items()
            if is_quick or not options.quick
        }
    missed = [text for case in cases for text in _missed(case, results[case.name])]
    missed += [
        f"{name}: {figures['cpu_s']:.1f} CPU s, {figures['mb']:.0f} MB"
        for name, figures in sizes.items()
        if figures["cpu_s"] > SIMULATED[name][1] or figures["mb"] > 700
    ]
    _print(cases, results, sizes, missed)
    if options.json:
        ratios = {
            f"{case.name}: {what}": round(ratio, 4)
            for case in cases
            for what, ratio in _ratios(case, results[case.name]).items()
        }
        summary = {"bench": "clonal", "peer": PEER or "reference figures", "ratios": ratios}
        print(json.dumps(summary | {"results": results, "sizes": sizes, "missed": missed}))
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small files only")
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    return parser.parse_args()


# --- measuring ---


def _measure(case: Case, folder: Path) -> dict[str, dict[str, Any]]:
    same = [*case.options, "--grid", "100", "--precision", "200"]
    results = {
        "same setting": _ours(case, folder / f"{case.name}-same", same),
        "default": _ours(case, folder / f"{case.name}-default", []),
    }
    if PEER:
        results["peer"] = _peer(case, folder / f"{case.name}-peer")
    else:
        results["peer"] = {
            "elbo": case.elbo,
            "cpu_s": case.peer_cpu_s,
            "v": case.peer_v,
            "error": case.peer_error,
        }
    return results


def _ours(case: Case, out: Path, options: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "jobs.engines.clonal", *map(str, case.paths)]
    figures = _run([*command, "--out", str(out), "--json", *options])
    figures |= json.loads(figures.pop("stdout").splitlines()[-1])
    return figures | _quality(case, out / "tables" / "loci.tsv")


def _simulated(arguments: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """An analysis by defaults of a table that was simulated before."""
    out = folder / "simulated"
    base = [sys.executable, "-m", "jobs.engines.clonal", "--out", str(out), "--json"]
    _run([*base, "--simulate", "--no-analysis", *arguments])
    figures = _run([*base, str(out / "simulated.tsv")])
    return figures | json.loads(figures.pop("stdout").splitlines()[-1])


def _peer(case: Case, out: Path) -> dict[str, Any]:
    """PyClone-VI on the same mutations: fit and write, as one measurement."""
    from jobs.engines import clonal

    out.mkdir()
    table, trace, result = (out / name for name in ("in.tsv", "fit.h5", "loci.tsv"))
    table.write_text(clonal.long_tsv(clonal.read_mutations(*case.paths)))
    density, clusters, restarts = case.options[1::2]
    fit = ["fit", "-i", table, "-o", trace, "-d", density, "-c", clusters, "-r", restarts]
    first = _run([str(PEER), *map(str, fit), "--seed", "1"])
    second = _run([str(PEER), "write-results-file", "-i", str(trace), "-o", str(result)])
    found = re.findall(r"ELBO:?\s*(-?[0-9.]+)", first["stdout"])
    cpu_s = first["cpu_s"] + second["cpu_s"]
    elbo = float(found[-1]) if found else case.elbo
    return {"elbo": elbo, "cpu_s": cpu_s, "mb": first["mb"]} | _quality(case, result)


def _run(command: list[str]) -> dict[str, Any]:
    """CPU seconds and peak memory of a process, and what it printed."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, env=os.environ | ONE_THREAD, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        output.seek(0)
        cpu_s = usage.ru_utime + usage.ru_stime
        return {"cpu_s": cpu_s, "mb": usage.ru_maxrss / 1024, "stdout": output.read()}


# --- quality ---


def _quality(case: Case, loci: Path) -> dict[str, float | None]:
    """V-measure and prevalence error, where the truth is known."""
    from jobs.engines import clonal

    truth = _truth(case)
    if not truth:
        return {"v": None, "error": None}
    rows = {(row["mutation_id"], row["sample_id"]): row for row in _table(loci)}
    keys = sorted(rows.keys() & truth.keys())
    labels = [[truth[key][0] for key in keys], [rows[key]["cluster_id"] for key in keys]]
    known, found = (np.unique(column, return_inverse=True)[1] for column in labels)
    errors = [
        abs(float(rows[key]["cellular_prevalence"]) - truth[key][1])
        for key in keys
        if truth[key][1] is not None
    ]
    v_measure = clonal.agreement(known, found).v_measure
    return {"v": v_measure, "error": float(np.mean(errors)) if errors else None}


def _truth(case: Case) -> dict[tuple[str, str], tuple[str, Any]]:
    path = case.paths[0]
    truth = path.with_suffix(".truth.tsv")
    rows = _table(truth if truth.exists() else path)
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


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


# --- the report ---


def _ratios(case: Case, result: dict[str, dict[str, Any]]) -> dict[str, float]:
    peer, same, default = result["peer"], result["same setting"], result["default"]
    ratios = {
        "CPU, same setting": same["cpu_s"] / peer["cpu_s"],
        "CPU, default": default["cpu_s"] / peer["cpu_s"],
        "ELBO": same["elbo"] / peer["elbo"],
    }
    if peer["v"]:
        ratios["V-measure, default"] = default["v"] / peer["v"]
    if peer["error"]:
        ratios["prevalence error, default"] = default["error"] / peer["error"]
    return ratios


def _missed(case: Case, result: dict[str, dict[str, Any]]) -> list[str]:
    """The bars that are not reached. Figures of the table have three digits behind the point."""
    peer, same, default = result["peer"], result["same setting"], result["default"]
    most_cpu = 1 / 8 if same["mutations"] <= 500 else 1 / 4
    bars = {
        "ELBO": same["elbo"] >= peer["elbo"] - max(0.5, 1e-4 * abs(peer["elbo"])),
        "CPU, same setting": same["cpu_s"] <= most_cpu * peer["cpu_s"],
        "CPU, default": default["cpu_s"] <= most_cpu * peer["cpu_s"],
        "V-measure": peer["v"] is None or default["v"] >= peer["v"] - 0.0005,
        "best V-measure": case.best_v is None or default["v"] >= case.best_v - 0.01,
        "clusters": case.true_clusters in (None, default["clusters"]),
        "prevalence error": peer["error"] is None or default["error"] <= peer["error"] + 0.0005,
    }
    return [f"{case.name}: {name}" for name, is_reached in bars.items() if not is_reached]


def _print(
    cases: list[Case],
    results: dict[str, dict[str, dict[str, Any]]],
    sizes: dict[str, dict[str, Any]],
    missed: list[str],
) -> None:
    if not PEER:
        print("PyClone-VI is not installed here: compared with figures from another machine.\n")
    columns = ("elbo", "clusters", "v", "error", "cpu_s", "mb")
    print(f"{'':28}" + "".join(f"{name:>11}" for name in columns))
    for case in cases:
        for who, figures in results[case.name].items():
            cells = "".join(_cell(figures.get(name)) for name in columns)
            print(f"{case.name + ', ' + who:28}{cells}")
        for what, ratio in _ratios(case, results[case.name]).items():
            print(f"    {what + ', ours / PyClone-VI':44}{ratio:8.3f}")
    for name, figures in sizes.items():
        print(f"{name}: {figures['cpu_s']:.1f} CPU s, {figures['mb']:.0f} MB by default")
    print("\nmissed: " + ("; ".join(missed) or "none"))


def _cell(value: float | None) -> str:
    return f"{'-':>11}" if value is None else f"{value:11.5g}"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
