"""The tasks of predictions and trainings, and the tidying."""

from typing import Any

from dashboard.core.i18n import _, lazy
from dashboard.job_queue.kinds import name_kind
from dashboard.job_queue.schedules import Schedule
from dashboard.serving import services
from dashboard.serving.messages import Predict, PredictBatch, Tidy, TrainModel
from dashboard.serving.services import incoming
from jobs.retry import Retry
from jobs.tasks import JobContext, Task, task

name_kind("serving.predict", lazy("Prediction"))
name_kind("serving.predict_batch", lazy("Batch prediction"))
name_kind("serving.train", lazy("Train a model"))
name_kind("serving.tidy", lazy("Tidy up predictions"))

STRAY_AGE_S = 24 * 3600


@task(Predict, retry=Retry(max_failures=5), timeout_s=600)
def predict(message: Predict, ctx: JobContext) -> dict[str, Any]:
    """Answer the records of a task."""
    return _run(message.task_id, ctx)


# In a process of its own with limits: files come from outside, and are long.
@task(PredictBatch, isolate=True, retry=Retry(max_failures=5), timeout_s=6 * 3600)
def predict_batch(message: PredictBatch, ctx: JobContext) -> dict[str, Any]:
    """Answer the rows of a task's file."""
    return _run(message.task_id, ctx)


@task(TrainModel, isolate=True, retry=Retry(max_failures=2), timeout_s=3600, max_running=2)
def train_model(message: TrainModel, ctx: JobContext) -> dict[str, Any]:
    """Learn a model from a table and add it to the registry."""
    training = services.train(
        message.training_id, job_id=ctx.job_id, attempt=ctx.attempt, progress=ctx.progress
    )
    for score in training.metrics["scores"]:
        ctx.log(f"{score['algorithm']}: {score['mean']:.4f}")
    ctx.log(_("Kept: %(name)s", name=training.metrics["algorithm"]))
    return {"training_id": training.id}


@task(Tidy, timeout_s=1800)
def tidy(_message: Tidy, ctx: JobContext) -> dict[str, Any]:
    """Settle and expire prediction tasks, count journals that were left behind, remove strays."""
    result = {
        "counted": services.count_all(),
        "settled": services.settle(),
        "expired": services.expire_tasks(),
        "strays": services.remove_strays(older_than_s=STRAY_AGE_S),
        "uploads": incoming.remove_expired_uploads()
        + incoming.remove_stray_uploads(older_than_s=STRAY_AGE_S),
    }
    services.forget_counted()
    ctx.log(str(result))
    return result


def _run(task_id: int, ctx: JobContext) -> dict[str, Any]:
    try:
        return services.run_task(
            task_id, job_id=ctx.job_id, attempt=ctx.attempt, progress=ctx.progress
        )
    finally:
        services.count_all()


TASKS: list[Task] = [predict, predict_batch, train_model, tidy]
SCHEDULES = [Schedule("serving.tidy", cron="*/10 * * * *", message=Tidy())]
