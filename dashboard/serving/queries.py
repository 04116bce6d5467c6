"""Reads of models, deployments and prediction tasks, and who may see which row.

An owner sees her own and what was shared with her; administrators see all. Not yours is the same as not there.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select, true
from sqlalchemy.orm import joinedload, selectinload

from dashboard.core.config import Serving
from dashboard.core.database import Page, contains, page_of, session
from dashboard.core.errors import Forbidden, NotFound
from dashboard.serving.models import (
    OPEN_TASKS,
    Deployment,
    DeploymentState,
    DriftCount,
    Model,
    ModelRight,
    ModelTraining,
    ModelVersion,
    PredictionFault,
    PredictionHour,
    PredictionTask,
    Right,
    TaskState,
)

_INCLUDES = {
    Right.VIEW: (Right.VIEW, Right.USE, Right.MANAGE),
    Right.USE: (Right.USE, Right.MANAGE),
    Right.MANAGE: (Right.MANAGE,),
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks."""

    user_id: int | None
    """None is the portal itself: the command line, a task."""
    sees_all: bool = False


PORTAL = Viewer(user_id=None, sees_all=True)


def settings() -> Serving:
    """The [serving] section of the configuration."""
    section: Serving = current_app.config["ATRIUM"].serving
    return section


# ------------------------------------------------------------------------------------------------ models


def page_of_models(
    viewer: Viewer, *, search: str = "", page: int = 1, per_page: int = 20
) -> Page[Model]:
    """The models the viewer may see, newest first; `search` looks into names and descriptions."""
    query = select(Model).where(_seen(viewer)).order_by(Model.id.desc())
    if search:
        pattern = contains(search.strip())
        query = query.where(
            or_(
                Model.name.ilike(pattern, escape="\\"),
                Model.description.ilike(pattern, escape="\\"),
            )
        )
    loads = (selectinload(Model.versions), joinedload(Model.owner))
    return page_of(query.options(*loads), page=page, per_page=per_page)


def list_models(viewer: Viewer) -> list[Model]:
    """All models the viewer may see, newest first."""
    query = select(Model).where(_seen(viewer)).order_by(Model.id.desc())
    return list(session.scalars(query.options(selectinload(Model.versions))))


def get_model(model_id: int, viewer: Viewer, *, right: Right = Right.VIEW) -> Model:
    """The model; NotFound when the viewer may not see it, Forbidden when she may only not do this."""
    query = select(Model).where(Model.id == model_id, _seen(viewer))
    model = session.scalar(query.options(selectinload(Model.versions)))
    if model is None:
        raise NotFound()
    if not may(viewer, model, right):
        raise Forbidden()
    return model


def find_own_model(owner_id: int, name: str) -> Model | None:
    """The model of this name that somebody owns."""
    query = select(Model).where(Model.owner_id == owner_id, Model.name == name)
    return session.scalar(query.options(selectinload(Model.versions)))


def list_own_models(owner_id: int) -> list[Model]:
    """The models that somebody owns, newest first."""
    query = select(Model).where(Model.owner_id == owner_id).order_by(Model.id.desc())
    return list(session.scalars(query.options(selectinload(Model.versions))))


def get_version(model: Model, number: int) -> ModelVersion:
    """The version of a model with this number."""
    found = next((version for version in model.versions if version.number == number), None)
    if found is None:
        raise NotFound()
    return found


def may(viewer: Viewer, model: Model, right: Right) -> bool:
    """Whether the viewer may do this with the model."""
    if viewer.sees_all or model.owner_id == viewer.user_id:
        return True
    granted = session.get(ModelRight, (model.id, viewer.user_id)) if viewer.user_id else None
    return granted is not None and granted.right in _INCLUDES[right]


def owns(viewer: Viewer, model: Model) -> bool:
    """Whether the viewer may share and delete the model."""
    return viewer.sees_all or model.owner_id == viewer.user_id


def list_rights(model: Model) -> list[ModelRight]:
    """With whom the model is shared, in the order of their ids."""
    query = select(ModelRight).where(ModelRight.model_id == model.id)
    return list(
        session.scalars(query.options(joinedload(ModelRight.user)).order_by(ModelRight.user_id))
    )


def count_deployments_of(model_ids: Sequence[int]) -> dict[int, int]:
    """How many deployments each of the models has."""
    query = (
        select(Deployment.model_id, func.count())
        .where(Deployment.model_id.in_(model_ids))
        .group_by(Deployment.model_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _seen(viewer: Viewer, *, right: Right = Right.VIEW) -> ColumnElement[bool]:
    if viewer.sees_all:
        return true()
    shared = select(ModelRight.model_id).where(
        ModelRight.user_id == viewer.user_id, ModelRight.right.in_(_INCLUDES[right])
    )
    return or_(Model.owner_id == viewer.user_id, Model.id.in_(shared))


# ------------------------------------------------------------------------------------------- deployments


def page_of_deployments(
    viewer: Viewer, *, search: str = "", page: int = 1, per_page: int = 20
) -> Page[Deployment]:
    """The deployments the viewer may see, newest first."""
    query = _deployments(viewer).order_by(Deployment.id.desc())
    if search:
        query = query.where(Deployment.name.ilike(contains(search.strip()), escape="\\"))
    return page_of(query, page=page, per_page=per_page)


def list_deployments_of(model: Model) -> list[Deployment]:
    """The deployments of a model, newest first."""
    query = select(Deployment).where(Deployment.model_id == model.id)
    loads = (joinedload(Deployment.version), joinedload(Deployment.model))
    return list(session.scalars(query.options(*loads).order_by(Deployment.id.desc())))


def list_all_deployments() -> list[Deployment]:
    """Every deployment of the portal, by id: what the process that serves them makes real."""
    loads = (joinedload(Deployment.version), joinedload(Deployment.model))
    return list(session.scalars(select(Deployment).options(*loads).order_by(Deployment.id)))


def list_callable() -> Sequence[Row[Any]]:
    """Of every deployment: id, token_hash, timeout_s, state, version_id, script, and baseline_about of its version."""
    names = ("id", "token_hash", "timeout_s", "state", "version_id", "script")
    columns = [*(getattr(Deployment, name) for name in names), ModelVersion.baseline_about]
    return session.execute(select(*columns).join(Deployment.version)).all()


def list_versions_of_ids(version_ids: Iterable[int]) -> list[ModelVersion]:
    """The versions of these ids."""
    query = select(ModelVersion).where(ModelVersion.id.in_(list(version_ids)))
    return list(session.scalars(query))


def get_deployment(deployment_id: int, viewer: Viewer, *, right: Right = Right.VIEW) -> Deployment:
    """The deployment; NotFound and Forbidden as for its model."""
    query = _deployments(viewer).where(Deployment.id == deployment_id)
    return _allowed(session.scalar(query), viewer, right)


def get_deployment_named(name: str, viewer: Viewer, *, right: Right = Right.VIEW) -> Deployment:
    """The deployment of this name; NotFound and Forbidden as for its model."""
    query = _deployments(viewer).where(Deployment.name == name)
    return _allowed(session.scalar(query), viewer, right)


def find_deployment_by_token(token_hash: str) -> Deployment | None:
    """The deployment whose token has this hash."""
    loads = (joinedload(Deployment.version), joinedload(Deployment.model))
    query = select(Deployment).where(Deployment.token_hash == token_hash)
    return session.scalar(query.options(*loads))


def _allowed(deployment: Deployment | None, viewer: Viewer, right: Right) -> Deployment:
    if deployment is None:
        raise NotFound()
    if not may(viewer, deployment.model, right):
        raise Forbidden()
    return deployment


def _deployments(viewer: Viewer) -> Select[Any]:
    loads = (joinedload(Deployment.version), joinedload(Deployment.model))
    query = select(Deployment).join(Model, Deployment.model_id == Model.id).options(*loads)
    return query.where(_seen(viewer))


def reserved(*, besides: int | None = None) -> tuple[float, int]:
    """CPUs and MiB of memory that running deployments have reserved, all replicas together."""
    query = select(
        func.coalesce(func.sum(Deployment.cpus * Deployment.replicas), 0.0),
        func.coalesce(func.sum(Deployment.memory_mb * Deployment.replicas), 0),
    ).where(Deployment.state == DeploymentState.RUNNING)
    if besides is not None:
        query = query.where(Deployment.id != besides)
    cpus, memory_mb = session.execute(query).one()
    return float(cpus), int(memory_mb)


# ------------------------------------------------------------------------------------------------- tasks


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
    own = and_(PredictionTask.owner_id == viewer.user_id, _seen(viewer, right=Right.USE))
    return query.where(or_(own, _seen(viewer, right=Right.MANAGE)))


# --------------------------------------------------------------------------------------------- monitoring


def list_hours(deployment_id: int, *, hours: int) -> list[PredictionHour]:
    """What a deployment did in the last hours, oldest first."""
    since = int(time.time() // 3600) - hours
    query = select(PredictionHour).where(
        PredictionHour.deployment_id == deployment_id, PredictionHour.hour > since
    )
    return list(session.scalars(query.order_by(PredictionHour.hour, PredictionHour.face)))


def list_all_hours() -> list[PredictionHour]:
    """Everything that was ever counted, for the metrics."""
    return list(session.scalars(select(PredictionHour)))


def totals(ids: list[int], *, timed: Sequence[str]) -> dict[int, tuple[int, int, float | None]]:
    """Of each deployment: requests, errors, and the mean milliseconds of those that came by the `timed` faces."""
    hour = PredictionHour
    is_timed = hour.face.in_(timed)
    query = (
        select(
            *(hour.deployment_id, func.sum(hour.n_requests), func.sum(hour.n_errors)),
            func.sum(case((is_timed, hour.n_requests), else_=0)),
            func.sum(case((is_timed, hour.total_ms), else_=0.0)),
        )
        .where(hour.deployment_id.in_(ids))
        .group_by(hour.deployment_id)
    )
    return {
        row[0]: (int(row[1]), int(row[2]), float(row[4]) / int(row[3]) if row[3] else None)
        for row in session.execute(query)
    }


def list_faults(deployment_id: int) -> list[PredictionFault]:
    """The last errors of a deployment, newest first."""
    query = select(PredictionFault).where(PredictionFault.deployment_id == deployment_id)
    return list(session.scalars(query.order_by(PredictionFault.id.desc())))


def drift_bins(deployment_id: int, *, days: int) -> dict[str, list[int]]:
    """How many values of each input fell into each bin of its baseline in the last days."""
    since = int(time.time() // 86400) - days
    query = select(DriftCount).where(
        DriftCount.deployment_id == deployment_id, DriftCount.day > since
    )
    found: dict[str, list[int]] = {}
    for row in session.scalars(query):
        before = found.get(row.field) or [0] * len(row.bins)
        found[row.field] = [a + b for a, b in zip(before, row.bins, strict=False)]
    return found


# --------------------------------------------------------------------------------------------- trainings


def page_of_trainings(viewer: Viewer, *, page: int = 1, per_page: int = 20) -> Page[ModelTraining]:
    """The trainings the viewer may see, newest first."""
    query = select(ModelTraining).order_by(ModelTraining.id.desc())
    if not viewer.sees_all:
        query = query.where(ModelTraining.owner_id == viewer.user_id)
    return page_of(query, page=page, per_page=per_page)


def get_training(training_id: int, viewer: Viewer) -> ModelTraining:
    """The training, or NotFound."""
    training = session.get(ModelTraining, training_id)
    if training is None or not (viewer.sees_all or training.owner_id == viewer.user_id):
        raise NotFound()
    return training


def find_training_of(version_ids: list[int]) -> dict[int, ModelTraining]:
    """The trainings that made these versions, by version."""
    query = select(ModelTraining).where(ModelTraining.version_id.in_(version_ids))
    return {each.version_id: each for each in session.scalars(query) if each.version_id}


# ------------------------------------------------------------------------------------------------- files


def folder() -> Path:
    """Where model files, tables and tasks are kept; no address serves it."""
    data_dir: Path = current_app.config["ATRIUM"].site.data_dir
    return data_dir / "models"


def path_of(version: ModelVersion) -> Path:
    """The file of a version."""
    return folder() / Path(version.file_name).name


def table_path(training: ModelTraining) -> Path:
    """The table of a training."""
    return folder() / "tables" / Path(training.file_name).name


def task_folder(task: PredictionTask) -> Path:
    """Where the input, the parts and the result of a task are."""
    return folder() / "tasks" / Path(task.public_id).name
