"""The tables of models, deployments and predictions."""

from dashboard.serving.models.choices import (
    HEALTH_LABELS,
    OPEN_TASKS,
    RIGHT_LABELS,
    TASK_KIND_LABELS,
    TASK_LABELS,
    TRAINING_LABELS,
    BaselineOrigin,
    DeploymentState,
    Health,
    Right,
    TaskKind,
    TaskState,
    TrainingState,
)
from dashboard.serving.models.counts import (
    CountedJournal,
    DriftCount,
    PredictionFault,
    PredictionHour,
)
from dashboard.serving.models.deployments import Deployment, IncomingFile, PredictionTask
from dashboard.serving.models.registry import Model, ModelRight, ModelTraining, ModelVersion

__all__ = [
    "HEALTH_LABELS",
    "OPEN_TASKS",
    "RIGHT_LABELS",
    "TASK_KIND_LABELS",
    "TASK_LABELS",
    "TRAINING_LABELS",
    "BaselineOrigin",
    "CountedJournal",
    "Deployment",
    "DeploymentState",
    "DriftCount",
    "Health",
    "IncomingFile",
    "Model",
    "ModelRight",
    "ModelTraining",
    "ModelVersion",
    "PredictionFault",
    "PredictionHour",
    "PredictionTask",
    "Right",
    "TaskKind",
    "TaskState",
    "TrainingState",
]
