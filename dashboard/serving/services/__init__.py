"""What can be done with models and deployments; one public function is one use case and one transaction."""

from dashboard.serving.services.batches import run_task
from dashboard.serving.services.counting import count_all, forget_counted, record
from dashboard.serving.services.deployments import (
    TasksOpen,
    change_deployment,
    delete_deployment,
    deploy_model,
    hash_of,
    pause_deployment,
    renew_token,
    report,
    start_deployment,
    suggested_name,
)
from dashboard.serving.services.fields import InvalidInput
from dashboard.serving.services.in_flight import in_flight
from dashboard.serving.services.prediction import (
    DeploymentPaused,
    NotReady,
    PredictionFailed,
    ScriptFailed,
    counting_faults,
    predict,
    try_version,
)
from dashboard.serving.services.references import (
    has_reference,
    remove_reference,
    set_reference,
)
from dashboard.serving.services.registry import (
    ModelRefused,
    StillDeployed,
    add_model,
    add_version,
    delete_model,
    delete_version,
    update_model,
)
from dashboard.serving.services.reservations import Machine, OverReserved, machine
from dashboard.serving.services.results import first_results
from dashboard.serving.services.scripts import BadScript, try_script
from dashboard.serving.services.sharing import share_model, unshare_model
from dashboard.serving.services.tasks import (
    KeyReused,
    NotFinished,
    TooManyTasks,
    cancel_task,
    delete_task,
    result_path,
    submit,
    submit_batch,
)
from dashboard.serving.services.tidying import catch_up, expire_tasks, remove_strays, settle
from dashboard.serving.services.training import request_training, train

__all__ = [
    "BadScript",
    "DeploymentPaused",
    "InvalidInput",
    "KeyReused",
    "Machine",
    "ModelRefused",
    "NotFinished",
    "NotReady",
    "OverReserved",
    "PredictionFailed",
    "ScriptFailed",
    "StillDeployed",
    "TasksOpen",
    "TooManyTasks",
    "add_model",
    "add_version",
    "cancel_task",
    "catch_up",
    "change_deployment",
    "count_all",
    "counting_faults",
    "delete_deployment",
    "delete_model",
    "delete_task",
    "delete_version",
    "deploy_model",
    "expire_tasks",
    "first_results",
    "forget_counted",
    "has_reference",
    "hash_of",
    "in_flight",
    "machine",
    "pause_deployment",
    "predict",
    "record",
    "remove_reference",
    "remove_strays",
    "renew_token",
    "report",
    "request_training",
    "result_path",
    "run_task",
    "set_reference",
    "settle",
    "share_model",
    "start_deployment",
    "submit",
    "submit_batch",
    "suggested_name",
    "train",
    "try_script",
    "try_version",
    "unshare_model",
    "update_model",
]
