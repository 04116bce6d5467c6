"""What bench/job_faults.py does to a stage while jobs are enqueued and worked off."""

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pika
from workers.fault_stage import PREFIX, Stage

from jobs.rabbitmq.topology import encode
from tests.factories.processes import children_of

OUTAGE_S = 8.0
Strike = Callable[[Stage], int]
"""Breaks something; says how often."""


def _calm(_stage: Stage) -> AbstractContextManager[Any]:
    return contextlib.nullcontext()


@dataclass(frozen=True)
class Fault:
    """A fault and the queues under which it is tried."""

    name: str
    queues: tuple[str, ...]
    strike: Strike
    what: str = "effect"
    """The jobs: effect, isolated or long."""
    n_jobs: int = 0
    """0 is what the bench says."""
    gap_s: float = 0.0
    may_fail: bool = False
    """The fault ends jobs for good; each must then say why."""
    hosts: bool = False
    """The workers are on two hosts of their own."""
    around: Callable[[Stage], AbstractContextManager[Any]] = _calm


# --- workers, their children, producers ---


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


def kill_children(stage: Stage) -> int:
    n_killed = 0
    for turn in range(4):
        stage.wait_busy(turn % 2)
        children = children_of(stage.workers[turn % 2].pid)
        jobs = [pid for pid in children if "job-child" in _command(pid)]
        for pid in jobs[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                n_killed += 1
        time.sleep(1.0)
    return n_killed


def kill_producer(stage: Stage) -> int:
    for _ in range(5):
        time.sleep(1.0)
        stage.replace_producer()
        stage.order(50, 0.04)
    return 5


def hold_sqlite(stage: Stage) -> int:
    time.sleep(1.0)
    other = sqlite3.connect(stage.folder / "atrium.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    time.sleep(5.0)
    other.execute("COMMIT")
    other.close()
    return 1


# --- RabbitMQ ---


def lose_bells(stage: Stage) -> int:
    parameters = pika.URLParameters(stage.servers.rabbitmq.url)
    with contextlib.closing(pika.BlockingConnection(parameters)) as connection:
        channel = connection.channel()
        for _ in range(10):
            channel.queue_delete(f"{PREFIX}.bench")
            time.sleep(0.5)
    return 10


def multiply_bells(stage: Stage) -> int:
    parameters = pika.URLParameters(stage.servers.rabbitmq.url)
    with contextlib.closing(pika.BlockingConnection(parameters)) as connection:
        channel = connection.channel()
        for number in range(400):
            channel.basic_publish("", f"{PREFIX}.bench", encode([number // 2]))
            time.sleep(0.02)
    return 400


def send_nonsense(stage: Stage) -> int:
    bodies = (
        b"",
        b"\xff\x00",
        b"{}",
        b'{"v": 99, "jobs": [1]}',
        b'{"v": 1, "jobs": ["x"]}',
        b"9" * 2**20,
    )
    parameters = pika.URLParameters(stage.servers.rabbitmq.url)
    with contextlib.closing(pika.BlockingConnection(parameters)) as connection:
        channel = connection.channel()
        for number in range(60):
            channel.basic_publish("", f"{PREFIX}.bench", bodies[number % len(bodies)])
            time.sleep(0.05)
    return 60


def close_connections(stage: Stage) -> int:
    for _ in range(3):
        time.sleep(1.5)
        stage.servers.rabbitmq.ctl("close_all_connections", "the bench")
    return 3


def kill_rabbitmq(stage: Stage) -> int:
    for _ in range(2):
        time.sleep(1.5)
        stage.servers.rabbitmq.kill()
        time.sleep(2.0)
        stage.servers.rabbitmq.start()
    return 2


def restart_rabbitmq(stage: Stage) -> int:
    time.sleep(1.5)
    stage.servers.rabbitmq.ctl("stop_app")
    time.sleep(OUTAGE_S)
    stage.servers.rabbitmq.ctl("start_app")
    return 1


def freeze_rabbitmq(stage: Stage) -> int:
    time.sleep(1.0)
    stage.servers.rabbitmq.send(signal.SIGSTOP)
    time.sleep(20.0)
    stage.servers.rabbitmq.send(signal.SIGCONT)
    return 1


def alarm_rabbitmq(stage: Stage) -> int:
    time.sleep(1.0)
    mark = "set_vm_memory_high_watermark"
    stage.servers.rabbitmq.ctl(mark, "0.0000001")
    time.sleep(OUTAGE_S)
    stage.servers.rabbitmq.ctl(mark, "0.4")
    return 1


@contextlib.contextmanager
def short_consumer_timeout(stage: Stage) -> Any:
    change = "application:set_env(rabbit, consumer_timeout, {})."
    stage.servers.rabbitmq.ctl("eval", change.format(5000))
    try:
        yield
    finally:
        stage.servers.rabbitmq.ctl("eval", change.format(1_800_000))


def wait_long(stage: Stage) -> int:
    time.sleep(20.0)
    return 1


# --- databases ---


def stop_database(kind: str, number: signal.Signals) -> Strike:
    def strike(stage: Stage) -> int:
        server = stage.servers.server(kind)
        for _ in range(2):
            time.sleep(1.5)
            server.kill() if number == signal.SIGKILL else server.stop(number)
            time.sleep(OUTAGE_S / 2)
            server.start()
        return 2

    return strike


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            return file.read().decode(errors="replace")
    except OSError:
        return ""


# --- hosts ---


def kill_worker_of_a_host(stage: Stage) -> int:
    for turn in range(4):
        stage.wait_busy(turn % 2)
        stage.replace_worker(turn % 2, signal.SIGKILL)
    return 4


def cut_off_host(stage: Stage) -> int:
    hosts = stage.hosts
    if hosts is None:
        raise RuntimeError("this fault needs hosts")
    for place in (0, 1):
        stage.wait_busy(place)
        hosts.cut_off(place)
        time.sleep(OUTAGE_S)  # well past its lease
        hosts.join(place)
        time.sleep(1.0)
    return 2


FAULTS = [
    Fault(
        "kill -9 of a worker",
        ("embedded_sqlite", "embedded_postgresql", "embedded_mariadb", "rabbitmq_postgresql"),
        kill_workers,
    ),
    Fault("SIGTERM of a worker", ("embedded_sqlite", "rabbitmq_mariadb"), stop_workers),
    Fault(
        "worker frozen past its lease",
        ("embedded_sqlite", "rabbitmq_postgresql"),
        freeze_worker,
    ),
    Fault(
        "kill -9 of a worker with children",
        ("rabbitmq_postgresql",),
        kill_workers,
        what="isolated",
        n_jobs=20,
    ),
    Fault(
        "kill -9 of a job's child",
        ("embedded_sqlite",),
        kill_children,
        what="isolated",
        n_jobs=20,
        may_fail=True,
    ),
    Fault(
        "kill -9 of the enqueuing process",
        ("embedded_sqlite", "rabbitmq_postgresql"),
        kill_producer,
        n_jobs=100,
        gap_s=0.04,
    ),
    Fault("SQLite's write lock held for 5 s", ("embedded_sqlite",), hold_sqlite),
    Fault("RabbitMQ: queue deleted with its bells", ("rabbitmq_postgresql",), lose_bells),
    Fault("RabbitMQ: every bell three times", ("rabbitmq_sqlite",), multiply_bells),
    Fault("RabbitMQ: unreadable messages", ("rabbitmq_sqlite",), send_nonsense),
    Fault("RabbitMQ: connections closed", ("rabbitmq_sqlite",), close_connections),
    Fault("RabbitMQ: kill -9 and restart", ("rabbitmq_postgresql",), kill_rabbitmq),
    Fault("RabbitMQ: stopped and started", ("rabbitmq_postgresql",), restart_rabbitmq),
    Fault("RabbitMQ: frozen for 20 s", ("rabbitmq_postgresql",), freeze_rabbitmq),
    Fault("RabbitMQ: memory alarm", ("rabbitmq_postgresql",), alarm_rabbitmq),
    Fault(
        "RabbitMQ: consumer_timeout 5 s, jobs of 15 s",
        ("rabbitmq_sqlite",),
        wait_long,
        what="long",
        n_jobs=16,
        around=short_consumer_timeout,
    ),
    Fault(
        "PostgreSQL: immediate stop and restart",
        ("rabbitmq_postgresql", "embedded_postgresql"),
        stop_database("postgresql", signal.SIGQUIT),
    ),
    Fault(
        "PostgreSQL: kill -9 and restart",
        ("rabbitmq_postgresql",),
        stop_database("postgresql", signal.SIGKILL),
    ),
    Fault(
        "MariaDB: stop and restart", ("embedded_mariadb",), stop_database("mariadb", signal.SIGTERM)
    ),
    Fault(
        "MariaDB: kill -9 and restart",
        ("rabbitmq_mariadb",),
        stop_database("mariadb", signal.SIGKILL),
    ),
    Fault(
        "two hosts: kill -9 of a worker",
        ("rabbitmq_postgresql",),
        kill_worker_of_a_host,
        hosts=True,
    ),
    Fault(
        "two hosts: one cut off past its lease",
        ("rabbitmq_postgresql", "embedded_postgresql"),
        cut_off_host,
        hosts=True,
    ),
]
