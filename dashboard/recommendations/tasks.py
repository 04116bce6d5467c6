"""The task of training; it runs in a process of its own."""

from typing import Any

from dashboard.core.i18n import _, lazy
from dashboard.job_queue.kinds import name_kind
from dashboard.recommendations import services
from dashboard.recommendations.messages import TrainRecommender
from jobs.retry import Retry
from jobs.tasks import JobContext, Task, task

name_kind("recommendations.train", lazy("Train recommendations"))


@task(TrainRecommender, isolate=True, retry=Retry(max_failures=2), timeout_s=3600)
def train(message: TrainRecommender, ctx: JobContext) -> dict[str, Any]:
    """Train and publish; what the job's page shows."""
    run = services.train(
        job_id=ctx.job_id,
        attempt=ctx.attempt,
        requested_by=message.requested_by,
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
    return {"run_id": run.id}


TASKS: list[Task] = [train]
