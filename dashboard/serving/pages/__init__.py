"""Pages of the model service."""

from dashboard.serving.pages import deployments, models, references, tasks, training
from dashboard.serving.pages.blueprint import pages

__all__ = ["deployments", "models", "pages", "references", "tasks", "training"]
