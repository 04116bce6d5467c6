"""The whole way through RabbitMQ: the row is the truth, the message only the bell."""

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.core.database import session, transaction
from dashboard.job_queue import publishing, queries, services
from dashboard.job_queue.models import Job, JobState
from dashboard.job_queue.queries import Viewer
from dashboard.job_queue.services import enqueue
from jobs.rabbitmq.topology import Topology
from tests.dashboard.job_queue.conftest import ended, state_of, wait_for
from tests.dashboard.job_queue.probe import Append, Raise, start_worker
from tests.dashboard.job_queue.test_pages import post

ADMIN = Viewer(user_id=None, sees_all=True)
Put = Callable[..., int]


@pytest.fixture
def environ(environ: dict[str, str], rabbitmq_url: str) -> Iterator[dict[str, str]]:
    """RabbitMQ with queues of this test's own."""
    prefix = f"atrium_test_{secrets.token_hex(4)}"
    environ |= {"ATRIUM_BROKER__URL": rabbitmq_url, "ATRIUM_BROKER__PREFIX": prefix}
    yield environ
    with contextlib.closing(
        pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
    ) as connection:
        for queue in ("probe", "probe-child", "job_queue", "dead"):
            connection.channel().queue_delete(f"{prefix}.{queue}")


class TestWorker:
    def test_runs_what_was_enqueued(
        self, each_database: str, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        with working():
            ids = [put(Append(path=str(out), line=str(number))) for number in range(20)]
            states = {ended(job_id).state for job_id in ids}

        assert states == {JobState.DONE}
        assert sorted(map(int, out.read_text().split())) == list(range(20))

    def test_tries_again_and_succeeds(
        self, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        with working():
            job = ended(put(Raise(path=str(tmp_path / "tries"), n_failures=2)))

        assert (job.state, job.attempt) == (JobState.DONE, 3)

    def test_leaves_the_bells_to_others_while_it_is_drained(
        self, app: Flask, environ: dict[str, str], put: Put, working: Callable, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        topology = Topology(environ["ATRIUM_BROKER__URL"], prefix=environ["ATRIUM_BROKER__PREFIX"])
        with (
            working() as worker,
            contextlib.closing(pika.BlockingConnection(topology.parameters())) as connection,
        ):
            channel = connection.channel()

            def declared() -> Any:
                return channel.queue_declare(topology.queue("probe"), passive=True).method

            assert ended(put(Append(path=str(out)))).state is JobState.DONE
            wait_for(queries.runner_alive)
            name = worker.status().name
            services.drain_worker(name, viewer=ADMIN)
            wait_for(lambda: declared().consumer_count == 0)
            waiting = put(Append(path=str(out)))
            wait_for(lambda: declared().message_count == 1)
            with working():
                assert ended(waiting).state is JobState.DONE
            services.resume_worker(name, viewer=ADMIN)
            wait_for(lambda: declared().consumer_count == 1)
            assert ended(put(Append(path=str(out)))).state is JobState.DONE

    def test_rings_again_for_a_lost_message(
        self, app: Flask, environ: dict[str, str], put: Put, working: Callable, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        ids = [put(Append(path=str(out))) for _ in range(3)]
        relay = publishing.get_broker()._relay  # type: ignore[attr-defined]
        wait_for(lambda: not relay._unsettled())
        topology = Topology(environ["ATRIUM_BROKER__URL"], prefix=environ["ATRIUM_BROKER__PREFIX"])
        queue = topology.queue("probe")
        with contextlib.closing(pika.BlockingConnection(topology.parameters())) as connection:
            channel = connection.channel()
            topology.declare(channel, ["probe"])
            assert channel.queue_purge(queue).method.message_count > 0

        with working():
            states = {ended(job_id).state for job_id in ids}

        assert states == {JobState.DONE}
        assert out.read_text() == "x\n" * 3

    def test_runs_what_was_committed_but_never_published(
        self, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        with transaction():
            job_id = enqueue(Append(path=str(tmp_path / "out")), owner_id=None).id
            session.info.clear()  # the process died between commit and publish

        with working():
            assert ended(job_id).state is JobState.DONE

    def test_runs_again_what_a_killed_worker_had(
        self, app: Flask, environ: dict[str, str], put: Put, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        job_id = put(Append(path=str(out), wait_s=1.0))
        first = start_worker(environ)
        try:
            wait_for(lambda: state_of(job_id) is JobState.RUNNING)
        finally:
            os.killpg(first.pid, signal.SIGKILL)
            first.wait()

        second = start_worker(environ)
        try:
            job = ended(job_id)
        finally:
            second.send_signal(signal.SIGTERM)
            second.wait(timeout=15)

        assert (job.state, job.attempt) == (JobState.DONE, 2)
        assert out.read_text() == "x\n"


class TestUnreadableMessages:
    def test_are_shown_sent_again_and_removed_by_administrators(
        self, environ: dict[str, str], app: Flask, as_admin: FlaskClient, working: Callable
    ) -> None:
        prefix, address = environ["ATRIUM_BROKER__PREFIX"], "/jobs/dead-letters/messages"
        broker = publishing.get_broker()
        with working():
            wait_for(lambda: broker.depth("probe") is not None)
            with contextlib.closing(
                pika.BlockingConnection(pika.URLParameters(environ["ATRIUM_BROKER__URL"]))
            ) as connection:
                connection.channel().basic_publish("", f"{prefix}.probe", b"<nonsense>")
            wait_for(lambda: broker.depth("dead") == 1)
        page = as_admin.get("/jobs/dead-letters").text
        assert f"{prefix}.probe <code>&lt;nonsense&gt;</code>" in page

        assert post(as_admin, address, what="what?") == 400
        assert post(as_admin, address, what="requeue") == 302
        wait_for(lambda: (broker.depth("probe"), broker.depth("dead")) == (1, 0))
        with working():
            wait_for(lambda: broker.depth("dead") == 1)
        assert post(as_admin, address, what="purge") == 302

        assert broker.dead_letters(limit=5) == []


class TestUnreachable:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        """A port where nobody listens."""
        return {**environ, "ATRIUM_BROKER__URL": "amqp://guest:guest@127.0.0.1:8119/"}

    def test_enqueue_neither_waits_nor_fails(self, app: Flask, put: Put) -> None:
        put(Append(path=os.devnull))
        started = time.monotonic()

        job_id = put(Append(path=os.devnull))

        assert time.monotonic() - started < 0.5
        assert session.get_one(Job, job_id).state is JobState.QUEUED

    def test_is_said_to_administrators(self, app: Flask, as_admin: FlaskClient) -> None:
        page = as_admin.get("/jobs/dead-letters")

        assert (page.status_code, "cannot be reached" in page.text) == (200, True)
        assert post(as_admin, "/jobs/dead-letters/messages", what="purge") == 302
        assert "cannot be reached" in as_admin.get("/jobs/dead-letters").text
