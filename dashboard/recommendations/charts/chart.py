"""What every chart is, and the names of models and splits in the reader's language."""

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from dashboard.core.i18n import _
from dashboard.core.plots import figure_json
from dashboard.recommendations.services.publishing import BASELINE, SERVED, SPLIT_LABELS

HEIGHT = 420


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with its name for files, its label for everybody and its data."""

    name: str
    label: str
    figure: go.Figure
    header: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    @property
    def json(self) -> str:
        return figure_json(self.figure)


def model_label(name: str) -> str:
    """The engine's name of a model in the reader's language."""
    labels = {
        BASELINE: _("Popularity (baseline)"),
        "recent popularity": _("Recent popularity (baseline)"),
        "item-item": _("Similar items"),
        "window co-view": _("Viewed soon after"),
        SERVED: _("Served model"),
        "user-user": _("Similar people"),
        "rp3beta": _("Random walks (RP3beta)"),
        "ease": _("Linear model (EASE)"),
    }
    return labels.get(name, name)


def rating_label(name: str) -> str:
    """The engine's name of a way to foretell ratings in the reader's language."""
    labels = {
        "baseline": _("What the person gives and the item gets (baseline)"),
        "item-knn": _("Ratings of similar items"),
        "user-knn": _("Ratings of similar people"),
    }
    return labels.get(name, name)


def split_label(name: str) -> str:
    """The engine's name of a split in the reader's language."""
    return str(SPLIT_LABELS.get(name, name))
