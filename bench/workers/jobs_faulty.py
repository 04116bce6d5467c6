"""Jobs for bench/job_faults.py whose effect is written in the transaction that completes them.

python bench/workers/jobs_faulty.py worker|producer|job-child"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from sqlalchemy import text  # noqa: E402

from dashboard.app import create_app  # noqa: E402
from dashboard.core.config import load_config  # noqa: E402
from dashboard.core.database import db, session, transaction  # noqa: E402
from dashboard.core.errors import Unavailable  # noqa: E402
from dashboard.job_queue import services  # noqa: E402
from dashboard.job_queue.runner import build_worker, run_child  # noqa: E402
from jobs.messages import message  # noqa: E402
from jobs.retry import Retry  # noqa: E402
from jobs.tasks import JobContext, task  # noqa: E402

PATIENT = Retry(max_failures=50, base_s=0.2, cap_s=2.0)


@message("bench.effect")
@dataclass(frozen=True)
class Effect:
    """Leave a row, once."""

    seconds: float = 0.2


@message("bench.isolated", queue="bench-child")
@dataclass(frozen=True)
class Isolated:
    """The same in a child process, with a grandchild that outlives neither; `cpu` works instead of sleeping."""

    seconds: float = 2.0
    cpu: bool = False


def leave_row(job_id: int, attempt: int) -> None:
    with transaction():
        session.execute(text("INSERT INTO effect (job_id) VALUES (:id)"), {"id": job_id})
        services.complete(job_id=job_id, attempt=attempt)


@task(Effect, retry=PATIENT)
def leave(message: Effect, ctx: JobContext) -> None:
    until = time.monotonic() + message.seconds
    while (rest := until - time.monotonic()) > 0:
        ctx.check()
        time.sleep(min(rest, 0.2))
    leave_row(ctx.job_id, ctx.attempt)


@task(Isolated, retry=PATIENT, isolate=True)
def leave_isolated(message: Isolated, ctx: JobContext) -> None:
    if message.cpu:
        until = time.process_time() + message.seconds
        while time.process_time() < until:
            pass
    else:
        with subprocess.Popen(["sleep", str(message.seconds)]) as grandchild:
            grandchild.wait()
    leave_row(ctx.job_id, ctx.attempt)


MESSAGES: dict[str, Callable[[], Any]] = {
    "effect": Effect,
    "long": lambda: Effect(seconds=15.0),
    "isolated": Isolated,
    "burn": lambda: Isolated(cpu=True),
}


def produce() -> None:
    """Enqueue on "COUNT GAP_S WHAT"; note each job that was accepted, and how long the call took."""
    notes = os.open(os.environ["FAULTS_ACCEPTED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with transaction():
        services.session.execute(text("SELECT 1"))
    print("ready", flush=True)
    for line in sys.stdin:
        count, gap_s, what = line.split()
        for _ in range(int(count)):
            new = MESSAGES[what]()
            started = time.monotonic()
            try:
                with transaction():
                    job_id = services.enqueue(new, owner_id=None).id
                taken_ms = 1e3 * (time.monotonic() - started)
                os.write(notes, f"{job_id} {taken_ms:.2f}\n".encode())
            except Unavailable:
                session.remove()
            time.sleep(float(gap_s))
        print("done", flush=True)


def main(role: str) -> int:
    logging.basicConfig(level=logging.CRITICAL)
    app = create_app(load_config(ROOT / "config.toml", os.environ))
    tasks = [leave, leave_isolated]
    if role == "worker":
        child_argv = [sys.executable, __file__, "job-child"]
        return build_worker(app, tasks, child_argv=child_argv).run()
    if role == "job-child":
        return run_child(app, tasks, 0, 0)
    with app.app_context():
        db.create_all()
        session.execute(text("CREATE TABLE IF NOT EXISTS effect (job_id INTEGER)"))
        session.commit()
        produce()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
