"""Our job runner beside Huey, Dramatiq, Celery and Procrastinate: throughput and pick-up.

    python bench/jobs.py [--quick] [--json] [--only SYSTEM ...]

Durable no-op jobs, one producer that waits for each to be kept, one worker with eight slots. The
peers are installed from bench/jobs.lock into .bench/jobs. All run in turns on the same RabbitMQ and
PostgreSQL (ATRIUM_TEST_RABBITMQ, ATRIUM_TEST_POSTGRESQL); the median of the rounds counts. "End to
end" is from the first enqueue to the last job completed; every job must have completed exactly once,
and for ours its row must say so. What each peer is told is in bench/workers/jobs_peers.py. Then, of
ours alone: what a worker costs that has nothing to do, a claim among many waiting jobs, and the same
figures again with a million finished jobs in the table. Exit code 1: a peer or a server is missing, or
a job was lost or ran twice."""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pika
from sqlalchemy import create_engine, text
from workers import jobs_peers as peers
from workers.jobs_peers import ENV, MARK

ROOT = Path(__file__).resolve().parents[1]
WORKERS = ROOT / "bench" / "workers"
LOCK = Path(__file__).with_suffix(".lock")
PEER_ENVIRONMENT = ROOT / ".bench" / "jobs"
PEER_PYTHON = PEER_ENVIRONMENT / "bin" / "python"
POSTGRESQL = os.environ.get(
    "ATRIUM_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
RABBITMQ = os.environ.get("ATRIUM_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672/")
NAME = f"atrium_bench_{os.getpid()}"
OURS = ("embedded_sqlite", "rabbitmq_postgresql", "rabbitmq_sqlite", "embedded_postgresql")
RATIOS = (
    ("embedded_sqlite", "huey"),
    ("embedded_sqlite", "dramatiq"),
    ("rabbitmq_postgresql", "dramatiq"),
    ("rabbitmq_postgresql", "celery"),
    ("rabbitmq_postgresql", "celery_results"),
    ("rabbitmq_postgresql", "celery_results_plain"),
    ("rabbitmq_postgresql", "procrastinate"),
    ("rabbitmq_sqlite", "dramatiq"),
)
SLOW = {"celery_results": 10, "celery_results_plain": 10}
"""Systems that get this many times fewer jobs, so that a round ends."""
PATIENCE_S = 120.0
TABLES = ("embedded_sqlite", "rabbitmq_postgresql")
"""Whose tables are looked at alone."""
N_WAITING, N_USERS, IDLE_S = 100_000, 1_000, 20


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


def main() -> int:
    options = _options()
    _install_peers()
    systems = options.only or [*OURS, *peers.SYSTEMS]
    rounds: dict[str, list[Figures]] = {system: [] for system in systems}
    with _database():
        for number in range(1 if options.quick else 3):
            for system in systems:
                # In turns, so that a busy minute of the machine hits all alike.
                print(f"round {number + 1}: {system}", file=sys.stderr)
                rounds[system].append(_measure(system, n_jobs=options.jobs, quick=options.quick))
        tables = {
            system: _table(system, n_jobs=options.jobs, quick=options.quick)
            for system in TABLES
            if system in systems
        }
    results = {system: _median(taken) for system, taken in rounds.items()}
    ratios = _ratios(rounds)
    _print(results, ratios, tables)
    if options.json:
        report = {"bench": "jobs", "ratios": ratios, "results": results, "tables": tables}
        print(json.dumps(report))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=cast(str, __doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round, fewer jobs")
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    parser.add_argument("--only", nargs="+", choices=[*OURS, *peers.SYSTEMS], metavar="SYSTEM")
    parser.add_argument("--jobs", type=int, help="jobs in a round (2000; quick: 600)")
    options = parser.parse_args()
    options.jobs = options.jobs or (600 if options.quick else 2000)
    return options


# --- what the systems need ---


def _install_peers() -> None:
    stamp = PEER_ENVIRONMENT / "installed.lock"
    if stamp.exists() and stamp.read_text() == LOCK.read_text():
        return
    print("installing the peers into .bench/jobs ...", file=sys.stderr)
    venv.create(PEER_ENVIRONMENT, clear=True, with_pip=True)
    command = [PEER_PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", LOCK]
    subprocess.run(command, check=True)
    stamp.write_text(LOCK.read_text())


@contextlib.contextmanager
def _database() -> Iterator[None]:
    engine = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {NAME}"))
        try:
            yield
        finally:
            connection.execute(text(f"DROP DATABASE {NAME} WITH (FORCE)"))
    engine.dispose()


def _clear_database() -> None:
    engine = create_engine(_postgresql(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def _postgresql() -> str:
    return str(urlsplit(POSTGRESQL)._replace(path=f"/{NAME}").geturl())


def _delete_queues(prefix: str) -> None:
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(RABBITMQ))) as connection:
        channel = connection.channel()
        names = ("bench", "dead", "dramatiq", "dramatiq.DQ", "dramatiq.XQ", "celery")
        for name in (*names, "celeryresults", "celeryresultsplain"):
            channel.queue_delete(prefix + name)


# --- one round ---


def _measure(system: str, *, n_jobs: int, quick: bool) -> Figures:
    n_jobs //= SLOW.get(system, 1)
    prefix = f"{NAME}."
    with tempfile.TemporaryDirectory() as folder:
        round_ = _Round(system, folder=Path(folder), prefix=prefix)
        try:
            with round_:
                return round_.figures(n_jobs, n_single=50 if quick else 200)
        finally:
            _delete_queues(prefix)
            _clear_database()


def _table(system: str, *, n_jobs: int, quick: bool) -> dict[str, Any]:
    """Idle cost, claims among many waiting jobs, and all again behind many finished ones."""
    n_finished = 50_000 if quick else 1_000_000
    found: dict[str, Any] = {}
    for finished in (0, n_finished):
        print(f"table of {system}, {finished} finished jobs", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            round_ = _Round(system, folder=Path(folder), prefix=f"{NAME}.")
            try:
                figures: dict[str, Any] = {"finished": finished}
                if finished:
                    round_.ask("fill", finished)
                    with round_:
                        figures |= asdict(round_.figures(n_jobs, n_single=50 if quick else 200))
                else:
                    figures |= round_.ask("idle", IDLE_S)
                figures |= round_.ask("claims", N_WAITING, N_USERS)
            finally:
                _delete_queues(f"{NAME}.")
                _clear_database()
        found[f"{finished}_finished"] = {key: round(value, 3) for key, value in figures.items()}
    return found


class _Round:
    """Producer and worker of one system."""

    def __init__(self, system: str, *, folder: Path, prefix: str) -> None:
        self.system = system
        self._marks = folder / "marks"
        self._marks.touch()
        self._environment = os.environ | {
            f"{ENV}MARKS": str(self._marks),
            f"{ENV}FOLDER": str(folder),
            f"{ENV}PREFIX": prefix,
            f"{ENV}AMQP": RABBITMQ,
            f"{ENV}POSTGRESQL": _postgresql(),
            "PYTHONPATH": str(WORKERS),
            "ATRIUM_SITE__DATA_DIR": str(folder),
        }
        self._rows: Any = None
        self._script = "jobs_peers.py"
        if system in OURS:
            self._set_ours(folder, prefix)

    def _set_ours(self, folder: Path, prefix: str) -> None:
        broker, _, database = self.system.partition("_")
        uri = _postgresql() if database == "postgresql" else f"sqlite:///{folder}/atrium.sqlite3"
        self._script = "jobs_ours.py"
        self._environment |= {
            "SQLALCHEMY_DATABASE_URI": uri,
            "ATRIUM_BROKER__URL": RABBITMQ if broker == "rabbitmq" else "embedded",
            "ATRIUM_BROKER__PREFIX": prefix.rstrip("."),
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

    def __enter__(self) -> "_Round":
        self._producer = self._start("producer")
        if self._output.readline() != "ready\n":
            raise RuntimeError(f"{self.system}: the producer did not start")
        self._n_before = self._n_done()
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
        return self._rows is None or self._n_done() - self._n_before == count

    def _n_done(self) -> int:
        if self._rows is None:
            return 0
        with self._rows.connect() as connection:
            return connection.scalar(text("SELECT count(*) FROM job WHERE state = 'done'")) or 0

    def _cpu_s(self) -> float:
        return _cpu_s(self._producer.pid) + _cpu_s(self._worker.pid)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- the report ---


def _median(rounds: list[Figures]) -> dict[str, float]:
    taken = [asdict(each) for each in rounds]
    return {key: round(statistics.median(each[key] for each in taken), 3) for key in taken[0]}


def _ratios(rounds: dict[str, list[Figures]]) -> dict[str, float]:
    """Of the runs of the same round, which the machine treated alike; the median of the rounds."""
    return {
        f"{ours}_vs_{peer}": round(
            statistics.median(
                mine.end_to_end / theirs.end_to_end
                for mine, theirs in zip(rounds[ours], rounds[peer], strict=True)
            ),
            2,
        )
        for ours, peer in RATIOS
        if ours in rounds and peer in rounds
    }


def _print(
    results: dict[str, dict[str, float]], ratios: dict[str, float], tables: dict[str, Any]
) -> None:
    columns = ("end_to_end", "enqueue", "pick_up_p50_ms", "pick_up_p99_ms", "cpu_ms")
    print(f"{'':22}" + "".join(f"{name:>16}" for name in (*columns, "idle_cpu_%")))
    for system, figures in results.items():
        values = [figures[name] for name in (*columns, "idle_cpu_percent")]
        print(f"{system:22}" + "".join(f"{value:16.2f}" for value in values))
    for name, ratio in ratios.items():
        print(f"{name:50}{ratio:8.2f}")
    for system, found in tables.items():
        for figures in found.values():
            print(system, *(f"{name}={value:g}" for name, value in figures.items()))


if __name__ == "__main__":
    sys.exit(main())
