"""Files that people send: where they are kept, how they come in, and how they follow the database.

A file and its row live and die together: what is made here goes away when the transaction rolls back, and
what is removed goes only after the commit. The folders are not under any address that serves files.
"""

import logging
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from flask_uploads import UploadSet, configure_uploads
from sqlalchemy import event
from sqlalchemy.orm import Session

from dashboard.core.config import Uploads
from dashboard.core.database import db
from dashboard.core.errors import TooLarge
from dashboard.core.i18n import _

log = logging.getLogger(__name__)

FOLDERS = ("covers", "videos", "posters", "incoming", "plans", "scenery")
# Longer than any request or check that is between making a file and committing its row.
STRAY_AGE_S = 24 * 3600


class CoverSet(UploadSet):
    """Stores pictures under names of our own: Flask-Reuploaded loses the stem of a Chinese name."""

    def get_basename(self, filename: str) -> str:
        return f"{uuid.uuid4().hex}.{filename.rpartition('.')[2].lower()}"


covers = CoverSet("covers", extensions=("jpg", "png", "webp"))


def init_app(app: Flask) -> None:
    """Prepare the upload folders of `app`."""
    root = app.config["ATRIUM"].site.data_dir / "uploads"
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    app.config["UPLOADED_COVERS_DEST"] = str(root / "covers")
    # It would serve what was uploaded without asking who may see it.
    app.config["UPLOADS_AUTOSERVE"] = False
    configure_uploads(app, covers)


# ------------------------------------------------------------------------------------------------- files


def path_of(folder: str, name: str) -> Path:
    """Where the stored file `name` is; it need not exist."""
    # Names come from our own rows; a foreign one must not lead out of the folder all the same.
    return root() / folder / Path(name).name


def new_name(extension: str) -> str:
    """A stored name that nobody can guess."""
    return f"{uuid.uuid4().hex}.{extension}"


def root() -> Path:
    """The folder of all uploads."""
    return Path(current_app.config["ATRIUM"].site.data_dir / "uploads")


def settings() -> Uploads:
    """The limits of uploads."""
    section: Uploads = current_app.config["ATRIUM"].uploads
    return section


def check_space(size_bytes: int) -> None:
    """Raise TooLarge when a file of this size would leave too little of the disk free."""
    if shutil.disk_usage(root()).free - size_bytes < settings().min_free_bytes:
        raise TooLarge(
            _("The server's disk has no room for this file. Please tell an administrator.")
        )


def stored_names() -> dict[str, set[str]]:
    """The stored names in each folder, for comparing with the rows."""
    return {name: {path.name for path in (root() / name).iterdir()} for name in FOLDERS}


def remove_strays(known: dict[str, set[str]], *, older_than_s: float = STRAY_AGE_S) -> int:
    """Remove the stored files that `known` does not name from the folders that it names; how many they were.

    Young files stay: their rows may be in a transaction that has not committed yet.
    """
    before = time.time() - older_than_s
    stored = stored_names()
    strays = [
        path
        for folder, names in known.items()
        for path in (root() / folder / name for name in stored[folder] - names)
        if path.stat().st_mtime < before
    ]
    for path in strays:
        log.warning("removing %s: no row belongs to it", path)
        _unlink(path)
    return len(strays)


# --------------------------------------------------------------------------------- files and transactions


def delete_on_commit(path: Path) -> None:
    """Remove a file when, and only when, the present transaction commits."""
    on_commit(lambda: _unlink(path))


def delete_on_rollback(path: Path) -> None:
    """Remove a file that was just made should the present transaction not commit."""
    on_rollback(lambda: _unlink(path))


def on_commit(action: Callable[[], Any]) -> None:
    """Run `action` after the present transaction committed."""
    _remember("files_on_commit", action)


def on_rollback(action: Callable[[], Any]) -> None:
    """Run `action` after the present transaction rolled back."""
    _remember("files_on_rollback", action)


def _remember(when: str, action: Callable[[], Any]) -> None:
    present = db.session()
    if not present.in_transaction():
        present.begin()  # without one, no commit or rollback would ever be announced
    present.info.setdefault(when, []).append(action)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # The row is gone already; `run.py check` finds files without a row.
        log.exception("could not remove %s", path)


def _run(closed: Session, which: str, other: str) -> None:
    if closed.in_nested_transaction():
        return  # a savepoint: the outcome is not known yet
    closed.info.pop(other, None)
    for action in closed.info.pop(which, []):
        action()


@event.listens_for(Session, "after_commit")
def _after_commit(closed: Session) -> None:
    _run(closed, "files_on_commit", "files_on_rollback")


@event.listens_for(Session, "after_rollback")
def _after_rollback(closed: Session) -> None:
    _run(closed, "files_on_rollback", "files_on_commit")
