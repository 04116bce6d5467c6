"""Reads of models, newest first unless said otherwise. Not yours is the same as not there."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from dashboard.core.database import Page, contains, page_of, session
from dashboard.core.errors import Forbidden, NotFound
from dashboard.serving.models import (
    Deployment,
    Model,
    ModelRight,
    ModelVersion,
    Right,
)
from dashboard.serving.queries.viewers import Viewer, may, seen


def page_of_models(
    viewer: Viewer, *, search: str = "", page: int = 1, per_page: int = 20
) -> Page[Model]:
    """The models the viewer may see, newest first; `search` looks into names and descriptions."""
    query = select(Model).where(seen(viewer)).order_by(Model.id.desc())
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
    query = select(Model).where(seen(viewer)).order_by(Model.id.desc())
    return list(session.scalars(query.options(selectinload(Model.versions))))


def get_model(model_id: int, viewer: Viewer, *, right: Right = Right.VIEW) -> Model:
    """The model; NotFound when the viewer may not see it, Forbidden when she may only not do this."""
    query = select(Model).where(Model.id == model_id, seen(viewer))
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
