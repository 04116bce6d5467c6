"""Builds the worker of this portal, and runs one job in a child process of it.

run.py calls `build_worker(...).run()` for `run.py worker`, and `run_child` for `run.py job-child`,
which the worker starts for every job of an isolated task.
"""

import os
import secrets
import socket
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from flask import Flask

from dashboard.core.config import Config
from dashboard.core.database import db
from dashboard.core.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from dashboard.job_queue import queries
from dashboard.job_queue.publishing import make_broker
from dashboard.job_queue.schedules import Schedule
from dashboard.job_queue.store import SqlJobStore
from jobs.child import serve_job
from jobs.children import ChildSettings
from jobs.tasks import Task, TaskRegistry
from jobs.upkeep import SweepSettings
from jobs.worker import Worker, WorkerSettings

RUN_PY = Path(__file__).resolve().parents[2] / "run.py"
# Rules that another try would meet again. Unavailable is not among them.
FATAL = (Conflict, Forbidden, Invalid, NotFound, TooLarge)


def build_worker(
    app: Flask,
    tasks: Iterable[Task],
    *,
    kinds: Iterable[str] | None = None,
    concurrency: int | None = None,
    child_argv: list[str] | None = None,
    schedules: Sequence[Schedule] = (),
) -> Worker:
    """The worker of `app`: `run()` serves until SIGTERM. `kinds` limits what it takes.

    Raises Invalid for kinds that it cannot take. `child_argv` is for tests.
    """
    config: Config = app.config["ATRIUM"]
    registry = _registry(tasks, kinds)
    with app.app_context():
        return Worker(
            store=SqlJobStore(db.engine, schedules=schedules),
            broker=make_broker(config),
            tasks=registry,
            settings=_settings(config, concurrency, child_argv),
            context=app.app_context,
        )


def run_child(app: Flask, tasks: Iterable[Task], job_id: int, attempt: int) -> int:
    """Run the job that the worker orders over standard input; the exit code of this process.

    The arguments only show in lists of processes which job this is.
    """
    return serve_job(TaskRegistry(tasks), context=app.app_context, fatal=FATAL)


def _registry(tasks: Iterable[Task], kinds: Iterable[str] | None) -> TaskRegistry:
    registry = TaskRegistry(tasks)
    if kinds is None:
        return registry
    try:
        return registry.only(kinds)
    except (ValueError, LookupError) as error:
        raise Invalid(str(error)) from error


def _settings(
    config: Config, concurrency: int | None, child_argv: list[str] | None
) -> WorkerSettings:
    host = socket.gethostname()
    lease_s = config.jobs.lease_s
    return WorkerSettings(
        # A name of its own for every start: pids come back.
        name=f"{host[:50]}-{os.getpid()}-{secrets.token_hex(3)}",
        host=host,
        pid=os.getpid(),
        runs_dir=queries.runs_dir(),
        children=ChildSettings(
            argv=child_argv or [sys.executable, str(RUN_PY), "job-child"],
            memory_mb=config.jobs.child_memory_bytes // 2**20,
        ),
        slots=concurrency or config.jobs.concurrency,
        lease_s=lease_s,
        grace_s=config.jobs.grace_s,
        per_owner=config.jobs.per_owner or None,
        sweep=SweepSettings(every_s=min(config.jobs.poll_s, lease_s / 3)),
        fatal=FATAL,
    )
