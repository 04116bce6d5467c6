"""Our runner for bench/jobs.py: its worker, and a producer that enqueues on command.

    python bench/workers/jobs_ours.py worker|producer

Runs in the portal's environment, with the portal's own enqueue, store, broker and worker."""

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from jobs_peers import SLOTS, mark, produce  # noqa: E402

from dashboard.app import create_app  # noqa: E402
from dashboard.core.config import load_config  # noqa: E402
from dashboard.core.database import db  # noqa: E402
from dashboard.job_queue.runner import build_worker  # noqa: E402
from dashboard.job_queue.services import enqueue  # noqa: E402
from jobs.messages import message  # noqa: E402
from jobs.tasks import JobContext, task  # noqa: E402


@message("bench.mark")
@dataclass(frozen=True)
class Mark:
    """Note when the job began."""

    sent: float


@task(Mark)
def note(message: Mark, ctx: JobContext) -> None:
    mark(message.sent)


def send(sent: float) -> None:
    """One job in a transaction of its own."""
    enqueue(Mark(sent), owner_id=None)


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    app = create_app(load_config(ROOT / "config.toml", os.environ))
    if sys.argv[1] == "worker":
        build_worker(app, [note], concurrency=SLOTS).run()
        return
    with app.app_context():
        db.create_all()
        produce(send)


if __name__ == "__main__":
    main()
