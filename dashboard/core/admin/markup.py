"""Small pieces of markup that lists show in their cells."""

from datetime import datetime
from typing import Any

from markupsafe import Markup


def state_tag(state: str, label: Any) -> Markup:
    """A state as a coloured word."""
    return Markup('<span class="tag state-dot state-{}">{}</span>').format(str(state), label)


def link(href: str, label: Any) -> Markup:
    """A link."""
    return Markup('<a href="{}">{}</a>').format(href, label)


def day(moment: datetime) -> Markup:
    """The day of a moment; the moment itself, and its zone, in the tooltip."""
    return Markup('<time datetime="{}Z" title="{} UTC">{}</time>').format(
        moment.isoformat(timespec="seconds"),
        moment.isoformat(sep=" ", timespec="seconds"),
        moment.strftime("%Y-%m-%d"),
    )


def size(n_bytes: int) -> str:
    """A number of bytes for people."""
    value = float(n_bytes)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def duration(seconds: float | None) -> str:
    """A length of time as 3:12 or 1:03:12; empty when unknown."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
