"""Calls of replicas: the processes that hold a deployment's model (jobs/engines/scoring)."""

from typing import Any

from dashboard.serving import runtime
from dashboard.serving.models import Deployment
from dashboard.serving.runtime import Prediction


def call(deployment: Deployment, records: list[dict[str, Any]]) -> Prediction:
    """What a replica answers. Raises BadRecords, ScriptError, ModelError, OutOfTime, NoReplica (runtime.py)."""
    raise runtime.NoReplica
