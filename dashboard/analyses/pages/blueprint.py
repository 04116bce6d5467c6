"""What the pages of analyses share."""

from typing import Any

from flask import Blueprint, request, url_for
from flask_security import current_user

from dashboard.analyses import charts, labels
from dashboard.analyses.models import STATE_LABELS
from dashboard.analyses.queries import Entry
from dashboard.core.access import has_role
from dashboard.core.errors import NotFound
from dashboard.core.ids import MAX_ID
from dashboard.job_queue.expectations import Expectation, expect
from dashboard.job_queue.queries import Viewer
from dashboard.job_queue.status import JobStatus, status_of

pages = Blueprint("analyses", __name__)

# Three names of one thing in the customer's documents: the upload's number.
ID_NAMES = ("load_id", "upfile_id", "file_id")


@pages.context_processor
def _helpers() -> dict[str, Any]:
    return {"states": STATE_LABELS, "labels": labels, "plots": charts.LABELS}


def viewer() -> Viewer:
    """Whoever looks: her own analyses; administrators all of them, masked."""
    return Viewer(user_id=current_user.id, sees_all=has_role("admin"))


def wanted_id() -> int | None:
    """The upload that the address names, by any of its three names. Raises NotFound for nonsense."""
    text = next((request.values[name] for name in ID_NAMES if request.values.get(name)), "")
    return _as_id(text) if text else None


def wanted_run() -> int | None:
    """The run that the address names."""
    text = request.args.get("run", "")
    return _as_id(text) if text else None


def status_for(entry: Entry) -> JobStatus | None:
    """How far the job of an entry is."""
    return status_of(entry.job) if entry.job else None


def expected_for(entry: Entry) -> Expectation | None:
    """Why an entry waits and when it will end."""
    return expect(entry.job) if entry.job else None


def is_owner(entry: Entry) -> bool:
    """Whether the reader uploaded it herself."""
    return bool(entry.upload.owner_id == current_user.id)


def same_query(endpoint: str) -> str:
    """The address of `endpoint` with the query of this request."""
    # Names in a query must not reach url_for: it knows some like _external.
    query = request.query_string.decode("ascii", "replace")
    return url_for(endpoint) + (f"?{query}" if query else "")


def _as_id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_ID))):
        raise NotFound()
    number = int(text)
    if not 0 < number <= MAX_ID:
        raise NotFound()
    return number
