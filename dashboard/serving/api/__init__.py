"""The API of models, deployments and predictions."""

from dashboard.serving.api import deployments, models, predictions, uploads
from dashboard.serving.api.blueprint import api

__all__ = ["api", "deployments", "models", "predictions", "uploads"]
