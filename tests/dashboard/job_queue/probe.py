"""Jobs made for tests, and a worker process that runs them: python -m tests.dashboard.job_queue.probe worker."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from dashboard.app import create_app
from dashboard.core.config import load_config
from dashboard.core.errors import Invalid
from dashboard.job_queue import services
from dashboard.job_queue.runner import build_worker, run_child
from dashboard.job_queue.tasks import TASKS as OWN_TASKS
from jobs.messages import message
from jobs.retry import NEVER, Retry
from jobs.tasks import Cancelled, JobContext, Task, task
from jobs.worker import Worker

ROOT = Path(__file__).resolve().parents[3]
CHILD_ARGV = [sys.executable, "-m", "tests.dashboard.job_queue.probe", "job-child"]


@message("probe.append")
@dataclass(frozen=True)
class Append:
    """Append a line to a file, after a while."""

    path: str
    line: str = "x"
    wait_s: float = 0.0


@message("probe.raise")
@dataclass(frozen=True)
class Raise:
    """Raise an error, until the file has as many lines as it should have failures."""

    path: str
    n_failures: int = 1
    invalid: bool = False


@message("probe.odd")
@dataclass(frozen=True)
class Odd:
    """Return what no row can hold, and say what no database takes."""


@message("probe.stubborn")
@dataclass(frozen=True)
class Stubborn:
    """Sleep in a thread and never look whether to stop."""

    seconds: float


@message("probe.child", queue="probe-child")
@dataclass(frozen=True)
class InChild:
    """Do something in a child process: one of DEEDS."""

    what: str
    path: str = ""


@task(Append, retry=NEVER)
def append(message: Append, ctx: JobContext) -> dict[str, Any]:
    until = time.monotonic() + message.wait_s
    while time.monotonic() < until:
        ctx.check()
        time.sleep(0.02)
    with Path(message.path).open("a") as file:
        file.write(f"{message.line}\n")
    ctx.progress(0.5, "half")
    ctx.log(f"appended {message.line}")
    return {"line": message.line}


@task(Raise, retry=Retry(max_failures=3, base_s=0.05))
def raise_(message: Raise, ctx: JobContext) -> None:
    path = Path(message.path)
    path.touch()
    if len(path.read_text().splitlines()) < message.n_failures:
        with path.open("a") as file:
            file.write("failed\n")
        raise Invalid("the input is bad") if message.invalid else RuntimeError("boom\nin detail")


@task(Odd, retry=NEVER)
def odd(message: Odd, ctx: JobContext) -> dict[str, Any]:
    ctx.progress(0.5, "nul \0 and half \ud800")
    ctx.log("nul \0 and half \ud800")
    return {"x": {1}}


@task(Stubborn, retry=NEVER)
def stubborn(message: Stubborn, ctx: JobContext) -> None:
    time.sleep(message.seconds)


@task(InChild, isolate=True, retry=NEVER, timeout_s=30, cpu_s=2)
def in_child(message: InChild, ctx: JobContext) -> dict[str, Any]:
    result = DEEDS[message.what](message, ctx)
    return {"pid": os.getpid(), "result": result}


def _say(_message: InChild, ctx: JobContext) -> str:
    ctx.log("a line")
    print("printed", flush=True)
    ctx.progress(0.25, "a quarter")
    (ctx.workspace() / "file.txt").write_text("kept")
    return "said"


def _tree(message: InChild, ctx: JobContext) -> None:
    """Two descendants that ignore SIGTERM, and this process does too."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    pids = [subprocess.Popen([sys.executable, "-c", code]).pid for _ in range(2)]
    (ctx.workspace() / "half.txt").write_text("half")
    Path(message.path).write_text(" ".join(map(str, [os.getpid(), *pids])))
    time.sleep(600)


def _raise(_message: InChild, _ctx: JobContext) -> None:
    raise RuntimeError("boom in the child")


def _memory(_message: InChild, _ctx: JobContext) -> int:
    return len(bytearray(64 * 2**30))


def _cpu(_message: InChild, _ctx: JobContext) -> None:
    while True:
        pass


def _flood(_message: InChild, ctx: JobContext) -> None:
    """More progress, log and output than anybody wants, and a line that does not end."""
    for number in range(300):
        ctx.progress(number / 300, "n" * 5_000)
        ctx.log("l" * 5_000)
    print("o" * 2_000_000)


def _fork(message: InChild, _ctx: JobContext) -> None:
    """Leave processes behind."""
    pids = [subprocess.Popen(["sleep", "600"]).pid for _ in range(5)]
    Path(message.path).write_text(" ".join(map(str, pids)))


def _escape(message: InChild, _ctx: JobContext) -> None:
    """Leave processes behind in sessions of their own; one is an orphan without environment. Then end as told."""
    path, _, then = message.path.partition("|")
    sleep = "exec sleep 600"
    plain = subprocess.Popen(["sh", "-c", sleep], start_new_session=True).pid
    orphan = subprocess.run(
        ["/bin/sh", "-c", f"setsid sh -c '{sleep}' >/dev/null 2>&1 & echo $!"],
        env={},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    Path(path).write_text(f"{plain} {orphan}")
    if then == "hang":
        time.sleep(600)
    if then == "raise":
        raise RuntimeError("boom in the child")


def _complete(message: InChild, ctx: JobContext) -> None:
    services.complete(job_id=ctx.job_id, attempt=ctx.attempt, result={"by": "the task"})


def _complete_late(message: InChild, ctx: JobContext) -> None:
    """Complete the job when it is too late to cancel it."""
    (ctx.workspace() / "made.txt").write_text("made")
    Path(message.path).touch()
    try:
        time.sleep(600)
    except Cancelled:
        services.complete(job_id=ctx.job_id, attempt=ctx.attempt)
        raise


DEEDS: dict[str, Any] = {
    "say": _say,
    "tree": _tree,
    "raise": _raise,
    "exit": lambda *_: (os.write(1, b"no room left"), os._exit(7)),
    "kill": lambda *_: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": lambda *_: ctypes.string_at(0),
    "memory": _memory,
    "cpu": _cpu,
    "complete": _complete,
    "complete late": _complete_late,
    "flood": _flood,
    "fork": _fork,
    "escape": _escape,
    "hang": lambda *_: time.sleep(600),
}
TASKS: list[Task] = [append, raise_, odd, stubborn, in_child, *OWN_TASKS]


def make_worker(app: Flask, *, tasks: Iterable[Task] = TASKS, slots: int = 2) -> Worker:
    """A worker of the portal under test, to be run in a thread."""
    return build_worker(app, tasks, concurrency=slots, child_argv=CHILD_ARGV)


def start_worker(environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """A worker in a process of its own, to be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.dashboard.job_queue.probe", "worker"],
        cwd=ROOT,
        env={**os.environ, **environ},
        start_new_session=True,
    )


def main(command: str) -> int:
    app = create_app(load_config(ROOT / "config.toml", os.environ))
    if command == "job-child":
        return run_child(app, TASKS, 0, 0)
    return make_worker(app).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
