"""A peer of bench/jobs.py as two processes: its worker, and a producer that enqueues on command.

    python bench/workers/jobs_peers.py SYSTEM worker|producer

Runs in the peers' environment. The job of every system is the same: note when it began, in a file."""

import importlib
import os
import struct
import sys
import time
from typing import Any

SLOTS = 8
ENV = "BENCH_JOBS_"
MARK = struct.Struct("dd")
"""When a job was sent and when it began, on the machine's monotonic clock."""


def setting(name: str) -> str:
    """What bench/jobs.py says."""
    return os.environ[ENV + name]


def mark(sent: float) -> None:
    """The work: one append, which the system makes atomic."""
    os.write(_marks(), MARK.pack(sent, time.monotonic()))


_open: list[int] = []


def _marks() -> int:
    if not _open:
        _open.append(os.open(setting("MARKS"), os.O_WRONLY | os.O_APPEND | os.O_CREAT))
    return _open[0]


def produce(send: Any) -> None:
    """Obey lines "COUNT GAP_S" until the end of input; one line of times for each."""
    print("ready", flush=True)
    for line in sys.stdin:
        count, gap_s = line.split()
        longest, started = 0.0, time.monotonic()
        for _ in range(int(count)):
            sent = time.monotonic()
            send(sent)
            longest = max(longest, time.monotonic() - sent)
            if float(gap_s):
                time.sleep(float(gap_s))
        print(started, time.monotonic(), longest, time.process_time(), flush=True)


# --- the systems ---


class Dramatiq:
    """Classic queue, publisher confirms, eight threads."""

    def __init__(self) -> None:
        import dramatiq
        from dramatiq.brokers.rabbitmq import RabbitmqBroker

        self.broker = RabbitmqBroker(url=setting("AMQP"), confirm_delivery=True)
        dramatiq.set_broker(self.broker)
        queue = setting("PREFIX") + "dramatiq"
        self.actor = dramatiq.actor(mark, queue_name=queue, actor_name="mark")

    def send(self, sent: float) -> None:
        self.actor.send(sent)

    def work(self) -> None:
        from dramatiq.worker import Worker

        Worker(self.broker, worker_threads=SLOTS).start()
        time.sleep(86_400)


class Celery:
    """Classic queue, publisher confirms, eight threads; no results."""

    backend: str | None = None

    def __init__(self) -> None:
        from celery import Celery as App

        self.app = App("bench", broker=setting("AMQP"), backend=self.backend)
        self.app.conf.update(
            task_default_queue=setting("PREFIX") + type(self).__name__.lower(),
            broker_transport_options={"confirm_publish": True},
            task_ignore_result=self.backend is None,
            worker_send_task_events=False,
            broker_connection_retry_on_startup=True,
        )
        self.task = self.app.task(name="mark")(mark)

    def send(self, sent: float) -> None:
        self.task.delay(sent)

    def work(self) -> None:
        options = ["--pool=threads", f"--concurrency={SLOTS}", "--loglevel=ERROR"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        self.app.worker_main(["worker", *options, *quiet])


class CeleryResultsPlain(Celery):
    """The same with results in PostgreSQL as they are without further settings: a row for each job
    that has ended, with its result and nothing else. Nobody reads it."""

    def __init__(self) -> None:
        self.backend = "db+" + setting("POSTGRESQL").replace("+psycopg", "+psycopg2")
        super().__init__()


class CeleryResults(CeleryResultsPlain):
    """Like for like with our row: it also tells that a job has started, and its name, arguments,
    queue, worker and retries."""

    def __init__(self) -> None:
        super().__init__()
        self.app.conf.update(task_track_started=True, result_extended=True)


class Huey:
    """SQLite, eight threads, polling every 5 to 20 ms."""

    def __init__(self) -> None:
        from huey import SqliteHuey

        self.huey = SqliteHuey("bench", filename=setting("FOLDER") + "/huey.sqlite3", results=False)
        self.task = self.huey.task(name="mark")(mark)

    def send(self, sent: float) -> None:
        self.task(sent)

    def work(self) -> None:
        options = {"initial_delay": 0.005, "max_delay": 0.02, "backoff": 1.15, "periodic": False}
        self.huey.create_consumer(workers=SLOTS, **options).run()


class Procrastinate:
    """PostgreSQL, coroutines, eight at once."""

    def __init__(self) -> None:
        import procrastinate

        dsn = setting("POSTGRESQL").replace("+psycopg", "")
        worker = sys.argv[2] == "worker"
        connector = procrastinate.PsycopgConnector if worker else procrastinate.SyncPsycopgConnector
        self.app = procrastinate.App(connector=connector(conninfo=dsn))
        self.task = self.app.task(name="mark")(_mark_later)
        if not worker:
            self.app.open()
            self.app.schema_manager.apply_schema()

    def send(self, sent: float) -> None:
        self.task.defer(sent=sent)

    def work(self) -> None:
        self.app.run_worker(concurrency=SLOTS, install_signal_handlers=False)


async def _mark_later(sent: float) -> None:
    mark(sent)


SYSTEMS = {
    "dramatiq": Dramatiq,
    "celery": Celery,
    "celery_results": CeleryResults,
    "celery_results_plain": CeleryResultsPlain,
    "huey": Huey,
    "procrastinate": Procrastinate,
}


def main() -> None:
    # A worker finds its tasks by the name of their module, which must not be __main__.
    module = importlib.import_module("jobs_peers")
    system = module.SYSTEMS[sys.argv[1]]()
    if sys.argv[2] == "worker":
        system.work()
    else:
        module.produce(system.send)


if __name__ == "__main__":
    main()
