"""Models, versions, deployments and prediction tasks in the dashboard; every change goes through the services."""

from collections.abc import Sequence
from typing import Any

from flask import flash, url_for
from flask_admin.actions import action
from flask_admin.form import BaseForm
from sqlalchemy.orm import joinedload, selectinload
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from dashboard.core.admin import AdminPage, AtriumModelView, Figure, goes_with
from dashboard.core.admin.filters import Choice, Day
from dashboard.core.admin.markup import state_tag
from dashboard.core.i18n import _, lazy
from dashboard.serving import queries, services
from dashboard.serving.models import (
    HEALTH_LABELS,
    TASK_KIND_LABELS,
    TASK_LABELS,
    Deployment,
    DeploymentState,
    Model,
    ModelVersion,
    PredictionTask,
    TaskState,
)
from dashboard.serving.queries import Viewer

GROUP = lazy("Model service")
STATES = {DeploymentState.RUNNING: lazy("In service"), DeploymentState.PAUSED: lazy("Paused")}
# The tag's colour is named after the states of jobs.
COLOURS = {
    **{"ready": "done", "starting": "queued", "degraded": "running", "stopped": "cancelled"},
    **{"waiting": "queued", "expired": "cancelled"},
}


class ModelFields(BaseForm):
    """What may be changed of a model."""

    name = StringField(lazy("Name"), validators=[InputRequired(), Length(max=300)])
    description = TextAreaField(lazy("Introduction"), validators=[Length(max=5000)])


class _ServingView(AtriumModelView):
    group = GROUP

    @property
    def viewer(self) -> Viewer:
        return Viewer(user_id=self.actor_id, sees_all=True)


class Models(_ServingView):
    """Everybody's models."""

    model = Model
    slug, label, icon = "models", lazy("Models"), "model"
    empty_text = lazy("Analysts upload models on the page Models.")
    can_edit = can_delete = True
    edit_fields = ModelFields
    load = (joinedload(Model.owner), selectinload(Model.versions))
    column_list = ("id", "name", "function", "format", "version", "owner", "created_at")
    column_details_list = (
        *("id", "name", "description", "function", "algorithm", "engine", "format", "version"),
        *("owner", "created_at", "updated_at"),
    )
    column_export_list = ("id", "name", "description", "owner_id", "created_at", "updated_at")
    column_labels = {
        "id": lazy("Number"),
        "name": lazy("Name"),
        "description": lazy("Introduction"),
        "function": lazy("Type"),
        "algorithm": lazy("Algorithm"),
        "engine": lazy("Engine"),
        "format": lazy("Format"),
        "version": lazy("Version"),
        "owner": lazy("Owner"),
        "owner_id": lazy("Owner"),
        "created_at": lazy("Created"),
        "updated_at": lazy("Changed"),
    }
    column_sortable_list = ("created_at",)
    column_searchable_list = ("name",)
    column_formatters = {
        "function": lambda _view, _context, row, _name: row.newest.function or "–",
        "algorithm": lambda _view, _context, row, _name: row.newest.algorithm or "–",
        "engine": lambda _view, _context, row, _name: row.newest.engine,
        "format": lambda _view, _context, row, _name: row.newest.format.upper(),
        "version": lambda _view, _context, row, _name: f"v{row.newest.number}",
    }
    column_filters = (
        Day("from", lazy("From"), Model.created_at),
        Day("to", lazy("Until"), Model.created_at, until=True),
    )

    def update(self, row: Model, form: Any) -> None:
        services.update_model(
            row.id, name=form.name.data, description=form.description.data, viewer=self.viewer
        )

    def delete(self, row: Model) -> None:
        services.delete_model(row.id, viewer=self.viewer, force=True)

    def row_links(self, row: Model) -> list[tuple[str, str, Any]]:
        return [(url_for("serving.model", model_id=row.id), "model", _("Page of this model"))]


class Versions(_ServingView):
    """The files of all models."""

    model = ModelVersion
    slug, label, icon = "model-versions", lazy("Model versions"), "record"
    can_delete = True
    load = (joinedload(ModelVersion.model).selectinload(Model.versions),)
    column_list = ("id", "model", "number", "format", "algorithm", "size_bytes", "created_at")
    column_details_list = (
        *("id", "model", "number", "note", "format", "function", "algorithm", "engine"),
        *("original_name", "sha256", "size_bytes", "created_at"),
    )
    column_export_list = (
        *("id", "model_id", "number", "format", "function", "algorithm", "engine", "sha256"),
        *("size_bytes", "created_at"),
    )
    column_labels = {
        **Models.column_labels,
        "model": lazy("Model"),
        "model_id": lazy("Model"),
        "number": lazy("Version"),
        "note": lazy("What is new"),
        "original_name": lazy("File"),
        "sha256": "SHA-256",
        "size_bytes": lazy("Bytes"),
    }

    def delete(self, row: ModelVersion) -> None:
        services.delete_version(row.model_id, row.number, viewer=self.viewer)

    def row_links(self, row: ModelVersion) -> list[tuple[str, str, Any]]:
        href = url_for("serving.model", model_id=row.model_id, version=row.number)
        return [(href, "model", _("Page of this version"))]


class Deployments(_ServingView):
    """Everybody's deployments: how they stand; to start, pause and delete."""

    model = Deployment
    slug, label, icon = "deployments", lazy("Deployments"), "arrow"
    can_delete = True
    load = (
        joinedload(Deployment.model),
        joinedload(Deployment.owner),
        joinedload(Deployment.version).joinedload(ModelVersion.model),
    )
    column_list = ("id", "name", "model", "health", "replicas", "cpus", "memory_mb", "owner")
    column_details_list = (
        *("id", "name", "model", "version", "state", "health", "health_text", "replicas"),
        *("n_ready", "n_restarts", "cpus", "memory_mb", "timeout_s", "owner", "created_at"),
    )
    column_export_list = (
        *("id", "name", "model_id", "state", "health", "replicas", "cpus", "memory_mb"),
        *("owner_id", "created_at"),
    )
    column_labels = {
        **Versions.column_labels,
        "version": lazy("Version"),
        "state": lazy("Wanted"),
        "health": lazy("State"),
        "health_text": lazy("Message"),
        "replicas": lazy("Replicas"),
        "n_ready": lazy("Replicas ready"),
        "n_restarts": lazy("Restarts"),
        "cpus": lazy("Reserved CPUs of each"),
        "memory_mb": lazy("Reserved memory of each (MiB)"),
        "timeout_s": lazy("Time-out (seconds)"),
    }
    column_searchable_list = ("name",)
    column_formatters = {
        "health": lambda _view, _context, row, _name: state_tag(
            COLOURS.get(row.health, row.health), HEALTH_LABELS[row.health]
        ),
        "state": lambda _view, _context, row, _name: STATES[row.state],
    }
    column_filters = (Choice("state", lazy("Wanted"), Deployment.state, STATES),)

    def delete(self, row: Deployment) -> None:
        services.delete_deployment(row.id, viewer=self.viewer, force=True)

    def row_links(self, row: Deployment) -> list[tuple[str, str, Any]]:
        href = url_for("serving.deployment", deployment_id=row.id)
        return [(href, "chart", _("Page of this deployment"))]

    @action("start", lazy("Start"))
    def action_start(self, rows: Sequence[Deployment]) -> None:
        self.each(
            rows,
            lambda row: services.start_deployment(row.id, viewer=self.viewer),
            lambda count: flash(_("Deployments started: %(count)s", count=count), "success"),
        )

    @action("pause", lazy("Pause"), lazy("Calls are refused and tasks wait. Pause these?"))
    def action_pause(self, rows: Sequence[Deployment]) -> None:
        self.each(
            rows,
            lambda row: services.pause_deployment(row.id, viewer=self.viewer),
            lambda count: flash(_("Deployments paused: %(count)s", count=count), "success"),
        )

    def figures(self) -> list[Figure]:
        machine = services.machine()
        href = self.get_url("admin_deployments.index_view")
        value = f"{machine.reserved_cpus:g} / {machine.cpus:g} CPU"
        return [*super().figures(), Figure(_("Reserved by deployments"), value, href)]


class PredictionTasks(_ServingView):
    """Everybody's prediction tasks; to cancel."""

    model = PredictionTask
    slug, label, icon = "prediction-tasks", lazy("Prediction tasks"), "job"
    can_delete = True
    load = (joinedload(PredictionTask.deployment),)
    column_list = ("id", "public_id", "deployment", "kind", "state", "n_rows", "created_at")
    column_details_list = (
        *("id", "public_id", "deployment", "kind", "state", "n_rows", "n_done", "n_bad"),
        *("error", "input_format", "result_format", "created_at", "finished_at", "expires_at"),
    )
    column_export_list = (
        *("id", "public_id", "deployment_id", "kind", "state", "n_rows", "n_bad", "error"),
        *("created_at", "finished_at"),
    )
    column_labels = {
        "id": lazy("Number"),
        "public_id": lazy("Task id"),
        "deployment": lazy("Deployment"),
        "deployment_id": lazy("Deployment"),
        "kind": lazy("Kind"),
        "state": lazy("State"),
        "n_rows": lazy("Rows"),
        "n_done": lazy("Answered"),
        "n_bad": lazy("Bad rows"),
        "error": lazy("Message"),
        "input_format": lazy("File"),
        "result_format": lazy("Result as"),
        "created_at": lazy("Created"),
        "finished_at": lazy("Finished"),
        "expires_at": lazy("Kept until"),
    }
    column_searchable_list = ("public_id",)
    column_formatters = {
        "kind": lambda _view, _context, row, _name: TASK_KIND_LABELS[row.kind],
        "state": lambda _view, _context, row, _name: state_tag(
            COLOURS.get(row.state, row.state), TASK_LABELS[TaskState(row.state)]
        ),
    }
    column_filters = (
        Choice("state", lazy("State"), PredictionTask.state, TASK_LABELS),
        Choice("kind", lazy("Kind"), PredictionTask.kind, TASK_KIND_LABELS),
    )

    def delete(self, row: PredictionTask) -> None:
        services.delete_task(row)

    def row_links(self, row: PredictionTask) -> list[tuple[str, str, Any]]:
        href = url_for("serving.task", public_id=row.public_id)
        return [(href, "job", _("Page of this task"))]

    @action("cancel", lazy("Cancel"), lazy("What they have done so far is lost. Cancel these?"))
    def action_cancel(self, rows: Sequence[PredictionTask]) -> None:
        self.each(
            rows,
            services.cancel_task,
            lambda count: flash(_("Tasks cancelled: %(count)s", count=count), "success"),
        )


VIEWS: list[type[AdminPage]] = [Models, Versions, Deployments, PredictionTasks]


@goes_with("model")
def _count_deployments(ids: Sequence[int]) -> dict[int, str]:
    found = queries.count_deployments_of(ids)
    return {id: _("Deployments: %(count)s", count=count) for id, count in found.items()}
