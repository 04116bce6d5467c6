"""Jobs for bench/job_faults.py whose effect is written in the transaction that completes them.

python bench/workers/jobs_faulty.py worker|producer"""

import logging
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from sqlalchemy import text  # noqa: E402

from dashboard.app import create_app  # noqa: E402
from dashboard.core.config import load_config  # noqa: E402
from dashboard.core.database import db, session, transaction  # noqa: E402
from dashboard.core.errors import Unavailable  # noqa: E402
from dashboard.job_queue import services  # noqa: E402
from dashboard.job_queue.runner import build_worker  # noqa: E402
from jobs.messages import message  # noqa: E402
from jobs.retry import Retry  # noqa: E402
from jobs.tasks import JobContext, task  # noqa: E402

WORK_S = 0.2


@message("bench.effect")
@dataclass(frozen=True)
class Effect:
    """Leave a row, once."""


@task(Effect, retry=Retry(max_failures=50, base_s=0.2, cap_s=2.0))
def leave(message: Effect, ctx: JobContext) -> None:
    time.sleep(WORK_S)
    with transaction():
        session.execute(text("INSERT INTO effect (job_id) VALUES (:id)"), {"id": ctx.job_id})
        services.complete(job_id=ctx.job_id, attempt=ctx.attempt)


def produce() -> None:
    """Enqueue on "COUNT GAP_S"; answer how many were accepted, and the longest call in ms."""
    print("ready", flush=True)
    for line in sys.stdin:
        count, gap_s = line.split()
        accepted, longest = 0, 0.0
        for _ in range(int(count)):
            started = time.monotonic()
            try:
                with transaction():
                    services.enqueue(Effect(), owner_id=None)
                accepted += 1
            except Unavailable:
                session.remove()
            longest = max(longest, time.monotonic() - started)
            time.sleep(float(gap_s))
        print(accepted, 1e3 * longest, flush=True)


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    app = create_app(load_config(ROOT / "config.toml", os.environ))
    if sys.argv[1] == "worker":
        sys.exit(build_worker(app, [leave], concurrency=4).run())
    with app.app_context():
        db.create_all()
        session.execute(text("CREATE TABLE effect (job_id INTEGER)"))
        session.commit()
        produce()


if __name__ == "__main__":
    main()
