"""A worker process for analyses, to be killed: python -m tests.dashboard.analyses.workers worker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dashboard.analyses.tasks import TASKS
from dashboard.app import create_app
from dashboard.core.config import load_config
from dashboard.core.database import session
from dashboard.job_queue.models import Job
from dashboard.job_queue.runner import build_worker, run_child
from tests.conftest import CONFIG, ROOT

WAIT_S = 60.0
MODULE = "tests.dashboard.analyses.workers"


@contextmanager
def worker_process(environ: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker of the portal under test; ended at the latest when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", MODULE, "worker"],
        cwd=ROOT,
        env={**os.environ, **environ},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def job_when(job_id: int, condition: Callable[[Job], object]) -> Job:
    """The job, once the condition holds; fails the test when it does not in time."""
    until = time.monotonic() + WAIT_S
    while True:
        session.rollback()
        job = session.get_one(Job, job_id, populate_existing=True)
        if condition(job):
            return job
        assert time.monotonic() < until, f"it is {job.state}, {job.progress}: {job.error}"
        time.sleep(0.05)


def main(command: str) -> int:
    # Not run.py, which refuses the tables of a test because no migration made them.
    app = create_app(load_config(CONFIG, os.environ))
    if command == "job-child":
        return run_child(app, TASKS, 0, 0)
    child = [sys.executable, "-m", MODULE, "job-child"]
    return build_worker(app, TASKS, concurrency=1, child_argv=child).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
