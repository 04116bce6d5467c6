"""Our clonal clustering beside PyClone-VI: CPU seconds of the whole process, ELBO, V-measure.

    python bench/clonal.py [--quick] [--hard] [--json] [--only NAME ...]

PyClone-VI is on no package index. Where `pyclone-vi` is on PATH, or ATRIUM_PYCLONE_VI names it, it is
run on the same files in turn with ours; elsewhere ours is compared with figures of it measured on
another machine (version 0.1.6), so that only ratios of ELBO and V-measure are exact. Every run is a
process of its own with one thread, and writes tables but no plots, as PyClone-VI does. A ratio below 1
means that ours takes less. Then sizes by defaults, and the check of a million rows. --hard adds
simulated tumours, each beside the published algorithm in numpy (two of them are in --quick). Exit
code 1: a bar is missed."""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from workers import clonal_hard as hard
from workers import clonal_measure as measure

ROOT = measure.ROOT
SHARED_DATA = Path(os.environ.get("ATRIUM_SHARED_DATA", ROOT.parent / "shared" / "data")) / "clonal"
PEER = os.environ.get("ATRIUM_PYCLONE_VI") or shutil.which("pyclone-vi")


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


CHECKED_ROWS = 1_000_000
CHECK_CPU_S = 10.0
# Lines of a report, however many rows are wrong.
CHECK_LINES = 60


def main() -> int:
    options = _options()
    if not SHARED_DATA.is_dir():
        print(f"the sample data is not in {SHARED_DATA}")
        return 1
    cases = [case for case in CASES if options.wants(case.name, is_quick=case.is_quick)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = {case.name: _measure(case, folder) for case in cases}
        sizes = {
            size: _simulated(arguments, folder)
            for size, (arguments, _, is_quick) in SIMULATED.items()
            if options.wants(size, is_quick=is_quick)
        }
        checks = _checks(folder) if options.wants("check", is_quick=True) else {}
        outcomes = [
            hard.measured(case, folder / f"hard-{n}-{seed}", seed=seed)
            for n, case in enumerate(hard.CASES)
            for seed in ((1,) if case.is_large or not options.hard else (1, 2))
            if (options.hard or case.is_quick) and options.wants(case.name, is_quick=True)
        ]
    missed = [text for case in cases for text in _missed(case, results[case.name])]
    missed += [
        f"{name}: {figures['cpu_s']:.1f} CPU s, {figures['mb']:.0f} MB"
        for name, figures in sizes.items()
        if figures["cpu_s"] > SIMULATED[name][1] or figures["mb"] > 700
    ]
    missed += [
        f"check, {name}: {figures['cpu_s']:.1f} CPU s, {figures['lines']} lines"
        for name, figures in checks.items()
        if figures["cpu_s"] > CHECK_CPU_S or figures["lines"] > CHECK_LINES
    ]
    _print(cases, results, sizes, checks)
    missed += hard.report(outcomes) if outcomes else []
    print("\nmissed: " + ("; ".join(missed) or "none"))
    if options.json:
        ratios = {
            f"{case.name}: {what}": round(ratio, 4)
            for case in cases
            for what, ratio in _ratios(case, results[case.name]).items()
        }
        summary = {"bench": "clonal", "peer": PEER or "reference figures", "ratios": ratios}
        summary |= {"results": results, "sizes": sizes, "checks": checks, "missed": missed}
        print(json.dumps(summary | {"hard": [asdict(outcome) for outcome in outcomes]}))
    return 1 if missed else 0


class _Options(argparse.Namespace):
    quick: bool
    hard: bool
    json: bool
    only: list[str]

    def wants(self, name: str, *, is_quick: bool) -> bool:
        if self.only:
            return any(name.startswith(wanted) for wanted in self.only)
        return is_quick or not self.quick


def _options() -> _Options:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small files only")
    parser.add_argument("--hard", action="store_true", help="all simulated tumours as well")
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="names that begin so")
    return parser.parse_args(namespace=_Options())


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
    figures = measure.ours(case.paths, out, options)
    return figures | measure.quality(measure.truth_of(case.paths[0]), out / "tables" / "loci.tsv")


def _simulated(arguments: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """An analysis by defaults of a table that was simulated before."""
    out = folder / "simulated"
    base = [sys.executable, "-m", "jobs.engines.clonal", "--out", str(out)]
    measure.run([*base, "--simulate", "--no-analysis", *arguments])
    return measure.ours([out / "simulated.tsv"], out, [])


def _checks(folder: Path) -> dict[str, dict[str, Any]]:
    """Seconds and lines of the check of a million good rows, and of a million wrong ones."""
    columns = "mutation_id\tsample_id\tref_counts\talt_counts\tmajor_cn\tminor_cn\tnormal_cn\n"
    kinds = {
        "a million rows": ("{}\tS{}\t{}\t{}\t2\t1\t2\n", 0),
        "a million wrong rows": ("{}\tS{}\t-{}\tx{}\t1\t2\t0\n", 2),
    }
    found = {}
    for name, (row, exit_code) in kinds.items():
        path = folder / "rows.tsv"
        rows = (row.format(f"m{n // 4}", n % 4, n % 97, n % 53) for n in range(CHECKED_ROWS))
        path.write_text(columns + "".join(rows))
        command = [sys.executable, "-m", "jobs.engines.clonal", "--check", str(path)]
        figures = measure.run(command, expected=exit_code)
        found[name] = {key: figures[key] for key in ("cpu_s", "seconds", "mb")}
        found[name]["lines"] = len(figures["stderr"].splitlines())
    return found


def _peer(case: Case, out: Path) -> dict[str, Any]:
    """PyClone-VI on the same mutations: fit and write, as one measurement."""
    from jobs.engines import clonal

    out.mkdir()
    table, trace, result = (out / name for name in ("in.tsv", "fit.h5", "loci.tsv"))
    table.write_text(clonal.long_tsv(clonal.read_mutations(*case.paths)))
    density, clusters, restarts = case.options[1::2]
    fit = ["fit", "-i", table, "-o", trace, "-d", density, "-c", clusters, "-r", restarts]
    first = measure.run([str(PEER), *map(str, fit), "--seed", "1"])
    second = measure.run([str(PEER), "write-results-file", "-i", str(trace), "-o", str(result)])
    found = re.findall(r"ELBO:?\s*(-?[0-9.]+)", first["stdout"])
    cpu_s = first["cpu_s"] + second["cpu_s"]
    elbo = float(found[-1]) if found else case.elbo
    return {"elbo": elbo, "cpu_s": cpu_s, "mb": first["mb"]} | measure.quality(
        measure.truth_of(case.paths[0]), result
    )


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
    checks: dict[str, dict[str, Any]],
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
    for name, figures in checks.items():
        text = f"{figures['cpu_s']:.1f} CPU s, {figures['mb']:.0f} MB"
        print(f"check, {name}: {text}, {figures['lines']} lines of findings")


def _cell(value: float | None) -> str:
    return f"{'-':>11}" if value is None else f"{value:11.5g}"


if __name__ == "__main__":
    sys.exit(main())
