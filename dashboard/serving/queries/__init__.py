"""Reads of models, deployments and prediction tasks, and who may see which row.

An owner sees her own and what was shared with her; administrators see all. Not yours is the same as not there.
"""

from dashboard.serving.queries.deployments import (
    find_deployment_by_token,
    get_deployment,
    get_deployment_named,
    list_all_deployments,
    list_callable,
    list_deployments_of,
    list_versions_of_ids,
    page_of_deployments,
    reserved,
)
from dashboard.serving.queries.files import folder, path_of, table_path, task_folder
from dashboard.serving.queries.models import (
    count_deployments_of,
    find_own_model,
    get_model,
    get_version,
    list_models,
    list_own_models,
    list_rights,
    page_of_models,
)
from dashboard.serving.queries.monitoring import (
    drift_bins,
    list_all_hours,
    list_faults,
    list_hours,
    totals,
)
from dashboard.serving.queries.tasks import (
    count_open_tasks,
    find_task_by_key,
    get_task,
    get_task_of,
    list_waiting_tasks,
    page_of_tasks,
)
from dashboard.serving.queries.trainings import find_training_of, get_training, page_of_trainings
from dashboard.serving.queries.viewers import PORTAL, Viewer, may, owns, settings

__all__ = [
    "PORTAL",
    "Viewer",
    "count_deployments_of",
    "count_open_tasks",
    "drift_bins",
    "find_deployment_by_token",
    "find_own_model",
    "find_task_by_key",
    "find_training_of",
    "folder",
    "get_deployment",
    "get_deployment_named",
    "get_model",
    "get_task",
    "get_task_of",
    "get_training",
    "get_version",
    "list_all_deployments",
    "list_all_hours",
    "list_callable",
    "list_deployments_of",
    "list_faults",
    "list_hours",
    "list_models",
    "list_own_models",
    "list_rights",
    "list_versions_of_ids",
    "list_waiting_tasks",
    "may",
    "owns",
    "page_of_deployments",
    "page_of_models",
    "page_of_tasks",
    "page_of_trainings",
    "path_of",
    "reserved",
    "settings",
    "table_path",
    "task_folder",
    "totals",
]
