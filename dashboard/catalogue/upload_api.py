"""Resumable uploads: tus 1.0 core with creation, termination and expiration (https://tus.io).

A piece is at most as large as any request of the portal may be (16 MiB); the file may be as large as configured.
"""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC
from functools import wraps
from typing import Any

from flask import Response, abort, request, url_for
from flask.views import MethodView
from flask_security import current_user
from werkzeug.http import http_date

from dashboard.catalogue import services
from dashboard.catalogue.models import UploadTicket
from dashboard.core import uploads
from dashboard.core.api import ApiBlueprint, is_storable
from dashboard.core.errors import Invalid, Problem
from dashboard.core.i18n import _
from dashboard.core.ids import MAX_ID

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,expiration"
PIECE_TYPE = "application/offset+octet-stream"
_NUMBER = re.compile(r"[0-9]{1,18}\Z")


def register_uploads(api: ApiBlueprint) -> None:
    """Add the upload addresses to the catalogue's API."""
    api.add_url_rule("/uploads", view_func=Uploads.as_view("uploads"))
    api.add_url_rule("/uploads/<token>", view_func=OneUpload.as_view("upload"))


def _speaks_tus(view: Callable[..., Response]) -> Callable[..., Response]:
    """Refuse clients of another version, and say ours on every answer."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Response:
        if request.headers.get("Tus-Resumable") != VERSION:
            response = Response(status=412)
            response.headers["Tus-Version"] = VERSION
        else:
            try:
                response = view(*args, **kwargs)
            except services.UploadBusy:
                abort(423)
        response.headers["Tus-Resumable"] = VERSION
        response.headers["Cache-Control"] = "no-store"
        return response

    return answer


class Uploads(MethodView):
    def options(self) -> Response:
        """What this server can do."""
        response = Response(status=204)
        response.headers.update(
            {
                "Tus-Resumable": VERSION,
                "Tus-Version": VERSION,
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(uploads.settings().max_video_bytes),
            }
        )
        return response

    @_speaks_tus
    def post(self) -> Response:
        """Begin an upload: Upload-Length, and Upload-Metadata with filename, item and perhaps title."""
        about = _metadata()
        ticket = services.begin_upload(
            owner_id=current_user.id,
            item_id=_item_id(about.get("item", "")),
            original_name=about.get("filename", ""),
            title=about.get("title", ""),
            size_bytes=_number("Upload-Length"),
        )
        response = Response(status=201)
        response.headers["Location"] = url_for("catalogue_api.upload", token=ticket.token)
        return _with_expiry(response, ticket)


class OneUpload(MethodView):
    @_speaks_tus
    def head(self, token: str) -> Response:
        """How much has arrived."""
        ticket = services.find_ticket(token, owner_id=current_user.id)
        response = Response(status=200)
        response.headers["Upload-Length"] = str(ticket.size_bytes)
        _with_expiry(response, ticket)
        response.headers["Upload-Offset"] = str(services.resume_upload(ticket))
        return response

    @_speaks_tus
    def patch(self, token: str) -> Response:
        """Add a piece at Upload-Offset; the last one makes the video and queues its check."""
        if request.mimetype != PIECE_TYPE:
            abort(415)
        ticket = services.find_ticket(token, owner_id=current_user.id)
        offset, _video = services.append_upload(
            ticket, offset=_number("Upload-Offset"), source=request.stream
        )
        response = Response(status=204)
        response.headers["Upload-Offset"] = str(offset)
        return response

    @_speaks_tus
    def delete(self, token: str) -> Response:
        """Give an upload up."""
        services.cancel_upload(services.find_ticket(token, owner_id=current_user.id))
        return Response(status=204)


def _with_expiry(response: Response, ticket: UploadTicket) -> Response:
    response.headers["Upload-Expires"] = http_date(ticket.expires_at.replace(tzinfo=UTC))
    return response


def _number(header: str) -> int:
    text = request.headers.get(header, "")
    if not _NUMBER.match(text):
        message = _("The header %(name)s must be a whole number.", name=header)
        raise Invalid(message, problems=[Problem(header, message)])
    return int(text)


def _item_id(text: str) -> int:
    if _NUMBER.match(text) and 0 < int(text) <= MAX_ID:
        return int(text)
    message = _("Say which course or position the video is for.")
    raise Invalid(message, problems=[Problem("item", message)])


def _metadata() -> dict[str, str]:
    """Upload-Metadata: names and base64 values, `filename d29ybGQ=,item Mw==`."""
    found: dict[str, str] = {}
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        name, _space, value = pair.strip().partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            found[name] = "\0"
        if not is_storable(found[name]):
            message = _("Upload-Metadata is not well-formed.")
            raise Invalid(message, problems=[Problem("Upload-Metadata", message)])
    return found
