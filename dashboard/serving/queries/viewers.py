"""Who looks, and what she may see and do."""

from dataclasses import dataclass

from flask import current_app
from sqlalchemy import ColumnElement, or_, select, true

from dashboard.core.config import Serving
from dashboard.core.database import session
from dashboard.serving.models import (
    Model,
    ModelRight,
    Right,
)

INCLUDES = {
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


def may(viewer: Viewer, model: Model, right: Right) -> bool:
    """Whether the viewer may do this with the model."""
    if viewer.sees_all or model.owner_id == viewer.user_id:
        return True
    granted = session.get(ModelRight, (model.id, viewer.user_id)) if viewer.user_id else None
    return granted is not None and granted.right in INCLUDES[right]


def owns(viewer: Viewer, model: Model) -> bool:
    """Whether the viewer may share and delete the model."""
    return viewer.sees_all or model.owner_id == viewer.user_id


def seen(viewer: Viewer, *, right: Right = Right.VIEW) -> ColumnElement[bool]:
    if viewer.sees_all:
        return true()
    shared = select(ModelRight.model_id).where(
        ModelRight.user_id == viewer.user_id, ModelRight.right.in_(INCLUDES[right])
    )
    return or_(Model.owner_id == viewer.user_id, Model.id.in_(shared))
