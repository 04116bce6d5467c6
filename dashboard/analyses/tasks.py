"""The jobs of analyses; a run is in a process of its own."""

from typing import Any

from dashboard.analyses import services
from dashboard.analyses.messages import RunAnalysis, TidyAnalyses
from dashboard.core.i18n import _, lazy
from dashboard.job_queue.kinds import name_kind
from dashboard.job_queue.schedules import Schedule
from jobs.retry import Retry
from jobs.tasks import JobContext, Task, task

name_kind("analyses.run", lazy("Analyse mutation tables"))
name_kind("analyses.tidy", lazy("Remove old drafts of analyses"))

# The words that the customer's scripts look for in the log.
ENDED_WELL = lazy("The analysis ended successfully.")
ENDED_BADLY = lazy("Something went wrong: %(why)s")


@task(RunAnalysis, isolate=True, retry=Retry(max_failures=2), timeout_s=6 * 3600)
def run_analysis(message: RunAnalysis, ctx: JobContext) -> dict[str, Any]:
    """Find the clones and publish them; what the job's page shows."""
    try:
        run = services.execute(
            message.run_id,
            job_id=ctx.job_id,
            attempt=ctx.attempt,
            folder=ctx.workspace(),
            progress=ctx.progress,
            log=ctx.log,
        )
    except Exception as error:
        ctx.log(str(ENDED_BADLY) % {"why": type(error).__name__})
        raise
    ctx.log(
        _(
            "%(mutations)s mutations in %(samples)s samples: %(clusters)s clusters",
            mutations=run.summary["mutations"],
            samples=run.summary["samples"],
            clusters=run.summary["clusters"],
        )
    )
    ctx.log(str(ENDED_WELL))
    return {"run_id": run.id}


@task(TidyAnalyses, timeout_s=1800)
def tidy_analyses(_message: TidyAnalyses, _ctx: JobContext) -> dict[str, Any]:
    """Remove old drafts, half-sent tables and folders without a row."""
    return {"removed": services.tidy()}


TASKS: list[Task] = [run_analysis, tidy_analyses]
SCHEDULES = [Schedule("analyses.tidy", cron="25 * * * *", message=TidyAnalyses())]
