"""Refusals to people who are signed in go on record: they show who tries doors."""

import logging

from flask import Flask, Response, request
from flask_login import current_user

from dashboard.audit.services import record
from dashboard.core.errors import DomainError

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Record every 403 that `app` answers to somebody who is signed in."""
    app.after_request(_record_refusal)


def _record_refusal(response: Response) -> Response:
    if response.status_code == 403 and current_user.is_authenticated:
        try:
            record(
                actor_id=current_user.id,
                action="access.refused",
                subject=f"page:{request.endpoint}",
                summary=f"{request.method} {request.path}",
                address=request.remote_addr or "",
            )
        except DomainError as error:
            # The refusal stands whether or not it could be written down.
            log.warning("refusal not recorded: %s", error)
    return response
