"""The whole way: enqueue, a worker, the end; on every database."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from dashboard.job_queue import queries
from dashboard.job_queue.models import EventKind, JobState
from tests.dashboard.job_queue.conftest import ended
from tests.dashboard.job_queue.probe import Append

Put = Callable[..., int]


class TestWorker:
    def test_runs_what_was_enqueued(
        self, each_database: str, app: Flask, put: Put, working: Callable, tmp_path: Path
    ) -> None:
        with working():
            job = ended(put(Append(path=str(tmp_path / "out"), line="hello")))

        assert (job.state, job.result, job.progress) == (JobState.DONE, {"line": "hello"}, 1.0)
        assert (tmp_path / "out").read_text() == "hello\n"
        assert [event.kind for event in queries.list_events(job.id)] == [
            EventKind.QUEUED,
            EventKind.STARTED,
            EventKind.DONE,
        ]
        assert "appended hello" in queries.read_log(job).text
