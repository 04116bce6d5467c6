"""Reads of prediction tasks: who uses a model sees her own, who manages it all of them."""

from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import joinedload

from dashboard.core.database import Page, page_of, session
from dashboard.core.errors import NotFound
from dashboard.serving.models import (
    OPEN_TASKS,
    Deployment,
    Model,
    PredictionTask,
    Right,
    TaskState,
)
from dashboard.serving.queries.viewers import Viewer, seen


def page_of_tasks(
    viewer: Viewer,
    *,
    deployment_id: int | None = None,
    state: str = "",
    page: int = 1,
    per_page: int = 20,
) -> Page[PredictionTask]:
    """The prediction tasks of the deployments the viewer may use, newest first."""
    query = _tasks(viewer).order_by(PredictionTask.id.desc())
    if deployment_id is not None:
        query = query.where(PredictionTask.deployment_id == deployment_id)
    if state in tuple(TaskState):
        query = query.where(PredictionTask.state == state)
    return page_of(query, page=page, per_page=per_page)


def get_task(public_id: str, viewer: Viewer) -> PredictionTask:
    """The task, or NotFound."""
    task = session.scalar(_tasks(viewer).where(PredictionTask.public_id == public_id[:32]))
    if task is None:
        raise NotFound()
    return task


def get_task_of(deployment: Deployment, public_id: str) -> PredictionTask:
    """The task of a deployment, or NotFound."""
    where = (
        PredictionTask.deployment_id == deployment.id,
        PredictionTask.public_id == public_id[:32],
    )
    task = session.scalar(select(PredictionTask).where(*where))
    if task is None:
        raise NotFound()
    return task


def find_task_by_key(deployment_id: int, key: str) -> PredictionTask | None:
    """The task that was sent to a deployment with this idempotency key."""
    where = (PredictionTask.deployment_id == deployment_id, PredictionTask.idempotency_key == key)
    return session.scalar(select(PredictionTask).where(*where))


def list_waiting_tasks(deployment_id: int) -> list[PredictionTask]:
    """The tasks that wait for a paused deployment, oldest first."""
    where = (
        PredictionTask.deployment_id == deployment_id,
        PredictionTask.state == TaskState.WAITING,
    )
    return list(session.scalars(select(PredictionTask).where(*where).order_by(PredictionTask.id)))


def count_open_tasks(deployment_id: int) -> int:
    """How many tasks of a deployment are not finished."""
    where = (
        PredictionTask.deployment_id == deployment_id,
        PredictionTask.state.in_(OPEN_TASKS),
    )
    return session.scalar(select(func.count()).select_from(PredictionTask).where(*where)) or 0


def _tasks(viewer: Viewer) -> Select[Any]:
    query = (
        select(PredictionTask)
        .join(Deployment, PredictionTask.deployment_id == Deployment.id)
        .join(Model, Deployment.model_id == Model.id)
        .options(joinedload(PredictionTask.deployment))
    )
    if viewer.sees_all:
        return query
    # Who may use a model sees the tasks she sent; who manages it sees all of them.
    own = and_(PredictionTask.owner_id == viewer.user_id, seen(viewer, right=Right.USE))
    return query.where(or_(own, seen(viewer, right=Right.MANAGE)))
