"""Pictures that people send: which are taken, and how large they may be."""

from typing import IO

from werkzeug.datastructures import FileStorage

from dashboard.core import uploads
from dashboard.core.errors import Invalid, Problem, TooLarge
from dashboard.core.file_types import HEAD_BYTES, FileType, type_of
from dashboard.core.i18n import _

EXTENSIONS = {FileType.JPEG: "jpg", FileType.PNG: "png", FileType.WEBP: "webp"}
MAX_PIXELS = 24_000_000


class Unfit(Exception):
    """The picture cannot be shown; the message says why."""


def extension_of(upload: FileStorage, *, field: str) -> str:
    """What the uploaded picture of the form's `field` is, decided by its content: jpg, png or webp.

    Raises Invalid and TooLarge.
    """
    size_bytes = upload.stream.seek(0, 2)
    limit = uploads.settings().max_image_bytes
    if size_bytes > limit:
        raise TooLarge(_("The picture may be %(size)s MB at most.", size=f"{limit / 2**20:.0f}"))
    try:
        extension, _pixels = examine(upload.stream)
    except Unfit as error:
        raise Invalid(str(error), problems=[Problem(field, str(error))]) from error
    return extension


def examine(stream: IO[bytes]) -> tuple[str, int]:
    """What a picture is (jpg, png or webp), and how many pixels it has. Raises Unfit.

    SVG is refused because it can carry script. The picture is decoded once: a file that ends too early would be
    shown in part, and a small file can hold more pixels than a visitor's memory does.
    """
    stream.seek(0)
    extension = EXTENSIONS.get(type_of(stream.read(HEAD_BYTES)))
    if extension is None:
        raise Unfit(_("The picture must be a JPEG, PNG or WebP file."))
    stream.seek(0)
    try:
        return extension, _decode(stream)
    finally:
        stream.seek(0)


def save_cover(upload: FileStorage) -> str:
    """Keep the uploaded picture of a course or position; its stored name. Raises Invalid and TooLarge."""
    extension = extension_of(upload, field="cover")
    name = str(uploads.covers.save(upload, name=f"cover.{extension}"))
    uploads.delete_on_rollback(uploads.path_of("covers", name))
    return name


def _decode(stream: IO[bytes]) -> int:
    # Imported late: only administrators send pictures.
    from PIL import Image

    too_many = _(
        "The picture may have %(n)s million pixels at most: make it smaller.",
        n=MAX_PIXELS // 1_000_000,
    )
    try:
        with Image.open(stream, formats=("JPEG", "PNG", "WEBP")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Unfit(too_many)
            image.load()
            return image.width * image.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unfit(too_many) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        message = _("The picture is damaged or cut off: save it again and send that.")
        raise Unfit(message) from error
