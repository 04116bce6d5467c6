"""Sending videos in pieces (core/tus.py has the protocol)."""

from flask import Response, request, url_for
from flask.views import MethodView
from flask_security import current_user

from dashboard.catalogue import services
from dashboard.core import tus, uploads
from dashboard.core.api import ApiBlueprint
from dashboard.core.errors import Invalid, Problem
from dashboard.core.i18n import _
from dashboard.core.ids import MAX_ID


def register_uploads(api: ApiBlueprint) -> None:
    """Add the upload addresses to the catalogue's API."""
    api.add_url_rule("/uploads", view_func=Uploads.as_view("uploads"))
    api.add_url_rule("/uploads/<token>", view_func=OneUpload.as_view("upload"))


class Uploads(MethodView):
    def options(self) -> Response:
        """What this server can do."""
        return tus.capabilities(max_bytes=uploads.settings().max_video_bytes)

    @tus.speaks_tus
    def post(self) -> Response:
        """Begin an upload: Upload-Length, and Upload-Metadata with filename, item and perhaps title."""
        about = tus.metadata()
        ticket = services.begin_upload(
            owner_id=current_user.id,
            item_id=_item_id(about.get("item", "")),
            original_name=about.get("filename", ""),
            title=about.get("title", ""),
            size_bytes=tus.header_number("Upload-Length"),
        )
        location = url_for("catalogue_api.upload", token=ticket.token)
        return tus.created(location, expires_at=ticket.expires_at)


class OneUpload(MethodView):
    @tus.speaks_tus
    def head(self, token: str) -> Response:
        """How much has arrived."""
        ticket = services.find_ticket(token, owner_id=current_user.id)
        size_bytes, expires_at = ticket.size_bytes, ticket.expires_at
        offset = services.resume_upload(ticket)
        return tus.progress(offset=offset, size_bytes=size_bytes, expires_at=expires_at)

    @tus.speaks_tus
    def patch(self, token: str) -> Response:
        """Add a piece at Upload-Offset; the last one makes the video and queues its check."""
        at = tus.require_piece()
        ticket = services.find_ticket(token, owner_id=current_user.id)
        offset, _video = services.append_upload(ticket, offset=at, source=request.stream)
        return tus.advanced(offset)

    @tus.speaks_tus
    def delete(self, token: str) -> Response:
        """Give an upload up."""
        services.cancel_upload(services.find_ticket(token, owner_id=current_user.id))
        return Response(status=204)


def _item_id(text: str) -> int:
    number = tus.as_number(text)
    if number is not None and 0 < number <= MAX_ID:
        return number
    message = _("Say which course or position the video is for.")
    raise Invalid(message, problems=[Problem("item", message)])
