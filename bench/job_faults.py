"""Break things under the job runner and count: jobs lost, jobs completed twice.

    python bench/job_faults.py [--servers] [--json]

Each job writes one row in the transaction that completes it. Two worker processes; leases of 2 s.
--servers also restarts PostgreSQL and stops, freezes and fills RabbitMQ on this machine, a few
seconds each: nothing else may use them meanwhile. Exit code 1: a job was lost or completed twice."""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pika
from sqlalchemy import create_engine, text

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "bench" / "workers" / "jobs_faulty.py"
POSTGRESQL = os.environ.get(
    "ATRIUM_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
RABBITMQ = os.environ.get("ATRIUM_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672/")
NAME = f"atrium_faults_{os.getpid()}"
N_JOBS = 200
GAP_S = 0.08
OUTAGE_S = 6.0
PATIENCE_S = 90.0


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


class Stage:
    """A producer, two workers, and the database between them."""

    def __init__(self, queue: str, folder: Path) -> None:
        self.queue = queue
        broker, _, database = queue.partition("_")
        uri = f"sqlite:///{folder}/atrium.sqlite3"
        if database == "postgresql":
            uri = urlsplit(POSTGRESQL)._replace(path=f"/{NAME}").geturl()
        self._environment = os.environ | {
            "ATRIUM_SITE__DATA_DIR": str(folder),
            "SQLALCHEMY_DATABASE_URI": uri,
            "ATRIUM_BROKER__URL": RABBITMQ if broker == "rabbitmq" else "embedded",
            "ATRIUM_BROKER__PREFIX": NAME,
            "ATRIUM_JOBS__LEASE_S": "2",
            "ATRIUM_JOBS__GRACE_S": "1",
        }
        self._engine = create_engine(uri, pool_pre_ping=True)
        self.producer = self._start("producer")
        self._answer()
        self.workers = [self._start("worker") for _ in range(2)]

    def _start(self, role: str) -> Any:
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), role],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def replace_worker(self, place: int, number: signal.Signals) -> None:
        """End a worker by a signal and start another."""
        old = self.workers[place]
        os.killpg(old.pid, number)
        old.wait()
        self.workers[place] = self._start("worker")

    def order(self, count: int, gap_s: float) -> None:
        self.producer.stdin.write(f"{count} {gap_s}\n")
        self.producer.stdin.flush()

    def _answer(self) -> str:
        return cast(str, self.producer.stdout.readline())

    def accepted(self) -> tuple[int, float]:
        """How many jobs the producer was promised, and its longest call in ms."""
        count, longest = self._answer().split()
        return int(count), float(longest)

    def count(self, query: str) -> int:
        with self._engine.connect() as connection:
            return int(connection.scalar(text(query)) or 0)

    def wait_busy(self, place: int) -> None:
        """Wait until the worker runs a job, and a moment more."""
        mine = f"worker LIKE '%-{self.workers[place].pid}-%' AND state = 'running'"
        until = time.monotonic() + 10.0
        while not self.count(f"SELECT count(*) FROM job WHERE {mine}"):  # noqa: S608 - a pid
            if time.monotonic() > until:
                return
            time.sleep(0.01)

    def wait_done(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while self.count("SELECT count(*) FROM job WHERE state IN ('queued', 'running')"):
            if time.monotonic() > until:
                return
            time.sleep(0.2)

    def close(self) -> None:
        for process in (self.producer, *self.workers):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                pipe.close()
        self._engine.dispose()


# --- faults: each runs while jobs are enqueued and worked off; it says how often it struck ---


def kill_workers(stage: Stage) -> int:
    for turn in range(5):
        stage.wait_busy(turn % 2)
        stage.replace_worker(turn % 2, signal.SIGKILL)
    return 5


def stop_workers(stage: Stage) -> int:
    for turn in range(4):
        stage.wait_busy(turn % 2)
        stage.replace_worker(turn % 2, signal.SIGTERM)
    return 4


def freeze_worker(stage: Stage) -> int:
    pid = stage.workers[0].pid
    stage.wait_busy(0)
    os.killpg(pid, signal.SIGSTOP)
    time.sleep(6.0)  # well past its lease
    os.killpg(pid, signal.SIGCONT)
    return 1


def lose_bells(stage: Stage) -> int:
    parameters = pika.URLParameters(RABBITMQ)
    with contextlib.closing(pika.BlockingConnection(parameters)) as connection:
        channel, until, lost = connection.channel(), time.monotonic() + 5, 0
        while time.monotonic() < until:
            lost += channel.queue_delete(f"{NAME}.bench").method.message_count
            time.sleep(0.5)
    return 10


def restart_postgresql(stage: Stage) -> int:
    time.sleep(1.5)
    command = ["pg_ctlcluster", "15", "main", "restart", "-m", "immediate"]
    subprocess.run(command, check=True, capture_output=True)
    return 1


def restart_rabbitmq(stage: Stage) -> int:
    time.sleep(1.5)
    try:
        subprocess.run(["rabbitmqctl", "-q", "stop_app"], check=True, capture_output=True)
    finally:
        subprocess.run(["rabbitmqctl", "-q", "start_app"], check=True, capture_output=True)
    return 1


def freeze_rabbitmq(stage: Stage) -> int:
    time.sleep(1.0)
    pids = [int(pid) for pid in subprocess.check_output(["pgrep", "-x", "beam.smp"]).split()]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(OUTAGE_S)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    return 1


def alarm_rabbitmq(stage: Stage) -> int:
    set_mark = ["rabbitmqctl", "-q", "set_vm_memory_high_watermark"]
    time.sleep(1.0)
    try:
        subprocess.run([*set_mark, "0.0000001"], check=True, capture_output=True)
        time.sleep(OUTAGE_S)
    finally:
        subprocess.run([*set_mark, "0.4"], check=True, capture_output=True)
    return 1


Fault = tuple[str, str, Callable[[Stage], int]]
FAULTS: list[Fault] = [
    ("kill -9 of a worker", "embedded_sqlite", kill_workers),
    ("kill -9 of a worker", "rabbitmq_postgresql", kill_workers),
    ("SIGTERM of a worker", "embedded_sqlite", stop_workers),
    ("worker frozen past its lease", "rabbitmq_postgresql", freeze_worker),
    ("queue deleted with its bells", "rabbitmq_postgresql", lose_bells),
]
SERVER_FAULTS: list[Fault] = [
    ("PostgreSQL restarted (immediate)", "rabbitmq_postgresql", restart_postgresql),
    ("RabbitMQ stopped and started", "rabbitmq_postgresql", restart_rabbitmq),
    ("RabbitMQ frozen", "rabbitmq_postgresql", freeze_rabbitmq),
    ("RabbitMQ in a memory alarm", "rabbitmq_postgresql", alarm_rabbitmq),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=cast(str, __doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="accepted for `make bench`")
    parser.add_argument("--servers", action="store_true", help="also break the servers")
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    options = parser.parse_args()
    rows = []
    for fault in FAULTS + (SERVER_FAULTS if options.servers else []):
        with _database():
            rows.append(_strike(*fault))
        _print(rows[-1], head=len(rows) == 1)
    if options.json:
        print(json.dumps({"bench": "job_faults", "rows": [asdict(row) for row in rows]}))
    return int(any(row.lost or row.completed_twice for row in rows))


def _strike(name: str, queue: str, fault: Callable[[Stage], int]) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(queue, Path(folder))
        try:
            time.sleep(3.0)
            stage.order(N_JOBS, GAP_S)
            times = fault(stage)
            accepted, longest = stage.accepted()
            stage.wait_done()
            done = stage.count("SELECT count(*) FROM job WHERE state = 'done'")
            effects = stage.count("SELECT count(*) FROM effect")
            distinct = stage.count("SELECT count(DISTINCT job_id) FROM effect")
            starts = stage.count("SELECT sum(attempt) FROM job")
            return Row(
                fault=name,
                queue=queue,
                times=times,
                jobs=accepted,
                lost=max(0, accepted - min(done, distinct)),
                completed_twice=effects - distinct,
                extra_starts=starts - done,
                longest_enqueue_ms=round(longest, 1),
            )
        finally:
            stage.close()


@contextlib.contextmanager
def _database() -> Iterator[None]:
    engine = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {NAME}"))
    engine.dispose()
    try:
        yield
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {NAME} WITH (FORCE)"))
        engine.dispose()
        parameters = pika.URLParameters(RABBITMQ)
        with contextlib.closing(pika.BlockingConnection(parameters)) as link:
            for queue in ("bench", "dead"):
                link.channel().queue_delete(f"{NAME}.{queue}")


def _print(row: Row, *, head: bool) -> None:
    columns = ("times", "jobs", "lost", "completed_twice", "extra_starts", "longest_enqueue_ms")
    if head:
        print(f"{'fault':36}{'queue':22}" + "".join(f"{name:>20}" for name in columns))
    print(
        f"{row.fault:36}{row.queue:22}" + "".join(f"{getattr(row, name):>20}" for name in columns),
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
