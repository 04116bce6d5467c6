"""How far a job is, as people and scripts are told."""

from dataclasses import dataclass

from dashboard.core.i18n import _
from dashboard.job_queue import queries
from dashboard.job_queue.models import Job, JobState
from dashboard.job_queue.reasons import reason_of

# While something happens people watch; afterwards a page only has to notice a retry elsewhere.
POLL_ACTIVE_S = 1.5
POLL_IDLE_S = 10.0


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How far a job is."""

    id: int
    state: JobState
    state_label: str
    active: bool
    attempt: int
    cancel_requested: bool
    progress: float
    progress_message: str
    queue_position: int | None
    silent_s: float | None
    """Seconds since its worker was last heard of, when that is too long ago; a worker that lives beats
    every second."""
    text: str

    @property
    def mark(self) -> str:
        """Changes with everything that a page tells of the job beside progress and place."""
        return f"{self.state.value}-{self.attempt}-{int(self.cancel_requested)}-{int(bool(self.silent_s))}"


def status_of(job: Job) -> JobStatus:
    """The present status of a job."""
    position = queries.queue_position(job)
    silent_s = queries.silent_s(job)
    return JobStatus(
        id=job.id,
        state=job.state,
        state_label=job.state_label,
        active=job.active,
        attempt=job.attempt,
        cancel_requested=job.cancel_requested,
        progress=job.progress,
        progress_message=progress_text(job),
        queue_position=position,
        silent_s=silent_s,
        text=_text(job, position, silent_s),
    )


def progress_text(job: Job) -> str:
    """What the job is doing; in the reader's language when its task said it in a text of the catalogue."""
    return _(job.progress_message) if job.progress_message else ""


def _text(job: Job, position: int | None, silent_s: float | None) -> str:
    if position is not None:
        return _("Position %(n)s in the queue", n=position)
    if job.state is JobState.QUEUED:
        return _reason_for_later(job)
    if job.state is JobState.RUNNING:
        if silent_s is not None:
            return _("Its worker has not been heard of for %(n)s s", n=round(silent_s))
        if job.cancel_requested:
            return _("Being cancelled")
        percent = f"{job.progress:.0%}"
        return f"{percent} {progress_text(job)}".strip()
    return reason_of(job.error) if job.state is JobState.FAILED else ""


def _reason_for_later(job: Job) -> str:
    """Why a queued job has no place in the queue yet."""
    if job.after_id is not None:
        return _("Waits for job %(id)s", id=job.after_id)
    return _("Failed, will be tried again") if job.failures else _("Set for a later time")
