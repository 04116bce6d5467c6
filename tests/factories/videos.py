"""Small real videos, and files that only pretend to be some."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE = 10
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
GIF = b"GIF89a" + bytes(200)


def make_video(
    path: Path,
    *,
    codec: str = "libx264",
    seconds: float = 2.0,
    size: tuple[int, int] = (160, 90),
    pixels: str = "yuv420p",
    sound: str = "",
    faststart: bool = False,
    picture: bool = True,
) -> Path:
    """A video of moving colours; by default an MP4 whose index (moov) stands at the end."""
    options = {"movflags": "faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as output:
        # All streams stand before the first packet: it writes the header that names them.
        picture_stream = _picture(output, codec, size, pixels) if picture else None
        sound_stream = output.add_stream(sound, rate=48_000, layout="mono") if sound else None
        if picture_stream is not None:
            for number in range(round(seconds * RATE)):
                output.mux(picture_stream.encode(_frame(number, size)))
            output.mux(picture_stream.encode(None))
        if sound_stream is not None:
            output.mux(sound_stream.encode(_wave(seconds)))
            output.mux(sound_stream.encode(None))
    return path


def truncate(path: Path, fraction: float) -> Path:
    """Cut the end off a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * fraction)])
    return path


def _frame(number: int, size: tuple[int, int]) -> Any:
    width, height = size
    row = (np.arange(width) + 8 * number) % 256
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[:, :, 0] = row
    image[:, :, 1] = 255 - row
    image[height // 3 : height // 2, :, 2] = 200
    return av.VideoFrame.from_ndarray(image, format="rgb24")


def _picture(output: Any, codec: str, size: tuple[int, int], pixels: str) -> Any:
    stream = output.add_stream(codec, rate=RATE)
    stream.width, stream.height = size
    stream.pix_fmt = pixels
    if codec in ("libx264", "libx265"):
        stream.options = {"preset": "ultrafast"}
    return stream


def _wave(seconds: float) -> Any:
    samples = (0.2 * np.sin(np.arange(int(48_000 * seconds)) * 0.05)).astype(np.float32)[None, :]
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate, frame.time_base, frame.pts = 48_000, Fraction(1, 48_000), 0
    return frame
