"""Break things under the job runner and count: jobs lost, jobs completed twice.

    python bench/job_faults.py [--quick] [--only WORDS ...] [--jobs N] [--list] [--json]

Each job writes one row in the transaction that completes it. Two worker processes, leases of 2 s.
RabbitMQ, PostgreSQL and MariaDB are servers of the bench's own (bench/workers/fault_stage.py), so it
harms nobody. Exit code 1: a job was lost or completed twice; 2: a server is not installed."""

import argparse
import contextlib
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from workers.fault_figures import FIGURES, Figure
from workers.fault_hosts import Hosts, two_hosts
from workers.fault_stage import Servers, Stage, staged
from workers.faults import FAULTS, Fault

from tests.factories.servers import Missing

N_JOBS = 200
GAP_S = 0.08


@dataclass(frozen=True)
class Row:
    """What one fault did."""

    fault: str
    queue: str
    times: int
    jobs: int
    lost: int
    completed_twice: int
    extra_starts: int
    longest_enqueue_ms: float


def main() -> int:
    options = _options()
    faults = [each for each in FAULTS if _wanted(each.name, options.only)]
    figures = [each for each in FIGURES if _wanted(each.name, options.only)]
    if options.quick and not options.only:
        faults, figures = faults[:3], []
    if options.list:
        print("\n".join(each.name for each in (*faults, *figures)))
        return 0
    servers = Servers()
    try:
        rows = _strike_all(faults, servers, n_jobs=options.jobs)
        measured = _measure_all(figures, servers)
    except Missing as error:
        print(f"job_faults.py: {error}", file=sys.stderr)
        return 2
    finally:
        servers.close()
    if options.json:
        found = {"rows": [asdict(row) for row in rows], "figures": measured}
        print(json.dumps({"bench": "job_faults", **found}))
    return int(any(row.lost or row.completed_twice for row in rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=cast(str, __doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three faults, fewer jobs")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="WORDS", help="what has such words in its name"
    )
    parser.add_argument("--jobs", type=int, help=f"jobs for each fault ({N_JOBS}; quick: 60)")
    parser.add_argument("--list", action="store_true", help="print their names")
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    options = parser.parse_args()
    options.jobs = options.jobs or (60 if options.quick else N_JOBS)
    return options


def _wanted(name: str, only: list[str]) -> bool:
    return not only or any(words in name for words in only)


def _strike_all(faults: list[Fault], servers: Servers, *, n_jobs: int) -> list[Row]:
    rows: list[Row] = []
    for fault in faults:
        for queue in fault.queues:
            rows.append(_strike(fault, queue, servers=servers, n_jobs=n_jobs))
            _print(rows[-1], head=len(rows) == 1)
    return rows


def _strike(fault: Fault, queue: str, *, servers: Servers, n_jobs: int) -> Row:
    if fault.hosts:
        with two_hosts() as hosts, contextlib.closing(Servers(host=hosts.address)) as their:
            return _strike_stage(fault, queue, servers=their, n_jobs=n_jobs, hosts=hosts)
    return _strike_stage(fault, queue, servers=servers, n_jobs=n_jobs)


def _strike_stage(
    fault: Fault, queue: str, *, servers: Servers, n_jobs: int, hosts: Hosts | None = None
) -> Row:
    n_jobs = fault.n_jobs or n_jobs
    with staged(queue, servers=servers, hosts=hosts) as stage, fault.around(stage):
        stage.order(n_jobs, fault.gap_s or GAP_S, fault.what)
        times = fault.strike(stage)
        stage.wait_produced()
        stage.wait_done()
        if hosts and stage.count("SELECT count(DISTINCT worker) FROM job") < len(hosts.prefixes):
            raise RuntimeError("not every host did its part")
        return _row(fault, queue, times, stage)


def _row(fault: Fault, queue: str, times: int, stage: Stage) -> Row:
    accepted = stage.accepted()
    done = stage.ids("SELECT id FROM job WHERE state = 'done'")
    effects = stage.ids("SELECT job_id FROM effect")
    settled = done & effects
    if fault.may_fail:
        settled |= stage.ids("SELECT id FROM job WHERE state = 'failed' AND error <> ''")
    n_effects = stage.count("SELECT count(*) FROM effect")
    return Row(
        fault=fault.name,
        queue=queue,
        times=times,
        jobs=len(accepted),
        lost=len(set(accepted) - settled),
        completed_twice=n_effects - len(effects),
        extra_starts=stage.count("SELECT sum(attempt - 1) FROM job WHERE attempt > 1"),
        longest_enqueue_ms=max(accepted.values(), default=0.0),
    )


def _measure_all(figures: list[Figure], servers: Servers) -> dict[str, dict[str, float]]:
    measured = {}
    for figure in figures:
        started = time.monotonic()
        measured[figure.name] = figure.measure(servers)
        values = ", ".join(f"{name} {value:.2f}" for name, value in measured[figure.name].items())
        print(f"{figure.name}: {values} ({time.monotonic() - started:.0f} s)", flush=True)
    return measured


def _print(row: Row, *, head: bool) -> None:
    columns = ("times", "jobs", "lost", "completed_twice", "extra_starts", "longest_enqueue_ms")
    if head:
        print(f"{'fault':46}{'queue':22}" + "".join(f"{name:>20}" for name in columns))
    print(
        f"{row.fault:46}{row.queue:22}" + "".join(f"{getattr(row, name):>20}" for name in columns),
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
