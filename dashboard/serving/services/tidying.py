"""What is done with prediction tasks from time to time: failed ones told, old ones and strays removed."""

import shutil
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import select

from dashboard.core import uploads
from dashboard.core.database import session, transaction, utcnow
from dashboard.serving import queries
from dashboard.serving.models import (
    PredictionTask,
    TaskState,
)
from dashboard.serving.services.tasks import end_job


def catch_up(tasks: Sequence[PredictionTask]) -> None:
    """Bring tasks up to date that were read before their jobs were looked at, and may have ended since."""
    left = [task for task in tasks if task.open and task.job_id is not None]
    if left:
        settle(left)
    for task in left:
        session.refresh(task)


def settle(tasks: Sequence[PredictionTask] | None = None) -> int:
    """Mark the tasks whose jobs have failed or were cancelled, of these or of all; how many they were."""
    from dashboard.job_queue.models import Job, JobState

    ended = {JobState.FAILED: TaskState.FAILED, JobState.CANCELLED: TaskState.CANCELLED}
    query = (
        select(PredictionTask, Job)
        .join(Job, PredictionTask.job_id == Job.id)
        .where(
            PredictionTask.state.in_((TaskState.QUEUED, TaskState.RUNNING)),
            Job.state.in_(tuple(ended)),
        )
    )
    if tasks is not None:
        query = query.where(PredictionTask.id.in_([task.id for task in tasks]))
    with transaction():
        found = list(session.execute(query))
        for task, job in found:
            task.state, task.error = ended[job.state], job.error[:500]
            task.finished_at = job.finished_at or utcnow()
    return len(found)


def expire_tasks() -> int:
    """Remove the files of tasks whose time is over, finished or not; how many they were."""
    over = select(PredictionTask).where(
        PredictionTask.expires_at < utcnow(), PredictionTask.state != TaskState.EXPIRED
    )
    with transaction():
        found = list(session.scalars(over))
        for task in found:
            if task.open and task.job_id is not None:
                end_job(task.job_id)
            task.state = TaskState.EXPIRED
            task.finished_at = task.finished_at or utcnow()
            folder = queries.task_folder(task)
            uploads.on_commit(partial(shutil.rmtree, folder, ignore_errors=True))
    return len(found)


def remove_strays(*, older_than_s: float) -> int:
    """Remove the folders of tasks that have no row; how many. Young ones may belong to an open transaction."""
    root = queries.folder() / "tasks"
    if not root.exists():
        return 0
    known = set(session.scalars(select(PredictionTask.public_id)))
    before = datetime.now().timestamp() - older_than_s
    strays = [
        path for path in root.iterdir() if path.name not in known and path.stat().st_mtime < before
    ]
    for path in strays:
        shutil.rmtree(path, ignore_errors=True)
    return len(strays)
