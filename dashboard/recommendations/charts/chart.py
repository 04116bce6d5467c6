"""What every chart is, and the names of models and splits in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from dashboard.core.i18n import _
from dashboard.core.plots import figure_json
from dashboard.recommendations.services.publishing import BASELINE, SERVED, SPLIT_LABELS

HEIGHT = 420
# What a run may mix, as its recipe and as the engine's tables of models name it.
PARTS = {
    "window": "window co-view",
    "together": "item-item",
    "walk": "rp3beta",
    "terms": "bm25",
    "linear": "ease",
}


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
        "bm25": _("Similar items (BM25)"),
    }
    return labels.get(name, name)


def served_label(recipe: Mapping[str, Any]) -> str:
    """What a run with this recipe serves: parts and their shares, old items, present demand."""
    served = recipe.get("served") or {}
    parts = _parts(served)
    if not parts:
        return ""
    return "; ".join([", ".join(parts), _recency_label(served), *_demand_labels(served)])


def _parts(served: Mapping[str, Any]) -> list[str]:
    weights = {name: served[name] for name in PARTS if served.get(name)}
    texts: list[str] = []
    for name, weight in weights.items():
        label = model_label(PARTS[name])
        text = label[:1].lower() + label[1:] if texts else label
        settings = {"walk": ("alpha", "beta"), "linear": ("ridge",)}.get(name, ())
        told = [f"{each} {served[each]:g}" for each in settings if each in served]
        share = [f"{weight / sum(weights.values()):.0%}"] if len(weights) > 1 else []
        texts.append(" ".join([text, *told, *share]))
    return texts


def _recency_label(served: Mapping[str, Any]) -> str:
    # Runs of the first version do not say a recency of 0.
    recency = served.get("recency", 0.0)
    if not recency:
        return _("old items count as new ones")
    return _("newest first") if recency >= 1 else _("newer items count more")


def _demand_labels(served: Mapping[str, Any]) -> list[str]:
    """What is said of the items that are wanted now; nothing where they count as any other."""
    labels = []
    trend, floor, days = served.get("trend") or {}, served.get("floor"), served.get("floor_days")
    if trend.get("power"):
        labels.append(
            _(
                "demand of late to the power %(power)s, half-life %(days)s days",
                power=f"{trend['power']:g}",
                days=f"{trend['half_life_days']:g}",
            )
        )
    if floor and days:
        labels.append(
            _(
                "floor of popular items %(floor)s, half of it after %(days)s days",
                floor=f"{floor:g}",
                days=f"{days:g}",
            )
        )
    elif floor:
        labels.append(_("floor of popular items %(floor)s", floor=f"{floor:g}"))
    return labels


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
