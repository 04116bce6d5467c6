"""THE MAP: every page, API, admin view and task of every domain, and who may open what.

A route that is missing from ACCESS is refused (dashboard/core/access.py) and fails the authorization test.
"""

from typing import Any

from flask import Blueprint

from dashboard.accounts import admin as accounts_admin
from dashboard.accounts import api as accounts_api
from dashboard.accounts import pages as accounts_pages
from dashboard.activity import admin as activity_admin
from dashboard.activity import api as activity_api
from dashboard.activity import pages as activity_pages
from dashboard.analyses import admin as analyses_admin
from dashboard.analyses import api as analyses_api
from dashboard.analyses import pages as analyses_pages
from dashboard.analyses import tasks as analyses_tasks
from dashboard.audit import admin as audit_admin
from dashboard.catalogue import admin as catalogue_admin
from dashboard.catalogue import api as catalogue_api
from dashboard.catalogue import pages as catalogue_pages
from dashboard.catalogue import tasks as catalogue_tasks
from dashboard.core import admin
from dashboard.core.access import PUBLIC, SIGNED_IN, Access, roles
from dashboard.core.admin import AdminPage
from dashboard.core.api import ApiBlueprint
from dashboard.core.i18n import lazy
from dashboard.core.navigation import Entry
from dashboard.job_queue import admin as job_queue_admin
from dashboard.job_queue import api as job_queue_api
from dashboard.job_queue import metrics as job_metrics
from dashboard.job_queue import operations as job_operations
from dashboard.job_queue import pages as job_queue_pages
from dashboard.job_queue import tasks as job_queue_tasks
from dashboard.organisation import admin as organisation_admin
from dashboard.organisation import api as organisation_api
from dashboard.organisation import pages as organisation_pages
from dashboard.organisation import tasks as organisation_tasks
from dashboard.recommendations import admin as recommendations_admin
from dashboard.recommendations import api as recommendations_api
from dashboard.recommendations import pages as recommendations_pages
from dashboard.recommendations import tasks as recommendations_tasks
from dashboard.recommendations import workspace as recommendations_workspace
from dashboard.serving import admin as serving_admin
from dashboard.serving import api as serving_api
from dashboard.serving import inference as serving_inference
from dashboard.serving import legacy as serving_legacy
from dashboard.serving import metrics as serving_metrics
from dashboard.serving import pages as serving_pages
from dashboard.serving import tasks as serving_tasks

ADMIN = roles("admin")
job_metrics.add_collector(serving_metrics.Deployments())
ANALYST = roles("analyst", "admin")

PAGES: list[Blueprint] = [
    catalogue_pages.pages,
    activity_pages.pages,
    accounts_pages.pages,
    recommendations_pages.pages,
    organisation_pages.pages,
    analyses_pages.pages,
    serving_pages.pages,
    serving_inference.inference,
    serving_legacy.legacy,
    recommendations_workspace.workspace,
    job_queue_pages.pages,
    job_operations.operations,
]
APIS: list[ApiBlueprint] = [
    catalogue_api.api,
    activity_api.api,
    accounts_api.api,
    recommendations_api.api,
    organisation_api.api,
    analyses_api.api,
    serving_api.api,
    job_queue_api.api,
]
TASKS: list[Any] = [
    *catalogue_tasks.TASKS,
    *recommendations_tasks.TASKS,
    *analyses_tasks.TASKS,
    *serving_tasks.TASKS,
    *organisation_tasks.TASKS,
    *job_queue_tasks.TASKS,
]

# Work that recurs by itself.
SCHEDULES: list[Any] = [
    *catalogue_tasks.SCHEDULES,
    *analyses_tasks.SCHEDULES,
    *serving_tasks.SCHEDULES,
    *recommendations_tasks.SCHEDULES,
    *organisation_tasks.SCHEDULES,
    *job_queue_tasks.SCHEDULES,
]

# The dashboard's views, in the order of its menu.
ADMIN_VIEWS: list[type[AdminPage]] = [
    *accounts_admin.VIEWS,
    *catalogue_admin.VIEWS,
    *activity_admin.VIEWS,
    *recommendations_admin.VIEWS,
    *analyses_admin.VIEWS,
    *organisation_admin.VIEWS,
    *serving_admin.VIEWS,
    *job_queue_admin.VIEWS,
    *audit_admin.VIEWS,
]


def admin_views() -> list[AdminPage]:
    """The dashboard's views, ready to serve."""
    return [view() for view in ADMIN_VIEWS]


NAVIGATION = [
    Entry("catalogue.home", lazy("Home"), "home"),
    Entry("catalogue.course_list", lazy("Courses"), "course"),
    Entry("catalogue.position_list", lazy("Positions"), "position"),
    Entry("organisation.structure", lazy("3D structure"), "structure"),
    Entry("activity.favourites", lazy("Favourites"), "heart", less_used=True),
    Entry("recommendations.own_list", lazy("Recommended"), "spark", less_used=True),
    Entry("analyses.workspace", lazy("Workspace"), "workspace"),
    Entry("serving.model_list", lazy("Models"), "model"),
    Entry("recommendations_workspace.overview", lazy("Charts"), "chart", less_used=True),
    Entry("job_queue.job_list", lazy("Jobs"), "job", less_used=True),
    Entry("admin.index", lazy("Dashboard"), "dashboard"),
    Entry("accounts.profile", lazy("My page"), "user"),
]

SERVING_PAGES = (
    *(
        "model_list",
        "model_new",
        "model",
        "model_edit",
        "model_delete",
        "model_test",
        "model_share",
    ),
    *("model_unshare", "version_new", "version_file", "version_delete", "deploy"),
    *("deployment_list", "deployment", "deployment_state", "deployment_start", "deployment_pause"),
    *("deployment_settings", "deployment_token", "deployment_delete", "deployment_test"),
    *("deployment_tasks", "batch_new", "task_list", "task", "task_result", "task_cancel"),
    *("train", "training", "training_recipe", "reference", "reference_delete"),
)
SERVING_API = (
    *("Models", "OneModel", "Versions", "OneVersion", "VersionFile", "ModelTest"),
    *("ModelDeployments", "Deployments", "OneDeployment", "StartDeployment", "PauseDeployment"),
    *("DeploymentToken", "Monitor", "AllTasks", "Reference"),
)
CALLED_BY_TOKEN = (
    *("Predict", "Tasks", "Batch", "OneTask", "CancelTask", "TaskResult"),
    *("uploads", "upload"),
)
INFERENCE = (
    *("server", "live", "ready", "model", "model_version", "model_ready", "model_version_ready"),
    *("infer", "infer_version"),
)
LEGACY = (
    *("login", "register", "getmodelinfo", "getusermodel", "deletemodel", "getmodeldeployment"),
    *("setdeploymentstatusrunning", "settaskstatuspause", "setdeploymentstatuspause"),
    *("uploadmodel", "setmodelinfo", "testmodelform", "testmodeljson", "testmodelfile"),
    *("deploymodel", "deletedeployment", "getdeploymentstatus", "predict", "submittask"),
    *("gettaskstatus", "gettaskresult", "gettasks", "uploadscript", "getmonitor"),
)

ACCESS: dict[str, Access] = {
    # catalogue: drafts are for administrators, which the queries see to
    "catalogue.home": PUBLIC,
    "catalogue.course_list": PUBLIC,
    "catalogue.position_list": PUBLIC,
    "catalogue.course": PUBLIC,
    "catalogue.position": PUBLIC,
    "catalogue.cover": PUBLIC,
    # Without an account only what is open as a preview; the view sends others to sign in.
    "catalogue.video_stream": PUBLIC,
    "catalogue.video_poster": PUBLIC,
    "catalogue.video_download": SIGNED_IN,
    "catalogue.video_upload": ADMIN,
    "catalogue.video_update": ADMIN,
    "catalogue.video_check": ADMIN,
    "catalogue.video_delete_question": ADMIN,
    "catalogue.video_delete": ADMIN,
    "catalogue_api.items": PUBLIC,
    "catalogue_api.item": PUBLIC,
    "catalogue_api.item_videos": PUBLIC,
    "catalogue_api.item_create": ADMIN,
    "catalogue_api.item_change": ADMIN,
    "catalogue_api.item_courses": ADMIN,
    "catalogue_api.uploads": ADMIN,
    "catalogue_api.upload": ADMIN,
    # activity
    "activity.favourite": SIGNED_IN,
    "activity.rate": SIGNED_IN,
    "activity.favourites": SIGNED_IN,
    "activity.continue_watching": SIGNED_IN,
    "activity_api.events": SIGNED_IN,
    "activity_api.favourites": SIGNED_IN,
    "activity_api.progress": SIGNED_IN,
    "static": PUBLIC,
    "healthz": PUBLIC,
    "language": PUBLIC,
    "api-docs.openapi_json": PUBLIC,
    "api_docs.page": PUBLIC,
    "security.login": PUBLIC,
    "security.register": PUBLIC,
    "security.logout": PUBLIC,
    "accounts.confirm_logout": PUBLIC,
    "accounts.profile": SIGNED_IN,
    "accounts.password": SIGNED_IN,
    "accounts.sessions": SIGNED_IN,
    "accounts.tokens": SIGNED_IN,
    "accounts.revoke_tokens": SIGNED_IN,
    "accounts_api.Tokens": PUBLIC,
    "accounts_api.OwnTokens": SIGNED_IN,
    "accounts_api.Me": SIGNED_IN,
    "recommendations.own_list": SIGNED_IN,
    "recommendations.panel": PUBLIC,
    "recommendations.related": PUBLIC,
    "recommendations.why": SIGNED_IN,
    "recommendations.dismiss": SIGNED_IN,
    "recommendations.restore": SIGNED_IN,
    "recommendations.open_item": SIGNED_IN,
    "recommendations.ignore": SIGNED_IN,
    "recommendations.heed": SIGNED_IN,
    "recommendations_workspace.overview": ANALYST,
    "recommendations_workspace.runs": ANALYST,
    "recommendations_workspace.train": ANALYST,
    "recommendations_workspace.use": ANALYST,
    "recommendations_workspace.experiment": ANALYST,
    "recommendations_workspace.stop_experiment": ANALYST,
    "recommendations_workspace.lists": ADMIN,
    "recommendations_workspace.recipe": ANALYST,
    "recommendations_workspace.chart_data": ANALYST,
    "recommendations_api.Recommendations": SIGNED_IN,
    "recommendations_api.Why": SIGNED_IN,
    "recommendations_api.Related": PUBLIC,
    "recommendations_api.Runs": ANALYST,
    "recommendations_api.Run": ANALYST,
    # organisation: what is published; a learner's way and the measures are fetched apart
    "organisation.structure": PUBLIC,
    "organisation.way": PUBLIC,
    "organisation.floor_plan": PUBLIC,
    "organisation.backdrop": PUBLIC,
    "organisation.portal_layers": ADMIN,
    "organisation_api.scene": PUBLIC,
    "organisation_api.items": PUBLIC,
    "organisation_api.search": PUBLIC,
    "organisation_api.ways": SIGNED_IN,
    "organisation_api.measures": ANALYST,
    "organisation_api.portal": ADMIN,
    # analyses: whose they are decides who sees and changes them (analyses/queries.py).
    "analyses.workspace": ANALYST,
    "analyses.upload": ANALYST,
    "analyses.upload_post": ANALYST,
    "analyses.sample": ANALYST,
    "analyses.remove_file": ANALYST,
    "analyses.repaired": ANALYST,
    "analyses.history": ANALYST,
    "analyses.history_alias": ANALYST,
    "analyses.history_search": ANALYST,
    "analyses.cancel": ANALYST,
    "analyses.retry": ANALYST,
    "analyses.delete_question": ANALYST,
    "analyses.delete": ANALYST,
    "analyses.result": ANALYST,
    "analyses.result_alias": ANALYST,
    "analyses.plot": ANALYST,
    "analyses.table": ANALYST,
    "analyses.report": ANALYST,
    "analyses.recipe": ANALYST,
    "analyses.reproduce": ANALYST,
    "analyses.seen": ANALYST,
    "analyses.compare": ANALYST,
    "analyses.reveal": ANALYST,
    "analyses.share": ANALYST,
    "analyses.revoke": ANALYST,
    # Whoever has a link that is open.
    "analyses.shared": PUBLIC,
    "analyses.shared_table": PUBLIC,
    "analyses.shared_plot": PUBLIC,
    "analyses.shared_report": PUBLIC,
    "analyses.shared_recipe": PUBLIC,
    "analyses_api.Analyses": ANALYST,
    "analyses_api.Sample": ANALYST,
    "analyses_api.OneAnalysis": ANALYST,
    "analyses_api.Check": ANALYST,
    "analyses_api.Start": ANALYST,
    "analyses_api.Cancel": ANALYST,
    "analyses_api.Retry": ANALYST,
    "analyses_api.Reproduce": ANALYST,
    "analyses_api.Progress": ANALYST,
    "analyses_api.Table": ANALYST,
    "analyses_api.Plots": ANALYST,
    "analyses_api.files": ANALYST,
    "analyses_api.file": ANALYST,
    "analyses_api.whole_file": ANALYST,
    # Whose model it is, and with whom it is shared, decides who sees it (serving/queries.py).
    **dict.fromkeys((f"serving.{name}" for name in SERVING_PAGES), ANALYST),
    **dict.fromkeys((f"serving_api.{name}" for name in SERVING_API), ANALYST),
    # Programs come with the token of a deployment, which serving/callers.py looks at.
    **dict.fromkeys((f"serving_api.{name}" for name in CALLED_BY_TOKEN), PUBLIC),
    **dict.fromkeys((f"inference.{name}" for name in INFERENCE), PUBLIC),
    # A name and a password come with every call (serving/legacy); off in production.
    **dict.fromkeys((f"legacy.{name}" for name in LEGACY), PUBLIC),
    "recommendations_api.UseRun": ANALYST,
    # Whole histories of everybody: administrators only.
    "recommendations_api.Interactions": ADMIN,
    # Whose job it is decides who sees it (job_queue/queries.py).
    "job_queue.job_list": SIGNED_IN,
    "job_queue.job": SIGNED_IN,
    "job_queue.cancel": SIGNED_IN,
    "job_queue.retry": SIGNED_IN,
    "job_queue.notices": SIGNED_IN,
    "job_queue.read_notice": SIGNED_IN,
    "job_queue.read_notices": SIGNED_IN,
    "job_queue.clean_up": ADMIN,
    "job_operations.queue": ADMIN,
    "job_operations.workers": ADMIN,
    "job_operations.worker_list": ADMIN,
    "job_operations.drain": ADMIN,
    "job_operations.resume": ADMIN,
    "job_operations.dead_letters": ADMIN,
    "job_operations.retry_alike": ADMIN,
    "job_operations.remove_alike": ADMIN,
    "job_operations.settle_letters": ADMIN,
    # Prometheus comes with the API token of an administrator.
    "job_operations.metrics": ADMIN,
    "job_queue_api.Jobs": SIGNED_IN,
    "job_queue_api.JobsStatus": SIGNED_IN,
    "job_queue_api.JobById": SIGNED_IN,
    "job_queue_api.JobProgress": SIGNED_IN,
    "job_queue_api.JobLog": SIGNED_IN,
    "job_queue_api.JobCancel": SIGNED_IN,
    "job_queue_api.JobRetry": SIGNED_IN,
    # Every page of the dashboard, whatever its views add.
    **dict.fromkeys(admin.endpoints(ADMIN_VIEWS), ADMIN),
}
