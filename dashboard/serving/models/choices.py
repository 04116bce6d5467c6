"""The fixed choices of the model service, with their words."""

from enum import StrEnum

from dashboard.core.i18n import lazy


class Right(StrEnum):
    """What somebody may do with a model of another person; each includes the ones before."""

    VIEW = "view"  # its page and its description
    USE = "use"  # test it and call its deployments
    MANAGE = "manage"  # everything but sharing and deleting it


RIGHT_LABELS = {
    Right.VIEW: lazy("May look"),
    Right.USE: lazy("May use"),
    Right.MANAGE: lazy("May manage"),
}


class BaselineOrigin(StrEnum):
    """Where it is known from how a version's inputs were spread when it learnt."""

    TRAINING = "training"  # the model was trained here
    FILE = "file"  # the model's file says so
    TABLE = "table"  # somebody gave a table of reference


class DeploymentState(StrEnum):
    """What its owner wants of a deployment."""

    RUNNING = "running"
    PAUSED = "paused"


class Health(StrEnum):
    """How a deployment stands, as the process that serves it reports."""

    STARTING = "starting"  # no replica has answered yet
    READY = "ready"
    DEGRADED = "degraded"  # some replicas are missing
    FAILED = "failed"  # replicas end as soon as they start
    STOPPED = "stopped"  # paused


HEALTH_LABELS = {
    Health.STARTING: lazy("Starting"),
    Health.READY: lazy("In service"),
    Health.DEGRADED: lazy("In service with fewer replicas"),
    Health.FAILED: lazy("Failed"),
    Health.STOPPED: lazy("Paused"),
}


class TaskKind(StrEnum):
    """The two kinds of prediction whose result is fetched later."""

    SINGLE = "single"  # records in a request
    BATCH = "batch"  # a file


TASK_KIND_LABELS = {TaskKind.SINGLE: lazy("Asynchronous"), TaskKind.BATCH: lazy("Batch")}


class TaskState(StrEnum):
    """Where a prediction task stands."""

    WAITING = "waiting"  # its deployment is paused; it is queued when that is resumed
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # input and result have been removed


TASK_LABELS = {
    TaskState.WAITING: lazy("Waits for the deployment"),
    TaskState.QUEUED: lazy("Queued"),
    TaskState.RUNNING: lazy("Running"),
    TaskState.DONE: lazy("Completed"),
    TaskState.FAILED: lazy("Failed"),
    TaskState.CANCELLED: lazy("Cancelled"),
    TaskState.EXPIRED: lazy("Expired"),
}

OPEN_TASKS = (TaskState.WAITING, TaskState.QUEUED, TaskState.RUNNING)


class TrainingState(StrEnum):
    """How the training of a model stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


TRAINING_LABELS = {
    TrainingState.QUEUED: lazy("Queued"),
    TrainingState.RUNNING: lazy("Running"),
    TrainingState.DONE: lazy("Completed"),
    TrainingState.FAILED: lazy("Failed"),
}
