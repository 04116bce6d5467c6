"""Reads of trainings."""

from sqlalchemy import select

from dashboard.core.database import Page, page_of, session
from dashboard.core.errors import NotFound
from dashboard.serving.models import (
    ModelTraining,
)
from dashboard.serving.queries.viewers import Viewer


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
