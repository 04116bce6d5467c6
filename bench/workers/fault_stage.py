"""The stage of bench/job_faults.py: a producer, workers, and between them servers of their own.

The servers run on free ports with data in temporary folders (tests/factories/servers.py), so breaking
them harms nobody."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import create_engine, text
from workers.fault_hosts import Hosts

from tests.factories.servers import (
    PrivateMariaDB,
    PrivatePostgreSQL,
    PrivateRabbitMQ,
    PrivateServer,
)

SCRIPT = Path(__file__).with_name("jobs_faulty.py")
LEASE_S = 2.0
PATIENCE_S = 120.0
PREFIX = "faults"


class Servers:
    """The servers, each started when it is first asked for."""

    def __init__(self, *, host: str = "127.0.0.1") -> None:
        self._host = host
        self._open = contextlib.ExitStack()

    @cached_property
    def rabbitmq(self) -> PrivateRabbitMQ:
        # Looked at every second instead of every minute, or nobody would see a time-out of seconds.
        return self._open.enter_context(PrivateRabbitMQ(host=self._host, tick_ms=1000))

    @cached_property
    def postgresql(self) -> PrivatePostgreSQL:
        return self._open.enter_context(PrivatePostgreSQL(host=self._host))

    @cached_property
    def mariadb(self) -> PrivateMariaDB:
        return self._open.enter_context(PrivateMariaDB(host=self._host))

    def database(self, kind: str, folder: Path) -> str:
        """The address of a fresh, empty database."""
        if kind == "sqlite":
            return f"sqlite:///{folder}/atrium.sqlite3"
        uri = self.postgresql.uri if kind == "postgresql" else self.mariadb.uri
        engine = create_engine(uri, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            force = " WITH (FORCE)" if kind == "postgresql" else ""
            connection.execute(text(f"DROP DATABASE IF EXISTS faults{force}"))
            connection.execute(text("CREATE DATABASE faults"))
        engine.dispose()
        return urlsplit(uri)._replace(path="/faults").geturl()

    def broker(self, kind: str) -> str:
        """The address of the broker, without a queue of an earlier fault."""
        if kind == "embedded":
            return "embedded"
        for queue in ("bench", "bench-child", "dead"):
            with contextlib.suppress(RuntimeError):
                self.rabbitmq.ctl("delete_queue", f"{PREFIX}.{queue}")
        # Shorter than the jobs of 15 s and the freeze of 20 s.
        return f"{self.rabbitmq.url}?heartbeat=5"

    def server(self, kind: str) -> PrivateServer:
        """One of them by its name."""
        found: PrivateServer = getattr(self, kind)
        return found

    def close(self) -> None:
        self._open.close()


class Stage:
    """A producer and its workers on one queue, e.g. "rabbitmq_postgresql"."""

    def __init__(
        self,
        queue: str,
        *,
        servers: Servers,
        folder: Path,
        n_workers: int = 2,
        slots: int = 4,
        hosts: Hosts | None = None,
    ) -> None:
        broker, _, database = queue.partition("_")
        self.servers, self.folder, self.hosts = servers, folder, hosts
        self._accepted = folder / "accepted.txt"
        uri = servers.database(database, folder)
        self._environment = os.environ | {
            "ATRIUM_SITE__DATA_DIR": str(folder),
            "SQLALCHEMY_DATABASE_URI": uri,
            "ATRIUM_BROKER__URL": servers.broker(broker),
            "ATRIUM_BROKER__PREFIX": PREFIX,
            "ATRIUM_JOBS__LEASE_S": str(LEASE_S),
            "ATRIUM_JOBS__GRACE_S": "1",
            "ATRIUM_JOBS__CONCURRENCY": str(slots),
            "FAULTS_ACCEPTED": str(self._accepted),
        }
        self._engine = create_engine(uri, pool_pre_ping=True)
        self.producer = self._start("producer")
        self._listen()
        self.workers = [self._start_worker(place) for place in range(n_workers)]
        self._closed: list[Any] = []

    def _start_worker(self, place: int) -> Any:
        return self._start("worker", self.hosts.prefixes[place] if self.hosts else ())

    def _start(self, role: str, prefix: Sequence[str] = ()) -> Any:
        """A producer or a worker in a process group of its own."""
        return subprocess.Popen(
            [*prefix, sys.executable, str(SCRIPT), role],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_workers(self) -> None:
        """Wait until every worker has reported."""
        self.wait(
            lambda: self.count("SELECT count(*) FROM worker") >= len(self.workers),
            seconds=PATIENCE_S,
        )

    def replace_worker(self, place: int, number: signal.Signals) -> None:
        """End a worker by a signal and start another."""
        old = self.workers[place]
        # SIGTERM to the worker alone: what its children get is the worker's affair.
        kill = os.killpg if number == signal.SIGKILL else os.kill
        kill(old.pid, number)
        old.wait()
        self._closed.append(old)
        self.workers[place] = self._start_worker(place)

    def replace_producer(self) -> None:
        """Kill the producer and start another."""
        os.killpg(self.producer.pid, signal.SIGKILL)
        self.producer.wait()
        self._closed.append(self.producer)
        self.producer = self._start("producer")
        self._listen()

    def order(self, count: int, gap_s: float, what: str = "effect") -> None:
        """Have jobs enqueued: `what` is effect, isolated, long or burn."""
        self.producer.stdin.write(f"{count} {gap_s} {what}\n")
        self.producer.stdin.flush()

    def wait_produced(self) -> None:
        """Wait until what was ordered is enqueued."""
        self._listen()

    def _listen(self) -> None:
        if not self.producer.stdout.readline():
            raise RuntimeError("the producer has ended")

    def accepted(self) -> dict[int, float]:
        """The jobs that the producer was promised, each with the ms that the call took."""
        if not self._accepted.exists():
            return {}
        lines = (line.split() for line in self._accepted.read_text().splitlines())
        return {int(job_id): float(ms) for job_id, ms in lines}

    def count(self, query: str) -> int:
        with self._engine.connect() as connection:
            return int(connection.scalar(text(query)) or 0)

    def change(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement))

    def ids(self, query: str) -> set[int]:
        with self._engine.connect() as connection:
            return set(connection.scalars(text(query)))

    def wait_busy(self, place: int) -> None:
        """Wait until the worker runs a job."""
        mine = f"worker LIKE '%-{self.workers[place].pid}-%' AND state = 'running'"
        query = f"SELECT count(*) FROM job WHERE {mine}"  # noqa: S608 - a pid
        self.wait(lambda: self.count(query), seconds=15.0)

    def wait_done(self) -> None:
        """Wait until no job waits or runs."""
        active = "SELECT count(*) FROM job WHERE state IN ('queued', 'running')"
        self.wait(lambda: not self.count(active), seconds=PATIENCE_S, every_s=0.1)

    @staticmethod
    def wait(condition: Callable[[], object], *, seconds: float, every_s: float = 0.01) -> bool:
        """Wait until it holds; whether it did in time."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                return False
            time.sleep(every_s)
        return True

    def close(self) -> None:
        for process in (self.producer, *self.workers):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for process in (self.producer, *self.workers, *self._closed):
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._engine.dispose()


@contextlib.contextmanager
def staged(queue: str, *, servers: Servers, **options: Any) -> Iterator[Stage]:
    """A stage whose workers are there, cleared away at the end."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(queue, servers=servers, folder=Path(folder), **options)
        try:
            stage.wait_workers()
            yield stage
        finally:
            stage.close()
