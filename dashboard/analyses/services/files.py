"""Mutation tables on their way in: in pieces, or whole. Kept under names of our own."""

import hashlib
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, update

from dashboard.analyses import queries
from dashboard.analyses.masking import mask_file
from dashboard.analyses.models import Upload, UploadFile
from dashboard.analyses.services import places
from dashboard.core import pieces, uploads
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.encryption import seal
from dashboard.core.errors import Conflict, Invalid, Problem, TooLarge
from dashboard.core.i18n import _
from dashboard.core.pieces import Source
from dashboard.job_queue.queries import Viewer

EXTENSION = "tsv"


def begin_file(upload_id: int, *, viewer: Viewer, name: str, size_bytes: int) -> UploadFile:
    """Leave to send a table of this size. Raises NotFound, Forbidden, Invalid, Conflict and TooLarge."""
    clean = _checked_name(name)
    with transaction():
        upload = _require_draft(upload_id, viewer)
        _check_size(upload, size_bytes)
        file = UploadFile(
            upload_id=upload.id,
            stored_name=f"{secrets.token_hex(8)}.{EXTENSION}",
            original_name=seal(clean),
            name_mask=mask_file(clean)[:80],
            size_bytes=size_bytes,
            token=secrets.token_urlsafe(24),
            expires_at=utcnow() + timedelta(hours=uploads.settings().unfinished_hours),
        )
        session.add(file)
        session.flush()
        path = places.file_path(upload, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        uploads.delete_on_rollback(path)
    return file


def append_file(file: UploadFile, *, offset: int, source: Source) -> tuple[int, bool]:
    """The new offset, and whether the table is complete now.

    Raises UploadBusy, Conflict for a wrong offset, and TooLarge beyond the announced size."""
    with pieces.locked(_path(file)) as growing:
        present = pieces.seek_end(growing, expected=offset)
        pieces.receive(growing, source, room=file.size_bytes - present)
        arrived = growing.tell()
        complete = arrived == file.size_bytes
        if complete:
            _finish(file)
        return arrived, complete


def resume_file(file: UploadFile) -> int:
    """How many bytes have arrived; when all have but the end failed, ends it now."""
    offset = pieces.size_of(_path(file))
    if offset == file.size_bytes:
        with pieces.locked(_path(file)):
            _finish(file)
    return offset


def add_file(
    upload_id: int, *, viewer: Viewer, name: str, source: Source, size_bytes: int
) -> UploadFile:
    """A table that comes in one go. Raises as begin_file and append_file do."""
    file = begin_file(upload_id, viewer=viewer, name=name, size_bytes=size_bytes)
    try:
        arrived, complete = append_file(file, offset=0, source=source)
        if not complete:
            message = _("The file ended after %(bytes)s bytes.", bytes=arrived)
            raise Invalid(message, problems=[Problem("files", message)])
    except BaseException:
        session.rollback()
        remove_file(upload_id, file.id, viewer=viewer)
        raise
    return file


def remove_file(upload_id: int, file_id: int, *, viewer: Viewer) -> None:
    """Take a table out of an upload that was not analysed yet."""
    with transaction():
        upload = _require_draft(upload_id, viewer)
        for file in upload.files:
            if file.id == file_id:
                uploads.delete_on_commit(places.file_path(upload, file))
        session.execute(
            delete(UploadFile).where(UploadFile.id == file_id, UploadFile.upload_id == upload_id)
        )
        forget_check(upload, samples=True)


def cancel_file(file: UploadFile) -> None:
    """Forget a table that has not arrived whole."""
    with transaction():
        uploads.delete_on_commit(_path(file))
        session.execute(delete(UploadFile).where(UploadFile.id == file.id))


def forget_check(upload: Upload, *, samples: bool = False) -> None:
    """The files have changed: what the check said of them is void, with `samples` their labels too."""
    values: dict[str, Any] = {"preflight": None, "touched_at": utcnow()}
    if samples:
        values |= {"samples": [], "label_text": ""}
    session.execute(update(Upload).where(Upload.id == upload.id).values(**values))
    session.expire(upload)


def _finish(file: UploadFile) -> None:
    with _path(file).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    with transaction():
        done = {"token": None, "expires_at": None, "sha256": digest}
        session.execute(update(UploadFile).where(UploadFile.id == file.id).values(**done))
        forget_check(session.get_one(Upload, file.upload_id))
    session.refresh(file)


def _path(file: UploadFile) -> Path:
    return places.file_path(session.get_one(Upload, file.upload_id), file)


def _require_draft(upload_id: int, viewer: Viewer) -> Upload:
    upload = queries.require_own(upload_id, viewer)
    if queries.find_latest_run(upload_id) is not None:
        raise Conflict(
            _("This upload has been analysed; its tables stay as they are. Start a new one.")
        )
    return upload


def _checked_name(name: str) -> str:
    clean = pieces.safe_name(name)
    stem, _dot, extension = clean.rpartition(".")
    if not stem or extension.lower() != EXTENSION:
        message = _("Mutation tables end in .tsv: tab-separated text.")
        raise Invalid(message, problems=[Problem("files", message)])
    return clean


def _check_size(upload: Upload, size_bytes: int) -> None:
    limits = places.settings()
    if size_bytes > limits.max_file_bytes:
        size = f"{limits.max_file_bytes / 2**20:,.0f}"
        raise TooLarge(_("A table may be %(size)s MB at most.", size=size))
    if len(upload.files) >= limits.max_files:
        raise TooLarge(_("An upload may have %(n)s tables at most.", n=limits.max_files))
    if queries.used_bytes(upload.owner_id) + size_bytes > limits.quota_bytes:
        size = f"{limits.quota_bytes / 2**20:,.0f}"
        raise TooLarge(
            _("Your uploads may take %(size)s MB together. Delete some first.", size=size)
        )
    uploads.check_space(size_bytes)
