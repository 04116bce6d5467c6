"""Preprocessing scripts are tried on the sample record before they are kept."""

from typing import Any

from dashboard.core.errors import Invalid, Problem
from dashboard.serving import runtime
from dashboard.serving.models import ModelVersion
from dashboard.serving.services import wording
from dashboard.serving.services.registry import plain


class BadScript(Invalid):
    """The script cannot be used; the problem says why, with its line."""

    code = "bad_script"


def try_script(script: str, version: ModelVersion) -> dict[str, Any]:
    """What the script makes of the version's sample record. Raises BadScript."""
    try:
        records = runtime.run_script(script, [version.sample_record])
    except runtime.ScriptError as error:
        message = wording.said(str(error))
        raise BadScript(message, problems=[Problem("script", message)]) from error
    return {"input": version.sample_record, "record": plain(records[0])}
