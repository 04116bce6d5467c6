"""The blueprint of the model service's pages, and what all of them share."""

from typing import Any

from flask import Blueprint, request
from flask_security import current_user

from dashboard.core.access import has_role
from dashboard.serving import charts, models
from dashboard.serving.callers import earlier_upload
from dashboard.serving.queries import Viewer
from dashboard.serving.services.training import algorithm_label

pages = Blueprint("serving", __name__)

PER_PAGE = 20
MAX_PAGE = 1_000_000


@pages.app_context_processor
def _labels() -> dict[str, Any]:
    return {
        "serving_labels": {
            "health": models.HEALTH_LABELS,
            "task": models.TASK_LABELS,
            "task_kind": models.TASK_KIND_LABELS,
            "right": models.RIGHT_LABELS,
            "training": models.TRAINING_LABELS,
            "algorithm": algorithm_label,
            "step": charts.step_label,
            "face": charts.face_label,
            # The colour of a state is named after the states of jobs.
            "colour": _colour,
        },
        "earlier_upload": earlier_upload,
    }


def viewer() -> Viewer:
    """Whoever looks."""
    return Viewer(user_id=current_user.id, sees_all=has_role("admin"))


def page_number() -> int:
    """Which page of a list is wanted."""
    return min(request.args.get("page", 1, type=int), MAX_PAGE)


def _colour(state: str) -> str:
    colours = {
        **{"ready": "done", "starting": "queued", "degraded": "running", "stopped": "cancelled"},
        **{"waiting": "queued", "expired": "cancelled"},
    }
    return colours.get(state, state)
