"""Where the results of each kind of job are shown; each domain says so for its own."""

from collections.abc import Callable

from flask import url_for

from dashboard.job_queue.models import Job, JobState

ResultPage = Callable[[Job], str | None]
"""The address of the page that shows what a completed job made; None when that is gone."""

_pages: dict[str, ResultPage] = {}


def show_results_at(kind: str, page: ResultPage) -> None:
    """Say where the results of a kind are shown; unless told, that is the page of the job."""
    _pages[kind] = page


def result_page_of(job: Job) -> str:
    """Where to look when the job has ended: at its result, or at its own page."""
    found = None
    if job.state is JobState.DONE and job.kind in _pages:
        found = _pages[job.kind](job)
    return found or url_for("job_queue.job", job_id=job.id)
