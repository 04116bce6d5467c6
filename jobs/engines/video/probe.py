"""Reads container, codec, size and length of a video, and draws its poster. Runs in the child only."""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

from jobs.engines.video.verdict import Fault, Unusable, Verdict, VideoCheck

# A reader is forced by the first bytes. FFmpeg's own guess would also try readers that open other files and
# addresses named in this one (HLS, concat).
READERS = {"mp4": "mov", "matroska": "matroska"}
MAX_SIDE = 8192
MIN_SIDE = 16
MIN_DURATION_S = 0.05
POSTER_WIDTH = 640
# What Chromium, Firefox and Safari all play, by container.
PLAYABLE_VIDEO = {"mp4": {"h264", "av1", "vp9"}, "webm": {"vp8", "vp9", "av1"}}
PLAYABLE_AUDIO = {"mp4": {"aac", "mp3", "opus", "flac"}, "webm": {"opus", "vorbis"}}
PLAYABLE_PIXELS = {"yuv420p", "yuvj420p", "yuva420p"}
MIME_TYPES = {"mp4": "video/mp4", "webm": "video/webm", "mkv": "video/x-matroska"}
_MP4_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip", b"pnot"}


def probe(path: Path, *, poster: Path) -> VideoCheck:
    """The verdict on the file at `path`; writes a JPEG to `poster` when there is a picture to show."""
    try:
        return _probe(path, poster=poster)
    except Unusable as error:
        return VideoCheck(Verdict.FAILED, fault=error.fault, detail=error.detail)
    except (av.FFmpegError, ValueError, EOFError) as error:
        detail = type(error).__name__
        return VideoCheck(Verdict.FAILED, fault=Fault.BROKEN, detail=detail)


def container_of(path: Path) -> str:
    """mp4, webm or mkv by the first bytes. Raises Unusable for everything else."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head[4:8] in _MP4_BOXES:
        return "mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm" if b"webm" in head[:64] else "mkv"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    playlist = text.startswith((b"#extm3u", b"[playlist]", b"ffconcat"))
    raise Unusable(Fault.PLAYLIST if playlist else Fault.NOT_A_VIDEO)


def _probe(path: Path, *, poster: Path) -> VideoCheck:
    container = container_of(path)
    reader = "mov" if container == "mp4" else "matroska"
    # An open file instead of a path: the reader has no name by which to find others.
    with path.open("rb") as file, av.open(file, format=reader, mode="r") as source:
        stream = _picture_stream(source)
        codec = stream.codec_context.name
        width, height = stream.codec_context.width, stream.codec_context.height
        if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE):
            raise Unusable(Fault.DIMENSIONS, f"{width} x {height}")
        duration_s = _duration(source, stream)
        _check_end(source, stream, duration_s)
        has_poster = _write_poster(source, stream, duration_s, poster)
        fault, detail = _unplayable(source, stream, container)
    return VideoCheck(
        verdict=Verdict.CANNOT_PLAY if fault else Verdict.READY,
        fault=fault,
        detail=detail,
        duration_s=round(duration_s, 3),
        width=width,
        height=height,
        codec=codec,
        mime_type=MIME_TYPES[container],
        sha256=_sha256(path),
        has_poster=has_poster,
    )


def _picture_stream(source: Any) -> Any:
    for stream in source.streams.video:
        # A cover picture inside a sound file is a video stream to FFmpeg.
        if not stream.disposition & av.stream.Disposition.attached_pic:
            stream.thread_type = "NONE"
            return stream
    raise Unusable(Fault.NO_PICTURE if source.streams.audio else Fault.NOT_A_VIDEO)


def _duration(source: Any, stream: Any) -> float:
    if stream.duration is not None and stream.time_base:
        duration_s = float(stream.duration * stream.time_base)
    elif source.duration:
        duration_s = source.duration / av.time_base
    else:
        # Recorded live, as browsers do: only the packets tell.
        duration_s = max(_packet_times(source, stream), default=0.0)
        source.seek(0)
    if not MIN_DURATION_S <= duration_s < 10**7:
        raise Unusable(Fault.NO_DURATION)
    return duration_s


def _packet_times(source: Any, stream: Any) -> Iterator[float]:
    for packet in source.demux(stream):
        if packet.pts is not None:
            yield float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _check_end(source: Any, stream: Any, duration_s: float) -> None:
    """Raise Unusable when the file ends long before the length it announces."""
    start_s = max(0.0, duration_s - 2.0)
    last_s = 0.0
    with contextlib.suppress(av.FFmpegError):
        source.seek(int(start_s / stream.time_base), stream=stream)
        last_s = max(_packet_times(source, stream), default=0.0)
    source.seek(0)
    if last_s < duration_s - max(2.0, 0.1 * duration_s) or last_s == 0.0:
        raise Unusable(Fault.BROKEN)


def _write_poster(source: Any, stream: Any, duration_s: float, poster: Path) -> bool:
    """A frame from the first tenth, at most 640 pixels wide. Raises Unusable when nothing can be decoded."""
    frame = _frame_at(source, stream, min(2.0, duration_s / 10)) or _frame_at(source, stream, 0.0)
    if frame is None:
        raise Unusable(Fault.BROKEN)
    scale = min(1.0, POSTER_WIDTH / frame.width)
    # JPEG with halved colours needs even sides.
    width, height = (max(2, round(side * scale) // 2 * 2) for side in (frame.width, frame.height))
    picture = frame.reformat(width=width, height=height, format="yuvj420p")
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = stream.time_base
    picture.pts = 0
    poster.write_bytes(b"".join(bytes(part) for part in encoder.encode(picture)))
    return poster.stat().st_size > 0


def _frame_at(source: Any, stream: Any, second: float) -> Any:
    source.seek(int(second / stream.time_base), stream=stream)
    for packet in source.demux(stream):
        frames = packet.decode()
        if frames:
            return frames[0]
    return None


def _unplayable(source: Any, stream: Any, container: str) -> tuple[Fault | None, str]:
    if container == "mkv":
        return Fault.CONTAINER, "Matroska"
    context = stream.codec_context
    if context.name not in PLAYABLE_VIDEO[container] and context.name not in _decoders(container):
        return Fault.CODEC, context.name
    if context.name == "h264" and context.pix_fmt not in PLAYABLE_PIXELS:
        return Fault.CODEC, f"{context.name}, {context.pix_fmt}"
    for audio in source.streams.audio:
        name = audio.codec_context.name
        if name not in PLAYABLE_AUDIO[container]:
            return Fault.CODEC, name
    return None, ""


def _decoders(container: str) -> set[str]:
    # FFmpeg may read a codec by another program than its own and then names that one.
    names = {"mp4": {"libdav1d", "libaom-av1"}, "webm": {"libdav1d", "libvpx", "libvpx-vp9"}}
    return names[container]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
