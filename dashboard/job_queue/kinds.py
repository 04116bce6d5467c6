"""The kinds of jobs: what people call them (each domain names its own beside its messages), their limits."""

from collections.abc import Iterable
from typing import Any, cast

from flask import Flask, current_app

from jobs.tasks import Task, TaskRegistry

EXTENSION = "atrium_job_tasks"
_labels: dict[str, Any] = {}


def init_app(app: Flask, tasks: Iterable[Task]) -> None:
    """Tell the application what its workers do."""
    app.extensions[EXTENSION] = TaskRegistry(tasks)


def max_running(kind: str) -> int | None:
    """The most jobs of the kind that may run at once; None is no limit."""
    return _tasks().caps().get(kind)


def max_per_minute(kind: str) -> int | None:
    """The most jobs of the kind that may start in a minute; None is no limit."""
    return _tasks().rates().get(kind)


def name_kind(kind: str, label: Any) -> None:
    """Give a kind a (lazily translated) name."""
    _labels[kind] = label


def label_of(kind: str) -> str:
    """The name of a kind in the reader's language, or the kind itself."""
    return str(_labels.get(kind, kind))


def _tasks() -> TaskRegistry:
    return cast(TaskRegistry, current_app.extensions[EXTENSION])
