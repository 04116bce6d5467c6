"""One round of one system of bench/jobs.py: its producer and worker, what they take, and that no job is lost."""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from sqlalchemy import create_engine, text
from workers.jobs_peers import ENV, MARK
from workers.jobs_services import PEER_PYTHON, PREFIX, RABBITMQ, postgresql

WORKERS = Path(__file__).parent
OURS = ("embedded_sqlite", "rabbitmq_postgresql", "rabbitmq_sqlite", "embedded_postgresql")
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Figures:
    """One round of one system."""

    end_to_end: float
    """Jobs a second."""
    enqueue: float
    """Jobs a second, while the worker works."""
    pick_up_p50_ms: float
    pick_up_p99_ms: float
    longest_enqueue_ms: float
    cpu_ms: float
    """Processor time of producer and worker for each job of the throughput part."""
    idle_cpu_percent: float
    """Of one core, by a worker that has nothing to do."""


class JobsLost(Exception):
    """Not every job of a round completed."""


class Round:
    """Producer and worker of one system."""

    def __init__(self, system: str, *, folder: Path) -> None:
        self.system = system
        self._marks = folder / "marks"
        self._marks.touch()
        self._environment = os.environ | {
            f"{ENV}MARKS": str(self._marks),
            f"{ENV}FOLDER": str(folder),
            f"{ENV}PREFIX": PREFIX,
            f"{ENV}AMQP": RABBITMQ,
            f"{ENV}POSTGRESQL": postgresql(),
            "PYTHONPATH": str(WORKERS),
            "ATRIUM_SITE__DATA_DIR": str(folder),
        }
        self._rows: Any = None
        self._script = "jobs_peers.py"
        if system in OURS:
            self._set_ours(folder)

    def _set_ours(self, folder: Path) -> None:
        broker, _, database = self.system.partition("_")
        uri = postgresql() if database == "postgresql" else f"sqlite:///{folder}/atrium.sqlite3"
        self._script = "jobs_ours.py"
        self._environment |= {
            "SQLALCHEMY_DATABASE_URI": uri,
            "ATRIUM_BROKER__URL": RABBITMQ if broker == "rabbitmq" else "embedded",
            "ATRIUM_BROKER__PREFIX": PREFIX.rstrip("."),
        }
        self._rows = create_engine(uri)

    def ask(self, *arguments: object) -> dict[str, float]:
        """What bench/workers/jobs_table.py says."""
        command = [sys.executable, "-W", "ignore", str(WORKERS / "jobs_table.py")]
        answer = subprocess.run(
            [*command, *map(str, arguments)],
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return cast(dict[str, float], json.loads(answer.stdout.splitlines()[-1]))

    def __enter__(self) -> "Round":
        self._producer = self._start("producer")
        if self._output.readline() != "ready\n":
            raise RuntimeError(f"{self.system}: the producer did not start")
        self._last_id = self._ask_rows("SELECT max(id) FROM job")
        self._worker = self._start("worker")
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._producer, self._worker):
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                pipe.close()
        if self._rows is not None:
            self._rows.dispose()

    def _start(self, role: str) -> Any:
        python, arguments = sys.executable, [role]
        if self.system not in OURS:
            python, arguments = str(PEER_PYTHON), [self.system, role]
        return subprocess.Popen(
            [python, "-W", "ignore", str(WORKERS / self._script), *arguments],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def _output(self) -> IO[str]:
        return cast(IO[str], self._producer.stdout)

    def figures(self, n_jobs: int, *, n_single: int) -> Figures:
        self._produce(20)  # until everything is imported and connected
        self._wait(20)
        time.sleep(1.0)
        cpu = _cpu_s(self._worker.pid)
        time.sleep(3.0)
        idle = (_cpu_s(self._worker.pid) - cpu) / 3.0
        self._produce(n_single, gap_s=0.02)
        pick_ups = self._wait(20 + n_single)[20:]
        cpu = self._cpu_s()
        started, ended, longest = self._produce(n_jobs)
        self._wait(20 + n_single + n_jobs)
        total_s = time.monotonic() - started
        cpu = self._cpu_s() - cpu
        return Figures(
            end_to_end=n_jobs / total_s,
            enqueue=n_jobs / (ended - started),
            pick_up_p50_ms=1e3 * statistics.median(pick_ups),
            pick_up_p99_ms=1e3 * sorted(pick_ups)[int(0.99 * len(pick_ups))],
            longest_enqueue_ms=1e3 * longest,
            cpu_ms=1e3 * cpu / n_jobs,
            idle_cpu_percent=100 * idle,
        )

    def _produce(self, count: int, *, gap_s: float = 0.0) -> tuple[float, float, float]:
        orders = cast(IO[str], self._producer.stdin)
        orders.write(f"{count} {gap_s}\n")
        orders.flush()
        started, ended, longest, _cpu = map(float, self._output.readline().split())
        return started, ended, longest

    def _wait(self, count: int) -> list[float]:
        """Wait until `count` jobs have completed in all; how long each waited for its start."""
        until = time.monotonic() + PATIENCE_S
        while self._marks.stat().st_size < count * MARK.size or not self._rows_done(count):
            if time.monotonic() > until:
                found = self._marks.stat().st_size // MARK.size
                raise JobsLost(f"{self.system}: {found} of {count} jobs ran in {PATIENCE_S:g} s")
            time.sleep(0.002)
        marks = list(MARK.iter_unpack(self._marks.read_bytes()))
        if len(marks) != count or len(set(marks)) != count:
            raise JobsLost(f"{self.system}: {len(marks)} runs of {count} jobs")
        return [began - sent for sent, began in marks]

    def _rows_done(self, count: int) -> bool:
        # Only the new ones: to count a million others would take longer than a thousand jobs.
        done = f"SELECT count(*) FROM job WHERE id > {self._last_id} AND state = 'done'"  # noqa: S608
        return self._rows is None or self._ask_rows(done) == count

    def _ask_rows(self, query: str) -> int:
        if self._rows is None:
            return 0
        with self._rows.connect() as connection:
            return connection.scalar(text(query)) or 0

    def _cpu_s(self) -> float:
        return _cpu_s(self._producer.pid) + _cpu_s(self._worker.pid)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
