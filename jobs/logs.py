"""Log lines that say to which job they belong: [job=12 attempt=1 kind=catalogue.check_video]."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_current: ContextVar[str] = ContextVar("job", default="")


@contextmanager
def logging_job(job_id: int, *, attempt: int, kind: str) -> Iterator[None]:
    """Whatever is logged inside belongs to this job."""
    token = _current.set(f" [job={job_id} attempt={attempt} kind={kind}]")
    try:
        yield
    finally:
        _current.reset(token)


def job_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    """A log record with the attribute `job` for formats: the present job in brackets, or nothing."""
    record = logging.LogRecord(*args, **kwargs)
    record.job = _current.get()
    return record
