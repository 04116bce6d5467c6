"""Our job runner beside Huey, Dramatiq, Celery and Procrastinate: throughput and pick-up.

    python bench/jobs.py [--quick] [--json] [--only SYSTEM ...] [--jobs N] [--finished N]
                         [--rounds N] [--no-tables]

Durable no-op jobs, one producer that waits for each to be kept, one worker with eight slots. The
peers are installed from bench/jobs.lock into .bench/jobs. All run in turns on the same RabbitMQ and
PostgreSQL (ATRIUM_TEST_RABBITMQ, ATRIUM_TEST_POSTGRESQL); the median of the rounds counts. "End to
end" is from the first enqueue to the last job completed; every job must have completed exactly once,
and for ours its row must say so. What each peer is told is in bench/workers/jobs_peers.py. Then, of
ours alone: what a worker costs that has nothing to do, a claim among many waiting jobs, and the same
figures again with a million finished jobs in the table. Exit code 1: a peer or a server is missing, or
a job was lost or ran twice."""

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from workers import jobs_peers as peers
from workers.jobs_round import OURS, Figures, Round
from workers.jobs_services import clear, database, install_peers

RATIOS = (
    ("embedded_sqlite", "huey"),
    ("embedded_sqlite", "dramatiq"),
    ("rabbitmq_postgresql", "dramatiq"),
    ("rabbitmq_postgresql", "celery"),
    ("rabbitmq_postgresql", "celery_results"),
    ("rabbitmq_postgresql", "celery_results_plain"),
    ("rabbitmq_postgresql", "procrastinate"),
    ("rabbitmq_sqlite", "dramatiq"),
)
SLOW = {"celery_results": 10, "celery_results_plain": 10}
"""Systems that get this many times fewer jobs, so that a round ends."""
TABLES = ("embedded_sqlite", "rabbitmq_postgresql")
"""Whose tables are looked at alone."""
N_WAITING, N_USERS, IDLE_S = 100_000, 1_000, 20
N_SINGLE = 200
"""Jobs sent one by one, for the pick-up."""


def main() -> int:
    options = _options()
    install_peers()
    systems = options.only or [*OURS, *peers.SYSTEMS]
    rounds: dict[str, list[Figures]] = {system: [] for system in systems}
    with database():
        for number in range(options.rounds):
            for system in systems:
                # In turns, so that a busy minute of the machine hits all alike.
                print(f"round {number + 1}: {system}", file=sys.stderr)
                rounds[system].append(_measure(system, n_jobs=options.jobs, quick=options.quick))
        looked_at = [] if options.no_tables else [name for name in TABLES if name in systems]
        tables = {system: _table(system, options) for system in looked_at}
    results = {system: _median(taken) for system, taken in rounds.items() if taken}
    ratios = _ratios(rounds) if options.rounds else {}
    report = {"bench": "jobs", "ratios": ratios, "results": results, "tables": tables}
    report["ratios_behind_finished"] = _ratios_behind_finished(results, tables)
    _print(report)
    if options.json:
        print(json.dumps(report))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=cast(str, __doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round, fewer jobs")
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    parser.add_argument("--only", nargs="+", choices=[*OURS, *peers.SYSTEMS], metavar="SYSTEM")
    parser.add_argument("--jobs", type=int, help="jobs in a round (2000; quick: 600)")
    parser.add_argument("--rounds", type=int, help="3 (quick: 1); 0 is the tables alone")
    parser.add_argument("--no-tables", action="store_true", help="the rounds alone")
    parser.add_argument(
        "--finished", type=int, help="finished jobs in the table (1000000; quick: 50000)"
    )
    options = parser.parse_args()
    options.jobs = options.jobs or (600 if options.quick else 2000)
    if options.rounds is None:
        options.rounds = 1 if options.quick else 3
    options.finished = options.finished or (50_000 if options.quick else 1_000_000)
    return options


# --- one round ---


def _measure(system: str, *, n_jobs: int, quick: bool) -> Figures:
    with _round(system) as round_, round_:
        return round_.figures(n_jobs // SLOW.get(system, 1), n_single=50 if quick else N_SINGLE)


def _table(system: str, options: argparse.Namespace) -> dict[str, Any]:
    """Idle cost, claims among many waiting jobs, and all again behind many finished ones."""
    found: dict[str, Any] = {}
    for finished in (0, options.finished):
        print(f"table of {system}, {finished} finished jobs", file=sys.stderr)
        with _round(system) as round_:
            figures: dict[str, Any] = {"finished": finished}
            if finished:
                round_.ask("fill", finished)
                with round_:
                    n_single = 50 if options.quick else N_SINGLE
                    figures |= asdict(round_.figures(options.jobs, n_single=n_single))
            else:
                figures |= round_.ask("idle", IDLE_S)
            figures |= round_.ask("claims", N_WAITING, N_USERS)
        found[f"{finished}_finished"] = {key: round(value, 3) for key, value in figures.items()}
    return found


@contextlib.contextmanager
def _round(system: str) -> Iterator[Round]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            yield Round(system, folder=Path(folder))
        finally:
            clear()


# --- the report ---


def _median(rounds: list[Figures]) -> dict[str, float]:
    taken = [asdict(each) for each in rounds]
    return {key: round(statistics.median(each[key] for each in taken), 3) for key in taken[0]}


def _ratios(rounds: dict[str, list[Figures]]) -> dict[str, float]:
    """Of the runs of the same round, which the machine treated alike; the median of the rounds."""
    return {
        f"{ours}_vs_{peer}": round(
            statistics.median(
                mine.end_to_end / theirs.end_to_end
                for mine, theirs in zip(rounds[ours], rounds[peer], strict=True)
            ),
            2,
        )
        for ours, peer in RATIOS
        if ours in rounds and peer in rounds
    }


def _ratios_behind_finished(
    results: dict[str, dict[str, float]], tables: dict[str, Any]
) -> dict[str, float]:
    """Ours behind many finished jobs to the peers' medians, who keep none."""
    ends = {
        system: figures["end_to_end"]
        for system, found in tables.items()
        for figures in found.values()
        if "end_to_end" in figures
    }
    return {
        f"{ours}_vs_{peer}": round(ends[ours] / results[peer]["end_to_end"], 2)
        for ours, peer in RATIOS
        if ours in ends and peer in results
    }


def _print(report: dict[str, Any]) -> None:
    columns = ("end_to_end", "enqueue", "pick_up_p50_ms", "pick_up_p99_ms", "cpu_ms")
    print(f"{'':22}" + "".join(f"{name:>16}" for name in (*columns, "idle_cpu_%")))
    for system, figures in report["results"].items():
        values = [figures[name] for name in (*columns, "idle_cpu_percent")]
        print(f"{system:22}" + "".join(f"{value:16.2f}" for value in values))
    for what in ("ratios", "ratios_behind_finished"):
        for name, ratio in report[what].items():
            print(f"{name:50}{ratio:8.2f}  {what}")
    for system, found in report["tables"].items():
        for figures in found.values():
            print(system, *(f"{name}={value:g}" for name, value in figures.items()))


if __name__ == "__main__":
    sys.exit(main())
