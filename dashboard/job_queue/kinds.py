"""What people call the kinds of jobs; each domain names its own beside its messages."""

from typing import Any

_labels: dict[str, Any] = {}


def name_kind(kind: str, label: Any) -> None:
    """Give a kind a (lazily translated) name."""
    _labels[kind] = label


def label_of(kind: str) -> str:
    """The name of a kind in the reader's language, or the kind itself."""
    return str(_labels.get(kind, kind))
