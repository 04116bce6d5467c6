"""What a file is by its first bytes; its name and its declared type say nothing."""

from enum import StrEnum

HEAD_BYTES = 4096

# First boxes that MP4 and QuickTime files are known to begin with.
_MP4_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip", b"pnot"})
_MARKUP = (b"<!doctype", b"<html", b"<head", b"<script", b"<body", b"<svg", b"<?xml", b"<!--", b"<")
_PLAYLISTS = (b"#extm3u", b"[playlist]", b"ffconcat", b"<asx", b"<smil")


class FileType(StrEnum):
    """The kinds of file that uploads tell apart."""

    MP4 = "mp4"  # and M4V, QuickTime
    MATROSKA = "matroska"  # and WebM
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    PLAYLIST = "playlist"  # names other files or addresses, which a reader would open
    MARKUP = "markup"  # HTML, SVG, XML
    EMPTY = "empty"
    UNKNOWN = "unknown"


def type_of(head: bytes) -> FileType:
    """The type of a file that begins with `head` (HEAD_BYTES are enough)."""
    if not head:
        return FileType.EMPTY
    if head[4:8] in _MP4_BOXES:
        return FileType.MP4
    for magic, kind in (
        (b"\x1a\x45\xdf\xa3", FileType.MATROSKA),
        (b"\xff\xd8\xff", FileType.JPEG),
        (b"\x89PNG\r\n\x1a\n", FileType.PNG),
        (b"GIF8", FileType.GIF),
    ):
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FileType.WEBP
    return _text_type(head)


def _text_type(head: bytes) -> FileType:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_PLAYLISTS):
        return FileType.PLAYLIST
    return FileType.MARKUP if text.startswith(_MARKUP) else FileType.UNKNOWN
