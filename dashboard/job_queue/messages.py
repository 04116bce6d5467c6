"""The queue's own work."""

from dataclasses import dataclass

from dashboard.core.i18n import lazy
from dashboard.job_queue.kinds import name_kind
from jobs.messages import message


@message("job_queue.clean_up")
@dataclass(frozen=True)
class CleanUp:
    """Remove jobs that finished long ago, and their files."""

    keep_days: int | None = None
    """None means what the configuration says."""


name_kind("job_queue.clean_up", lazy("Clean up old jobs"))
