"""Models and tables that are too large for one request: sent in pieces (core/tus.py), then used by a form or a call.

    file = begin_upload(sender, original_name="rows.csv", size_bytes=80_000_000)
    append_upload(file, offset=0, source=request.stream)
    with taken(file.token, sender) as (path, name):
        submit_batch(deployment, path, original_name=name, ...)

How much has arrived is the size of the growing file, never a number that could disagree with it.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select

from dashboard.accounts.models import User
from dashboard.core import pieces, uploads
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict, Invalid, NotFound, Problem, TooLarge
from dashboard.core.i18n import _
from dashboard.core.pieces import Source
from dashboard.serving import queries
from dashboard.serving.models import Deployment, IncomingFile

# Files of one sender that wait to be used; the oldest are long forgotten by then.
MAX_FILES = 50


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a file: a person, or a program with a deployment's token."""

    user_id: int | None = None
    deployment_id: int | None = None


class TooManyFiles(Conflict):
    """The sender has too many files that nothing has used yet."""

    code = "too_many_uploads"


def begin_upload(sender: Sender, *, original_name: str, size_bytes: int) -> IncomingFile:
    """Leave to send a file of this size. Raises Invalid, TooManyFiles, and TooLarge before any byte comes."""
    limit = max_bytes()
    if size_bytes <= 0:
        raise _invalid(_("The file is empty."))
    if size_bytes > limit:
        raise TooLarge(_("A file may be %(size)s MB at most.", size=limit // 2**20))
    remove_expired_uploads()
    with transaction():
        file = IncomingFile(
            token=secrets.token_urlsafe(24),
            owner_id=sender.user_id,
            deployment_id=sender.deployment_id,
            original_name=pieces.safe_name(original_name) or "file",
            size_bytes=size_bytes,
            expires_at=utcnow() + timedelta(hours=uploads.settings().unfinished_hours),
        )
        # The sender's row on a server, the first write on SQLite: others wait, so that the count below is true.
        session.execute(_row_of(sender).with_for_update())
        session.add(file)
        session.flush()
        n_files = select(func.count()).select_from(IncomingFile).where(_of(sender))
        if (session.scalar(n_files) or 0) > MAX_FILES:
            raise TooManyFiles(_("Too many uploads wait to be used: use or delete some."))
        uploads.check_space(_promised_bytes())
        path = path_of(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        uploads.delete_on_rollback(path)
    return file


def find_upload(token: str, sender: Sender) -> IncomingFile:
    """The sender's file; NotFound when it is another's, used or expired."""
    where = (IncomingFile.token == token[:40], _of(sender), IncomingFile.expires_at >= utcnow())
    file = session.scalar(select(IncomingFile).where(*where))
    if file is None:
        raise NotFound(_("This upload has expired. Please start it again."))
    return file


def offset_of(file: IncomingFile) -> int:
    """How many bytes have arrived. Raises NotFound when the file is gone."""
    return pieces.size_of(path_of(file))


def append_upload(file: IncomingFile, *, offset: int, source: Source) -> int:
    """The new offset. Raises UploadBusy, Conflict for a wrong offset, TooLarge beyond the announced size."""
    with pieces.locked(path_of(file)) as growing:
        present = pieces.seek_end(growing, expected=offset)
        pieces.receive(growing, source, room=file.size_bytes - present)
        return growing.tell()


def cancel_upload(file: IncomingFile) -> None:
    """Forget a file and what has arrived of it."""
    with transaction():
        uploads.delete_on_commit(path_of(file))
        session.delete(file)


@contextmanager
def taken(token: str, sender: Sender) -> Iterator[tuple[Path, str]]:
    """A file that has arrived whole, and its name. It is forgotten at the end, but stays when that failed.

    Raises NotFound, and Invalid while pieces are missing.
    """
    file = find_upload(token, sender)
    if offset_of(file) != file.size_bytes:
        raise _invalid(_("The upload is not complete."))
    yield path_of(file), file.original_name
    cancel_upload(file)


def remove_expired_uploads() -> int:
    """Forget the files that nothing used in time; how many they were."""
    expired = session.scalars(select(IncomingFile).where(IncomingFile.expires_at < utcnow())).all()
    for file in expired:
        cancel_upload(file)
    return len(expired)


def remove_stray_uploads(*, older_than_s: float) -> int:
    """Remove files that have no row, as those of a deployment that was deleted; how many."""
    if not _folder().exists():
        return 0
    known = set(session.scalars(select(IncomingFile.token)))
    before = datetime.now().timestamp() - older_than_s
    strays = [p for p in _folder().iterdir() if p.name not in known and p.stat().st_mtime < before]
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def max_bytes() -> int:
    """The largest file that anything takes."""
    limits = queries.settings()
    return max(limits.max_model_bytes, limits.max_batch_bytes)


def path_of(file: IncomingFile) -> Path:
    """Where the file grows."""
    return _folder() / Path(file.token).name


def _folder() -> Path:
    return queries.folder() / "incoming"


def _of(sender: Sender) -> ColumnElement[bool]:
    return and_(
        IncomingFile.owner_id == sender.user_id, IncomingFile.deployment_id == sender.deployment_id
    )


def _row_of(sender: Sender) -> Select[Any]:
    if sender.user_id is not None:
        return select(User.id).where(User.id == sender.user_id)
    return select(Deployment.id).where(Deployment.id == sender.deployment_id)


def _promised_bytes() -> int:
    """What files on their way may still bring, the new one among them."""
    return sum(
        file.size_bytes - (path.stat().st_size if (path := path_of(file)).exists() else 0)
        for file in session.scalars(select(IncomingFile))
    )


def _invalid(message: str) -> Invalid:
    return Invalid(message, problems=[Problem("file", message)])
