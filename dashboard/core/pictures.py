"""Pictures that people send: which are taken, and how large they may be."""

from werkzeug.datastructures import FileStorage

from dashboard.core import uploads
from dashboard.core.errors import Invalid, Problem, TooLarge
from dashboard.core.file_types import HEAD_BYTES, FileType, type_of
from dashboard.core.i18n import _

EXTENSIONS = {FileType.JPEG: "jpg", FileType.PNG: "png", FileType.WEBP: "webp"}
MAX_PIXELS = 24_000_000


def extension_of(upload: FileStorage, *, field: str) -> str:
    """What the uploaded picture of the form's `field` is, decided by its content: jpg, png or webp.

    Raises Invalid and TooLarge. SVG is refused because it can carry script. The picture is decoded once: a file
    that ends too early would be shown in part, and a small file can hold more pixels than a visitor's memory does.
    """
    size_bytes = upload.stream.seek(0, 2)
    upload.stream.seek(0)
    limit = uploads.settings().max_image_bytes
    if size_bytes > limit:
        raise TooLarge(_("The picture may be %(size)s MB at most.", size=f"{limit / 2**20:.0f}"))
    extension = EXTENSIONS.get(type_of(upload.stream.read(HEAD_BYTES)))
    upload.stream.seek(0)
    message = (
        _("The picture must be a JPEG, PNG or WebP file.")
        if extension is None
        else _fault_of(upload)
    )
    if extension is None or message:
        raise Invalid(message, problems=[Problem(field, message)])
    return extension


def save_cover(upload: FileStorage) -> str:
    """Keep the uploaded picture of a course or position; its stored name. Raises Invalid and TooLarge."""
    extension = extension_of(upload, field="cover")
    name = str(uploads.covers.save(upload, name=f"cover.{extension}"))
    uploads.delete_on_rollback(uploads.path_of("covers", name))
    return name


def _fault_of(upload: FileStorage) -> str:
    # Imported late: only administrators send pictures.
    from PIL import Image

    formats = ("JPEG", "PNG", "WEBP")
    too_many = _(
        "The picture may have %(n)s million pixels at most: make it smaller.",
        n=MAX_PIXELS // 1_000_000,
    )
    try:
        with Image.open(upload.stream, formats=formats) as image:
            if image.width * image.height > MAX_PIXELS:
                return too_many
            image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return too_many
    except (OSError, SyntaxError, ValueError, EOFError):
        return _("The picture is damaged or cut off: save it again and send that.")
    finally:
        upload.stream.seek(0)
    return ""
