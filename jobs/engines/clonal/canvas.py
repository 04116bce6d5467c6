"""Matplotlib for the static figures: fonts, one theme, and files that are the same every time.

Slow to import (0.4 s), so nothing but the drawing of figures and reports imports it."""

import io
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from jobs.engines.clonal.figure_texts import Language, text

CANVASES = {"svg": FigureCanvasSVG, "png": FigureCanvasAgg, "pdf": FigureCanvasPdf}
FORMATS = tuple(CANVASES)
# Without them a file would carry the time, and could not be compared with another.
METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    "Droid Sans Fallback",
    "Noto Serif CJK SC",
)
INK, MUTED, LINE = "#15201d", "#4c5b57", "#d5dcd7"
NAME_SHOWN = 24
DPI = 120
# Characters that XML forbids, and those that would turn text around.
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
# Settings of matplotlib belong to the whole process; two threads must not draw at once.
_lock = threading.Lock()


@contextmanager
def drawing() -> Iterator[None]:
    """The theme, for as long as a figure is made and saved."""
    chinese = chinese_font()
    settings: dict[Any, Any] = {
        "font.family": ["DejaVu Sans", *([chinese] if chinese else [])],
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": INK,
        "text.parse_math": False,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "axes.unicode_minus": False,
        # Text stays text: it can be searched and read aloud, and files stay small.
        "svg.fonttype": "none",
        "svg.hashsalt": "atrium",
        "path.simplify": True,
    }
    with _lock, mpl.rc_context(settings), warnings.catch_warnings():
        # An id may hold any character; a box for one that no font has is all that can be done.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


@cache
def chinese_font() -> str | None:
    """The name of an installed font with Chinese characters."""
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CHINESE_FONTS if name in known), None)


def spoken(language: Language) -> Language:
    """The language that can be written here: English where Chinese would be boxes."""
    return language if language == "en" or chinese_font() else "en"


def new_figure(width: float, height: float, *, title: str, notes: list[str]) -> Any:
    """An empty figure, sizes in inches, with its title above and what must be said of it below."""
    figure = Figure(figsize=(width, height), facecolor="white")
    figure.text(0.01, 1 - 0.09 / height, title, va="top", ha="left", fontsize=12, weight="bold")
    if notes:
        line = "; ".join(notes)
        figure.text(0.01, 0.06 / height, line, va="bottom", ha="left", fontsize=8, color=MUTED)
    return figure


def notes_of(language: Language, wanted: Language, *, notes: list[str]) -> list[str]:
    """The notes of a figure, and that it could not be written in the language wanted."""
    return notes + ([text("no_font", "en")] if language != wanted else [])


def saved(figure: Any, format: str) -> bytes:
    """The bytes of a file; the same figure gives the same."""
    out = io.BytesIO()
    CANVASES[format](figure)
    figure.savefig(out, format=format, dpi=DPI, metadata=METADATA[format], facecolor="white")
    return out.getvalue()


def label(name: str) -> str:
    """A name of the user's as a figure can show it."""
    safe = _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", name)
    return safe if len(safe) <= NAME_SHOWN else safe[: NAME_SHOWN - 1] + "…"
