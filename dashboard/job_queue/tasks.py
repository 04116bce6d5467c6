"""The task of the queue's own work."""

from typing import Any

from dashboard.core.i18n import _
from dashboard.job_queue import removal
from dashboard.job_queue.messages import CleanUp
from dashboard.job_queue.schedules import Schedule
from jobs.tasks import JobContext, Task, task


@task(CleanUp, timeout_s=1800)
def clean_up(message: CleanUp, ctx: JobContext) -> dict[str, Any]:
    """Remove jobs that finished long ago, and their files."""

    def report(n_removed: int) -> None:
        ctx.check()
        ctx.log(_("%(n)s jobs removed", n=n_removed))

    return {"removed": removal.clean_up(keep_days=message.keep_days, on_batch=report)}


TASKS: list[Task] = [clean_up]
SCHEDULES = [Schedule("job_queue.clean_up", cron="30 3 * * *", message=CleanUp())]
