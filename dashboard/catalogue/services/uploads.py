"""Videos on their way in: sent in pieces, so that an upload goes on after a lost connection.

How much has arrived is the size of the .part file, never a number that could disagree with it.
"""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import select

from dashboard.catalogue import queries
from dashboard.catalogue.models import UploadTicket, Video
from dashboard.catalogue.services.items import require_item
from dashboard.catalogue.services.videos import add_row
from dashboard.core import pieces, uploads
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Invalid, NotFound, Problem, TooLarge
from dashboard.core.file_types import HEAD_BYTES, FileType, type_of
from dashboard.core.i18n import _
from dashboard.core.pieces import Source, safe_name

EXTENSIONS = ("mp4", "m4v", "webm", "mov", "mkv")


def begin_upload(
    *, owner_id: int, item_id: int, original_name: str, size_bytes: int, title: str = ""
) -> UploadTicket:
    """Leave to send a video of this size. Raises NotFound, Invalid, and TooLarge before any byte comes."""
    name = safe_name(original_name)
    extension = _extension(name)
    if size_bytes <= 0:
        raise _invalid("size", _("The file is empty."))
    limit = uploads.settings().max_video_bytes
    if size_bytes > limit:
        raise TooLarge(_("A video may be %(size)s MB at most.", size=f"{limit / 2**20:,.0f}"))
    remove_expired_uploads()
    with transaction():
        require_item(item_id)
        uploads.check_space(size_bytes + _promised_bytes())
        ticket = UploadTicket(
            token=secrets.token_urlsafe(24),
            owner_id=owner_id,
            item_id=item_id,
            title=(title.strip() or name.removesuffix(f".{extension}"))[:200],
            original_name=name,
            size_bytes=size_bytes,
            expires_at=utcnow() + timedelta(hours=uploads.settings().unfinished_hours),
        )
        session.add(ticket)
        session.flush()
        path = _part(ticket)
        path.touch()
        uploads.delete_on_rollback(path)
    return ticket


def offset_of(ticket: UploadTicket) -> int:
    """How many bytes have arrived. Raises NotFound when the file is gone."""
    return pieces.size_of(_part(ticket))


def append_upload(ticket: UploadTicket, *, offset: int, source: Source) -> tuple[int, Video | None]:
    """The new offset, and the video when this was the last piece.

    Raises UploadBusy, Conflict for a wrong offset, TooLarge beyond the announced size, and Invalid when the
    content is no video; then the upload is over.
    """
    with pieces.locked(_part(ticket)) as file:
        present = pieces.seek_end(file, expected=offset)
        pieces.receive(file, source, room=ticket.size_bytes - present)
        arrived = file.tell()
        complete = arrived == ticket.size_bytes
        if present < HEAD_BYTES and (complete or arrived >= HEAD_BYTES):
            _refuse_unless_video(ticket, file)
        # Under the lock: two last pieces must not make two videos.
        return arrived, _finish(ticket) if complete else None


def resume_upload(ticket: UploadTicket) -> int:
    """How many bytes have arrived; when all have but the end failed (a locked database), ends it now."""
    offset = offset_of(ticket)
    if offset == ticket.size_bytes:
        with pieces.locked(_part(ticket)):
            _finish(ticket)
    return offset


def cancel_upload(ticket: UploadTicket) -> None:
    """Forget an unfinished upload and what has arrived of it."""
    with transaction():
        uploads.delete_on_commit(_part(ticket))
        session.delete(ticket)


def remove_expired_uploads() -> int:
    """Forget the uploads that were not finished in time; how many they were."""
    expired = session.scalars(select(UploadTicket).where(UploadTicket.expires_at < utcnow())).all()
    for ticket in expired:
        cancel_upload(ticket)
    return len(expired)


# ---------------------------------------------------------------------------------------------- helpers


def part_name(token: str) -> str:
    """The name of the file that grows while an upload comes in."""
    return f"{token}.part"


def _part(ticket: UploadTicket) -> Path:
    return uploads.path_of("incoming", part_name(ticket.token))


def _extension(name: str) -> str:
    stem, _dot, extension = name.rpartition(".")
    if not stem or extension.lower() not in EXTENSIONS:
        raise _invalid(
            "filename",
            _("Videos end in %(endings)s.", endings=", ".join(f".{end}" for end in EXTENSIONS)),
        )
    return extension


def _promised_bytes() -> int:
    """What unfinished uploads may still send."""
    open_tickets = session.scalars(
        select(UploadTicket).where(UploadTicket.expires_at >= utcnow())
    ).all()
    arrived = sum(
        path.stat().st_size for ticket in open_tickets if (path := _part(ticket)).exists()
    )
    return sum(ticket.size_bytes for ticket in open_tickets) - arrived


def _refuse_unless_video(ticket: UploadTicket, file: BinaryIO) -> None:
    file.seek(0)
    kind = type_of(file.read(HEAD_BYTES))
    if kind in (FileType.MP4, FileType.MATROSKA):
        return
    reasons = {
        FileType.PLAYLIST: _("This is a playlist that names other files, not a video."),
        FileType.MARKUP: _("This is a web page or drawing, not a video, whatever its name says."),
    }
    cancel_upload(ticket)
    raise _invalid(
        "file", reasons.get(kind, _("This is not an MP4, WebM, QuickTime or Matroska video."))
    )


def _finish(ticket: UploadTicket) -> Video:
    """The video row, its file in its place, and the job that checks it: all of them or none."""
    part = _part(ticket)
    name = uploads.new_name(_extension(ticket.original_name).lower())
    target = uploads.path_of("videos", name)
    with transaction():
        video = add_row(
            item_id=ticket.item_id,
            actor_id=ticket.owner_id,
            title=ticket.title,
            stored_name=name,
            original_name=ticket.original_name,
            size_bytes=ticket.size_bytes,
        )
        session.delete(ticket)
        session.flush()
        uploads.on_rollback(lambda: target.exists() and target.replace(part))
        part.replace(target)
    return video


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(message, problems=[Problem(field, message)])


def find_ticket(token: str, *, owner_id: int) -> UploadTicket:
    """The owner's unfinished upload; NotFound when it is another's, finished or expired."""
    ticket = queries.get_ticket(token, owner_id=owner_id)
    if ticket.expires_at < utcnow():
        raise NotFound(_("This upload has expired. Please start it again."))
    return ticket
