"""What the systems of bench/jobs.py need: the peers installed, a database, queues that are gone afterwards."""

import contextlib
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pika
from sqlalchemy import create_engine, text

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "bench" / "jobs.lock"
PEER_ENVIRONMENT = ROOT / ".bench" / "jobs"
PEER_PYTHON = PEER_ENVIRONMENT / "bin" / "python"
POSTGRESQL = os.environ.get(
    "ATRIUM_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
RABBITMQ = os.environ.get("ATRIUM_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672/")
NAME = f"atrium_bench_{os.getpid()}"
PREFIX = f"{NAME}."
"""Of all queues."""


def install_peers() -> None:
    """Install them from the lock unless that is done."""
    stamp = PEER_ENVIRONMENT / "installed.lock"
    if stamp.exists() and stamp.read_text() == LOCK.read_text():
        return
    print("installing the peers into .bench/jobs ...", file=sys.stderr)
    venv.create(PEER_ENVIRONMENT, clear=True, with_pip=True)
    command = [PEER_PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", LOCK]
    subprocess.run(command, check=True)
    stamp.write_text(LOCK.read_text())


@contextlib.contextmanager
def database() -> Iterator[None]:
    """A database of the bench's own."""
    engine = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {NAME}"))
        try:
            yield
        finally:
            connection.execute(text(f"DROP DATABASE {NAME} WITH (FORCE)"))
    engine.dispose()


def clear() -> None:
    """Leave nothing of a round."""
    _delete_queues()
    engine = create_engine(postgresql(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def postgresql() -> str:
    """Its address."""
    return str(urlsplit(POSTGRESQL)._replace(path=f"/{NAME}").geturl())


def _delete_queues() -> None:
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(RABBITMQ))) as connection:
        channel = connection.channel()
        names = ("bench", "dead", "dramatiq", "dramatiq.DQ", "dramatiq.XQ", "celery")
        for name in (*names, "celeryresults", "celeryresultsplain"):
            channel.queue_delete(PREFIX + name)
