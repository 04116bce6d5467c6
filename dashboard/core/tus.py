"""Resumable uploads over HTTP: tus 1.0 core with creation, termination and expiration (https://tus.io).

A domain that takes files has two views of its own, decorated with `speaks_tus`, and its own tickets.
A piece is at most as large as any request of the portal may be (16 MiB); the file may be as large as configured.
"""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from flask import Response, abort, request
from werkzeug.http import http_date

from dashboard.core.api import is_storable
from dashboard.core.errors import Invalid, Problem
from dashboard.core.i18n import _
from dashboard.core.pieces import UploadBusy

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,expiration"
PIECE_TYPE = "application/offset+octet-stream"
_NUMBER = re.compile(r"[0-9]{1,18}\Z")


def speaks_tus(view: Callable[..., Response]) -> Callable[..., Response]:
    """Refuse clients of another version, and say ours on every answer."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Response:
        if request.headers.get("Tus-Resumable") != VERSION:
            response = Response(status=412)
            response.headers["Tus-Version"] = VERSION
        else:
            try:
                response = view(*args, **kwargs)
            except UploadBusy:
                abort(423)
        response.headers["Tus-Resumable"] = VERSION
        response.headers["Cache-Control"] = "no-store"
        return response

    return answer


def capabilities(*, max_bytes: int) -> Response:
    """What this server can do."""
    response = Response(status=204)
    response.headers.update(
        {
            "Tus-Resumable": VERSION,
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(max_bytes),
        }
    )
    return response


def created(location: str, *, expires_at: datetime) -> Response:
    """The upload has begun at `location`."""
    response = Response(status=201)
    response.headers["Location"] = location
    response.headers["Upload-Expires"] = http_date(expires_at.replace(tzinfo=UTC))
    return response


def progress(*, offset: int, size_bytes: int, expires_at: datetime) -> Response:
    """How much has arrived."""
    response = Response(status=200)
    response.headers["Upload-Length"] = str(size_bytes)
    response.headers["Upload-Expires"] = http_date(expires_at.replace(tzinfo=UTC))
    response.headers["Upload-Offset"] = str(offset)
    return response


def advanced(offset: int) -> Response:
    """A piece was taken."""
    response = Response(status=204)
    response.headers["Upload-Offset"] = str(offset)
    return response


def require_piece() -> int:
    """The offset of the piece in this request; 415 when it is none, Invalid without an offset."""
    if request.mimetype != PIECE_TYPE:
        abort(415)
    return header_number("Upload-Offset")


def header_number(header: str) -> int:
    """A whole number in a header, or Invalid."""
    text = request.headers.get(header, "")
    if not _NUMBER.match(text):
        message = _("The header %(name)s must be a whole number.", name=header)
        raise Invalid(message, problems=[Problem(header, message)])
    return int(text)


def as_number(text: str) -> int | None:
    """A whole number in a piece of metadata, or None."""
    return int(text) if _NUMBER.match(text) else None


def metadata() -> dict[str, str]:
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
