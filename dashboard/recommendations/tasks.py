"""The task of training; it runs in a process of its own."""

from typing import Any

from dashboard.core.i18n import _, lazy
from dashboard.job_queue.kinds import name_kind
from dashboard.job_queue.schedules import Schedule
from dashboard.recommendations import services
from dashboard.recommendations.messages import RefreshRecommender, TrainRecommender
from dashboard.recommendations.models import RunState
from jobs.retry import Retry
from jobs.tasks import JobContext, Task, task

name_kind("recommendations.train", lazy("Train recommendations"))
name_kind("recommendations.refresh", lazy("Refresh recommendations"))


@task(TrainRecommender, isolate=True, retry=Retry(max_failures=2), timeout_s=3600)
def train(message: TrainRecommender, ctx: JobContext) -> dict[str, Any]:
    """Train and publish; what the job's page shows."""
    run = services.train(
        job_id=ctx.job_id,
        attempt=ctx.attempt,
        requested_by=message.requested_by,
        model=message.model or None,
        progress=ctx.progress,
    )
    ctx.log(
        _(
            "Learnt from %(pairs)s interactions of %(users)s people with %(items)s items",
            pairs=run.recipe["n_pairs"],
            users=run.recipe["n_users"],
            items=run.recipe["n_items"],
        )
    )
    if run.state == RunState.HELD:
        ctx.log(run.message)
    return {"run_id": run.id}


@task(RefreshRecommender, isolate=True, timeout_s=900)
def refresh(_message: RefreshRecommender, ctx: JobContext) -> dict[str, Any]:
    """Bring the shown runs up to date."""
    done = services.refresh_all()
    for each in done:
        ctx.log(
            _(
                "Run #%(run)s: %(events)s new events, %(rows)s items compared again, %(new)s new items",
                run=each.run_id,
                events=each.n_events,
                rows=each.n_rows,
                new=each.n_new_items,
            )
        )
    return {"runs": [each.run_id for each in done]}


TASKS: list[Task] = [train, refresh]
# At night nobody waits; in between new events and items come in every few minutes.
SCHEDULES = [
    Schedule("recommendations.train", cron="15 2 * * *", message=TrainRecommender()),
    Schedule("recommendations.refresh", cron="*/5 * * * *", message=RefreshRecommender()),
]
