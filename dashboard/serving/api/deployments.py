"""Deployments over the API."""

from typing import Any

from flask.views import MethodView

from dashboard.core.api import page_schema
from dashboard.core.database import Page
from dashboard.serving import monitoring, queries, services
from dashboard.serving.api.blueprint import api
from dashboard.serving.callers import viewer
from dashboard.serving.models import Deployment
from dashboard.serving.schemas import (
    DeleteArgs,
    DeploymentChangeSchema,
    DeploymentSchema,
    DeploymentTokenSchema,
    DeploySchema,
    ListArgs,
    MonitorArgs,
    MonitorSchema,
    NewDeploymentSchema,
)


@api.route("/models/<int:model_id>/deployments")
class ModelDeployments(MethodView):
    @api.arguments(DeploySchema)
    @api.response(201, NewDeploymentSchema)
    def post(self, body: dict[str, Any], model_id: int) -> Deployment:
        """Deploy a model; the answer holds the deployment's token, this once"""
        deployment, token = services.deploy_model(model_id, viewer=viewer(), **body)
        # For this answer only: the table has no such column.
        deployment.token = token
        return deployment


@api.route("/deployments")
class Deployments(MethodView):
    @api.arguments(ListArgs, location="query")
    @api.response(200, page_schema(DeploymentSchema))
    def get(self, args: dict[str, Any]) -> Page[Deployment]:
        """The deployments you may see, newest first"""
        search = args.pop("q")
        return queries.page_of_deployments(viewer(), search=search, **args)


@api.route("/deployments/<int:deployment_id>")
class OneDeployment(MethodView):
    @api.response(200, DeploymentSchema)
    def get(self, deployment_id: int) -> Deployment:
        """How a deployment stands"""
        return queries.get_deployment(deployment_id, viewer())

    @api.arguments(DeploymentChangeSchema)
    @api.response(200, DeploymentSchema)
    def patch(self, body: dict[str, Any], deployment_id: int) -> Deployment:
        """Change settings or version; replicas are replaced without a failed request"""
        return services.change_deployment(deployment_id, viewer=viewer(), **body)

    @api.arguments(DeleteArgs, location="query")
    @api.response(204)
    def delete(self, args: dict[str, Any], deployment_id: int) -> None:
        """Delete a deployment; 409 while tasks are unfinished, unless force is true"""
        services.delete_deployment(deployment_id, viewer=viewer(), force=args["force"])


@api.route("/deployments/<int:deployment_id>/start")
class StartDeployment(MethodView):
    @api.response(200, DeploymentSchema)
    def post(self, deployment_id: int) -> Deployment:
        """Answer again, and work off what waited"""
        return services.start_deployment(deployment_id, viewer=viewer())


@api.route("/deployments/<int:deployment_id>/pause")
class PauseDeployment(MethodView):
    @api.response(200, DeploymentSchema)
    def post(self, deployment_id: int) -> Deployment:
        """Stop answering: calls get 409 deployment_paused, tasks wait"""
        return services.pause_deployment(deployment_id, viewer=viewer())


@api.route("/deployments/<int:deployment_id>/token")
class DeploymentToken(MethodView):
    @api.response(201, DeploymentTokenSchema)
    def post(self, deployment_id: int) -> dict[str, str]:
        """A new token; the one before is void at once"""
        _deployment, token = services.renew_token(deployment_id, viewer=viewer())
        return {"token": token}


@api.route("/deployments/<int:deployment_id>/monitor")
class Monitor(MethodView):
    @api.arguments(MonitorArgs, location="query")
    @api.response(200, MonitorSchema)
    def get(self, args: dict[str, Any], deployment_id: int) -> dict[str, Any]:
        """Requests, errors and response times of the last hours"""
        deployment = queries.get_deployment(deployment_id, viewer())
        span = monitoring.total(queries.list_hours(deployment.id, hours=args["hours"]))
        return {
            "hours": args["hours"],
            "requests": span.n_requests,
            "errors": span.n_errors,
            "records": span.n_records,
            "in_flight": services.in_flight(deployment.id),
            "mean_ms": span.mean_ms,
            "min_ms": span.min_ms,
            "max_ms": span.max_ms,
            "by_face": span.by_face,
            "by_code": span.errors,
            "steps": [
                {"step": step, "count": count, **dict(zip(("p50", "p95", "p99"), q, strict=True))}
                for step, count, q in monitoring.step_table(span)
            ],
        }
