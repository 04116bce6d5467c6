"""Jobs on the command line: `run.py jobs list|show|cancel|retry|purge`."""

from dashboard.core.database import utcnow
from dashboard.core.errors import Invalid
from dashboard.job_queue import queries, removal, services
from dashboard.job_queue.models import STATE_LABELS, Job, JobState
from dashboard.job_queue.queries import Viewer

OPERATOR = Viewer(user_id=None, sees_all=True)
"""Whoever may start the command may do all."""


def list_jobs(*, state: str | None, kind: str | None, n: int) -> str:
    """The newest jobs, one a line."""
    wanted = _state(state) if state else None
    page = queries.page_of_jobs(OPERATOR, state=wanted, kind=kind, per_page=n)
    lines = [_line(job) for job in page.items]
    return "\n".join([*lines, f"{len(lines)} of {page.total} jobs"])


def show(job_id: int) -> str:
    """Everything about one job."""
    job = queries.get_job(job_id, OPERATOR)
    fields = ("owner_id", "attempt", "failures", "worker", "run_at", "created_at", "started_at")
    lines = [_line(job), *(f"  {name:12} {getattr(job, name)}" for name in fields)]
    lines += [f"  args         {job.args}", f"  result       {job.result}"]
    lines += [
        f"  {event.at:%Y-%m-%d %H:%M:%S} {event.kind} {event.note}"
        for event in queries.list_events(job)
    ]
    return "\n".join([*lines, queries.read_log(job).text.rstrip()]).rstrip()


def cancel(job_id: int) -> str:
    """Cancel it; what became of it."""
    return _line(services.cancel_job(job_id, viewer=OPERATOR))


def retry(job_id: int) -> str:
    """Queue it again; what became of it."""
    return _line(services.retry_job(job_id, viewer=OPERATOR))


def purge(*, state: str, older_than_days: int) -> str:
    """Remove finished jobs; how many."""
    wanted = _state(state)
    n_removed = removal.purge(state=wanted, keep_days=older_than_days)
    return f"{n_removed} jobs removed"


def _state(text: str) -> JobState:
    try:
        return JobState(text)
    except ValueError:
        raise Invalid(f"no such state: {text}; known: {', '.join(STATE_LABELS)}") from None


def _line(job: Job) -> str:
    age_s = (utcnow() - job.created_at).total_seconds()
    note = job.error or job.progress_message
    return f"{job.id:>8} {job.state:10} {job.kind:28} {age_s / 60:8.1f} min {job.progress:4.0%} {note}".rstrip()
