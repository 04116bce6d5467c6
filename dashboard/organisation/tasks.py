"""The organisation's jobs."""

from typing import Any

from dashboard.core.i18n import lazy
from dashboard.job_queue.kinds import name_kind
from dashboard.job_queue.schedules import Schedule
from dashboard.organisation import services
from dashboard.organisation.messages import TidyFiles
from jobs.tasks import JobContext, Task, task

name_kind("organisation.tidy_files", lazy("Remove left-over plans and models"))


@task(TidyFiles, timeout_s=600)
def tidy_files(_message: TidyFiles, _ctx: JobContext) -> dict[str, Any]:
    """Remove floor plans and building models without a row."""
    return {"removed": services.tidy_files()}


TASKS: list[Task] = [tidy_files]
SCHEDULES = [Schedule("organisation.tidy_files", cron="55 3 * * *", message=TidyFiles())]
