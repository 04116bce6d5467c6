"""Files that arrive in pieces, in many requests or in one, and are never held in memory.

Those of many requests are appended under a lock, so that an upload goes on after a lost connection.

How much has arrived is the size of the growing file, never a number that could disagree with it.
"""

import errno
import fcntl
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, Protocol

from dashboard.core.errors import Conflict, Invalid, NotFound, Problem, TooLarge
from dashboard.core.i18n import _

# Read and written at once: the memory that an upload takes, whatever its size.
PIECE_BYTES = 256 * 2**10
MAX_NAME = 255
# What the system says of a disk, a quota or a file that cannot take more.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Source(Protocol):
    """Where bytes come from: the body of a request."""

    def read(self, size: int = -1, /) -> bytes: ...


class EmptyFile(Invalid):
    """The file has no bytes."""

    code = "empty_file"


class UploadBusy(Conflict):
    """Another request is adding to this upload at this moment."""


@contextmanager
def disk_full_told() -> Iterator[None]:
    """Raise TooLarge, which says so, where the disk has no room for what is written inside."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        message = _("The server's disk is full. Please tell an administrator.")
        raise TooLarge(message) from error


@contextmanager
def locked(path: Path) -> Iterator[BinaryIO]:
    """The growing file, for one request alone. Raises NotFound, UploadBusy, and TooLarge on a full disk."""
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        raise NotFound() from None
    # Outside: what is left in the file's buffer fails once more when it is closed.
    with disk_full_told(), file:
        try:
            # Two requests that add at the same offset would interleave their bytes.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UploadBusy(_("This upload is being added to at this moment.")) from None
        yield file


def seek_end(file: BinaryIO, *, expected: int) -> int:
    """Go to the end, which must be at `expected`. Raises Conflict."""
    present = file.seek(0, os.SEEK_END)
    if expected != present:
        raise Conflict(
            _(
                "The upload stands at %(present)s bytes, not at %(offset)s.",
                present=present,
                offset=expected,
            )
        )
    return present


def receive(file: BinaryIO, source: Source, *, room: int) -> None:
    """Append what `source` gives. When the connection breaks, what came before it stays."""
    try:
        while piece := source.read(min(PIECE_BYTES, room + 1)):
            if len(piece) > room:
                raise TooLarge(_("More bytes came than were announced."))
            file.write(piece)
            room -= len(piece)
    finally:
        file.flush()
        os.fsync(file.fileno())


def keep(source: Path | BinaryIO, path: Path, *, max_bytes: int) -> str:
    """Write `source` to the new file `path`; its SHA-256. Nothing stays when it is refused.

    Raises TooLarge and EmptyFile.
    """
    digest, room = hashlib.sha256(), max_bytes
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            disk_full_told(),
            source.open("rb") if isinstance(source, Path) else nullcontext(source) as file,
            path.open("xb") as out,
        ):
            while piece := file.read(PIECE_BYTES):
                room -= len(piece)
                if room < 0:
                    raise TooLarge(_("A file may be %(size)s MB at most.", size=max_bytes // 2**20))
                digest.update(piece)
                out.write(piece)
        if room == max_bytes:
            message = _("The file is empty.")
            raise EmptyFile(message, problems=[Problem("file", message)])
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return digest.hexdigest()


def new_path(folder: Path) -> Path:
    """A file of a name that nobody can guess, in a folder that may not exist yet."""
    return folder / uuid.uuid4().hex


def size_of(path: Path) -> int:
    """How many bytes have arrived. Raises NotFound when the file is gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        raise NotFound() from None


def safe_name(name: str) -> str:
    """A file name for people and headers: no folders, no control or direction marks, at most 255 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    clean = "".join(mark for mark in last if mark.isprintable()).strip().strip(".")
    stem, dot, extension = clean.rpartition(".")
    return (
        clean if len(clean) <= MAX_NAME else stem[: MAX_NAME - len(extension) - 1] + dot + extension
    )
