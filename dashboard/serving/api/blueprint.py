"""The blueprint of the model service's API, and how it reads bodies."""

from typing import Any

import orjson
from flask import request

from dashboard.core.api import ApiBlueprint, is_storable
from dashboard.core.errors import Invalid, Problem
from dashboard.core.i18n import _
from dashboard.serving.callers import sent_body
from dashboard.serving.models import ModelVersion
from dashboard.serving.services.fields import records_of

api = ApiBlueprint(
    "serving_api",
    __name__,
    description=(
        "Models, deployments and predictions. A deployment is called with an API token, "
        "or with its own: Authorization: Bearer"
    ),
)

RECORDS_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "records": {
                        "type": "array",
                        "items": {"type": "object"},
                        "description": "Records, each input by its name.",
                    },
                    "columns": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "Instead of records: the names, with the rows in data.",
                    },
                    "data": {"type": "array", "items": {"type": "array", "items": {}}},
                    "outputs": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "Only these outputs; all when left out.",
                    },
                },
            }
        }
    },
}
FILE_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "upload": {
                        "type": "string",
                        "description": (
                            "Instead of file: the last part of the address of a finished upload "
                            "(POST /api/v1/model-uploads, the tus protocol), for files over 16 MiB."
                        ),
                    },
                },
            }
        }
    },
}


def body_of_records(
    version: ModelVersion,
) -> tuple[list[dict[str, Any]], list[str], dict[str, Any]]:
    """The records, the outputs wanted (none: all), and the whole body. Raises Invalid and TooLarge."""
    try:
        # NaN and Infinity are no JSON: they are refused here.
        body = orjson.loads(sent_body())
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise _invalid("", _("The body is no JSON.")) from error
    if not is_storable(body):
        raise _invalid("", _("The body holds text that cannot be stored."))
    records, outputs = records_of(version, body)
    if not outputs and request.args.get("outputs"):
        outputs = request.args["outputs"].split(",")
    return records, outputs, body if isinstance(body, dict) else {}


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(message, problems=[Problem(field, message)])
