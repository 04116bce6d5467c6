import time
from pathlib import Path

import pytest

from jobs.messages import BadMessage
from jobs.retry import NEVER
from jobs.tasks import Cancelled, JobContext, TaskRegistry, TimedOut, task
from tests.jobs.test_messages import Greet


class Told:
    """A reporter that remembers."""

    def __init__(self, stop: str | None = None) -> None:
        self.progressed: list[float] = []
        self._stop = stop

    def progress(self, fraction: float, text: str) -> None:
        self.progressed.append(fraction)

    def log(self, line: str) -> None: ...

    def stop_reason(self) -> str | None:
        return self._stop


@task(Greet, retry=NEVER)
def greet(message: Greet, ctx: JobContext) -> dict[str, str]:
    return {"hello": message.name}


def context(told: Told, folder: Path, *, deadline: float | None = None) -> JobContext:
    return JobContext(
        job_id=1, attempt=1, owner_id=None, folder=folder, reporter=told, deadline=deadline
    )


class TestTask:
    def test_is_called_like_its_function(self, tmp_path: Path) -> None:
        assert greet(Greet("Ana"), context(Told(), tmp_path)) == {"hello": "Ana"}


class TestJobContext:
    def test_keeps_progress_between_0_and_1(self, tmp_path: Path) -> None:
        told = Told()

        for fraction in (-1.0, 0.5, 7.0):
            context(told, tmp_path).progress(fraction)

        assert told.progressed == [0.0, 0.5, 1.0]

    def test_raises_when_the_job_should_stop(self, tmp_path: Path) -> None:
        with pytest.raises(Cancelled):
            context(Told(stop="cancel"), tmp_path).progress(0.1)

    def test_raises_after_the_deadline(self, tmp_path: Path) -> None:
        with pytest.raises(TimedOut):
            context(Told(), tmp_path, deadline=time.monotonic() - 1).check()


class TestTaskRegistry:
    def test_refuses_two_tasks_for_one_kind(self) -> None:
        with pytest.raises(ValueError, match=r"two tasks for the kind 'sample\.greet'"):
            TaskRegistry([greet, greet])

    def test_names_an_unknown_kind(self) -> None:
        with pytest.raises(BadMessage, match=r"unknown kind of job: sample\.gone"):
            TaskRegistry([greet]).get("sample.gone")
