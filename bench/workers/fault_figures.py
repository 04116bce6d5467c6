"""What bench/job_faults.py measures beside its table: recovery, orphans, and what a further worker brings."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from workers.fault_stage import LEASE_S, Servers, Stage, staged

from tests.factories.processes import children_of

TIMES = 5
BURN_JOBS = 8


@dataclass(frozen=True)
class Figure:
    """Something measured, in seconds unless its name says otherwise."""

    name: str
    measure: Callable[[Servers], dict[str, float]]


def recovery(queue: str) -> Callable[[Servers], dict[str, float]]:
    """From kill -9 of a worker until another one runs its job; at most the lease and two sweeps."""

    def measure(servers: Servers) -> dict[str, float]:
        taken = []
        with staged(queue, servers=servers, slots=1) as stage:
            for _ in range(TIMES):
                taken.append(_recover(stage))
        # runner.py: sweeps come every second, or three to a lease.
        bound_s = LEASE_S + 2 * min(1.0, LEASE_S / 3)
        return {"median": median(taken), "longest": max(taken), "bound": bound_s}

    return measure


def _recover(stage: Stage) -> float:
    stage.order(1, 0.0, "long")
    stage.wait_produced()
    stage.wait(lambda: stage.count("SELECT count(*) FROM job WHERE state = 'running'"), seconds=10)
    job_id = stage.count("SELECT max(id) FROM job")
    owner = f"SELECT count(*) FROM job WHERE id = {job_id} AND worker LIKE '%-{{}}-%'"  # noqa: S608
    place = 0 if stage.count(owner.format(stage.workers[0].pid)) else 1
    time.sleep(0.7)
    started = time.monotonic()
    os.killpg(stage.workers[place].pid, signal.SIGKILL)
    again = f"SELECT count(*) FROM job WHERE id = {job_id} AND attempt = 2 AND state = 'running'"  # noqa: S608
    stage.wait(lambda: stage.count(again), seconds=60)
    taken = time.monotonic() - started
    stage.replace_worker(place, signal.SIGKILL)
    # Out of the way of the next turn.
    stage.change(f"UPDATE job SET cancel_requested = true WHERE id = {job_id}")  # noqa: S608
    stage.wait_done()
    stage.wait_workers()
    return taken


def orphans(servers: Servers) -> dict[str, float]:
    """From kill -9 of a worker until no process of its jobs is left."""
    taken = []
    with staged("embedded_sqlite", servers=servers, n_workers=1) as stage:
        for _ in range(TIMES):
            stage.order(2, 0.0, "isolated")
            stage.wait_produced()
            worker = stage.workers[0].pid
            # Guard, two children, two grandchildren.
            stage.wait(lambda pid=worker: len(children_of(pid)) >= 5, seconds=60)
            below = children_of(worker)
            started = time.monotonic()
            os.kill(worker, signal.SIGKILL)
            stage.wait(lambda pids=below: not any(map(_alive, pids)), seconds=30)
            taken.append(time.monotonic() - started)
            stage.replace_worker(0, signal.SIGKILL)
            stage.wait_done()
    return {"median": median(taken), "longest": max(taken)}


def scaling(servers: Servers) -> dict[str, float]:
    """CPU-bound jobs a minute with one worker of one slot, and with two."""
    rates = {}
    for n_workers in (1, 2):
        with staged("rabbitmq_postgresql", servers=servers, n_workers=n_workers, slots=1) as stage:
            started = time.monotonic()
            stage.order(BURN_JOBS, 0.0, "burn")
            stage.wait_produced()
            stage.wait_done()
            rates[n_workers] = 60 * BURN_JOBS / (time.monotonic() - started)
    return {
        "jobs a minute, 1 worker": rates[1],
        "2 workers": rates[2],
        "ratio": rates[2] / rates[1],
    }


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


FIGURES = [
    Figure("recovery after kill -9 of a worker, embedded_sqlite", recovery("embedded_sqlite")),
    Figure(
        "recovery after kill -9 of a worker, rabbitmq_postgresql", recovery("rabbitmq_postgresql")
    ),
    Figure("children gone after kill -9 of a worker", orphans),
    Figure("throughput of CPU-bound jobs by workers", scaling),
]
