"""R152 to R157: models and deployments, with the parameters, words and lists of the document."""

from typing import Any

from dashboard.serving import queries, services
from dashboard.serving.legacy.blueprint import (
    analyst,
    endpoint,
    moment,
    own_deployment,
    own_model,
    said,
    signed_in,
)
from dashboard.serving.models import Model, ModelVersion
from dashboard.serving.services.fields import FieldView, inputs_of, outputs_of


@endpoint("/getmodelinfo", methods=["GET"])
def getmodelinfo() -> dict[str, Any]:
    """Everything about a model (R152)."""
    return said(**info_of(own_model(signed_in())))


@endpoint("/getusermodel", methods=["GET"])
def getusermodel() -> dict[str, Any]:
    """The user's models, brief (R153)."""
    user = signed_in()
    return said(
        model=[
            {
                "modelname": model.name,
                "modeltype": model.newest.function,
                "time": moment(model.created_at),
            }
            for model in queries.list_own_models(user.id)
        ]
    )


@endpoint("/deletemodel", methods=["DELETE"], raises=False)
def deletemodel() -> dict[str, Any]:
    """Delete a model (R154). The document leaves modelname out of the parameters, but has a return for it."""
    user, viewer = analyst()
    services.delete_model(own_model(user).id, viewer=viewer)
    return said()


@endpoint("/getmodeldeployment", methods=["GET"], raises=False)
def getmodeldeployment() -> dict[str, Any]:
    """The deployments of a model (R155)."""
    model = own_model(signed_in())
    return said(
        deployment=[
            {
                "deployment": deployment.name,
                "status": deployment.state,
                "time": moment(deployment.created_at),
            }
            for deployment in queries.list_deployments_of(model)
        ]
    )


@endpoint("/setdeploymentstatusrunning", methods=["POST"], raises=False)
def setdeploymentstatusrunning() -> dict[str, Any]:
    """Start a deployment (R156)."""
    user, viewer = analyst()
    services.start_deployment(own_deployment(user).id, viewer=viewer)
    return said()


@endpoint("/settaskstatuspause", methods=["POST"], raises=False)
def settaskstatuspause() -> dict[str, Any]:
    """Pause a deployment (R157; the document says task, and means the deployment)."""
    user, viewer = analyst()
    services.pause_deployment(own_deployment(user).id, viewer=viewer)
    return said()


@endpoint("/setdeploymentstatuspause", methods=["POST"], raises=False)
def setdeploymentstatuspause() -> dict[str, Any]:
    """The same under the name one would look for."""
    return settaskstatuspause()  # type: ignore[no-any-return]


def info_of(model: Model) -> dict[str, Any]:
    """A model in the document's words."""
    version: ModelVersion = model.newest
    return {
        "modelname": model.name,
        "time": moment(version.created_at),
        "modeltype": version.function,
        "algorithm": version.algorithm,
        "description": model.description,
        "engine": version.engine,
        "input": [_field(field) for field in inputs_of(version)],
        "output": [_field(field) for field in outputs_of(version)],
    }


def _field(field: FieldView) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": field.type,
        "range": field.values or field.range_text,
        "dimension": field.dimension or [1],
        "optype": field.optype,
    }
