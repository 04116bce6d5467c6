"""Short training films drawn by the portal itself: moving bars, points and waves as H.264 in MP4."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 480, 270
RATE = 8
SECONDS = 24
PAPER = (244, 246, 243)
INK = (13, 103, 92)
SUN = (217, 138, 38)
SOFT = (207, 230, 223)
FRAMES = RATE * SECONDS


def make_film(name: str, path: Path) -> Path:
    """Write the film `name` to `path`: bars, scatter or wave."""
    draw = DRAWINGS[name]
    with av.open(str(path), "w", options={"movflags": "faststart"}) as output:
        stream: Any = output.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        # A key frame each second, so that seeking lands where the viewer points.
        stream.options = {"preset": "veryfast", "crf": "30", "g": str(RATE)}
        for picture in _pictures(draw):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))
    return path


def _pictures(draw: Callable[[Picture, float], None]) -> Iterator[Picture]:
    for number in range(FRAMES):
        picture = np.empty((HEIGHT, WIDTH, 3), dtype=np.uint8)
        picture[:] = PAPER
        done = number / (FRAMES - 1)
        draw(picture, done)
        _box(picture, (0, HEIGHT - 6, int(WIDTH * done), HEIGHT), SUN)
        yield picture


def _bars(picture: Picture, done: float) -> None:
    """A histogram that fills as samples arrive."""
    shape = np.exp(-(((np.arange(15) - 6.0) / 3.2) ** 2))
    for place, height in enumerate(shape):
        grown = height * min(1.0, max(0.0, done * 2.2 - place * 0.05))
        top = int(HEIGHT - 30 - 190 * grown)
        left = 40 + place * 27
        _box(picture, (left, top, left + 20, HEIGHT - 30), SUN if place == 6 else INK)
    _box(picture, (30, HEIGHT - 30, WIDTH - 30, HEIGHT - 28), INK)


def _scatter(picture: Picture, done: float) -> None:
    """Three clouds of points that drift apart into clusters."""
    points = np.random.default_rng(7).normal(size=(120, 2))
    centres = np.array([[130, 180], [250, 80], [370, 170]])
    middle = np.array([240, 135])
    for number, point in enumerate(points):
        centre = middle + (centres[number % 3] - middle) * min(1.0, done * 1.4)
        x, y = (centre + point * 22).astype(int)
        _box(picture, (x - 3, y - 3, x + 3, y + 3), (INK, SUN, (54, 85, 127))[number % 3])


def _wave(picture: Picture, done: float) -> None:
    """A running mean that settles as values come in."""
    n_values = max(2, int(400 * done))
    values = np.random.default_rng(3).normal(size=400)[:n_values]
    means = np.cumsum(values) / np.arange(1, n_values + 1)
    _box(picture, (40, HEIGHT // 2, WIDTH - 40, HEIGHT // 2 + 1), SOFT)
    for x, (value, mean) in enumerate(zip(values, means, strict=True)):
        y = int(HEIGHT / 2 - 30 * value)
        _box(picture, (40 + x, y, 42 + x, y + 2), SOFT)
        y = int(HEIGHT / 2 - 70 * mean)
        _box(picture, (40 + x, y - 1, 42 + x, y + 2), INK)


DRAWINGS = {"bars": _bars, "scatter": _scatter, "wave": _wave}


def _box(picture: Picture, box: tuple[int, int, int, int], colour: tuple[int, int, int]) -> None:
    left, top, right, bottom = (max(0, side) for side in box)
    picture[top:bottom, left:right] = colour
