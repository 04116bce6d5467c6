"""Sending large models and tables in pieces (core/tus.py has the protocol); other calls then name them by `upload`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request, url_for
from flask.views import MethodView

from dashboard.core import tus
from dashboard.serving.api.blueprint import api
from dashboard.serving.callers import sender
from dashboard.serving.services import incoming


def _for_senders(view: Callable[..., Response]) -> Callable[..., Response]:
    """Refuse everybody else, before anything is said of the protocol."""

    @wraps(view)
    def answer(**values: Any) -> Response:
        sender()
        return view(**values)

    return answer


class Uploads(MethodView):
    decorators = [_for_senders]

    def options(self) -> Response:
        """What this server can do."""
        return tus.capabilities(max_bytes=incoming.max_bytes())

    @tus.speaks_tus
    def post(self) -> Response:
        """Begin an upload: Upload-Length, and Upload-Metadata with filename."""
        file = incoming.begin_upload(
            sender(),
            original_name=tus.metadata().get("filename", ""),
            size_bytes=tus.header_number("Upload-Length"),
        )
        location = url_for("serving_api.upload", token=file.token)
        return tus.created(location, expires_at=file.expires_at)


class OneUpload(MethodView):
    decorators = [_for_senders]

    @tus.speaks_tus
    def head(self, token: str) -> Response:
        """How much has arrived."""
        file = incoming.find_upload(token, sender())
        return tus.progress(
            offset=incoming.offset_of(file), size_bytes=file.size_bytes, expires_at=file.expires_at
        )

    @tus.speaks_tus
    def patch(self, token: str) -> Response:
        """Add a piece at Upload-Offset."""
        at = tus.require_piece()
        file = incoming.find_upload(token, sender())
        return tus.advanced(incoming.append_upload(file, offset=at, source=request.stream))

    @tus.speaks_tus
    def delete(self, token: str) -> Response:
        """Give an upload up."""
        incoming.cancel_upload(incoming.find_upload(token, sender()))
        return Response(status=204)


api.add_url_rule("/model-uploads", view_func=Uploads.as_view("uploads"))
api.add_url_rule("/model-uploads/<token>", view_func=OneUpload.as_view("upload"))
