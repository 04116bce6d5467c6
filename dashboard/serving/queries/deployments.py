"""Reads of deployments, and what they have reserved."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import joinedload

from dashboard.core.database import Page, contains, page_of, session
from dashboard.core.errors import Forbidden, NotFound
from dashboard.serving.models import (
    Deployment,
    DeploymentState,
    Model,
    ModelVersion,
    Right,
)
from dashboard.serving.queries.viewers import Viewer, may, seen


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


def _deployments(viewer: Viewer) -> Select[Any]:
    loads = (joinedload(Deployment.version), joinedload(Deployment.model))
    query = select(Deployment).join(Model, Deployment.model_id == Model.id).options(*loads)
    return query.where(seen(viewer))


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


def _allowed(deployment: Deployment | None, viewer: Viewer, right: Right) -> Deployment:
    if deployment is None:
        raise NotFound()
    if not may(viewer, deployment.model, right):
        raise Forbidden()
    return deployment
