"""Plain results -> plotly figures, each with the table that it draws."""

from collections.abc import Mapping, Sequence

import numpy as np

from dashboard.recommendations.charts.chart import (
    Chart,
    model_label,
    rating_label,
    served_label,
    split_label,
)
from dashboard.recommendations.charts.items import (
    activity,
    cold,
    coverage,
    graph,
    popularity,
    similarity,
)
from dashboard.recommendations.charts.people import contributions, people
from dashboard.recommendations.charts.runs import (
    coverage_over_runs,
    metrics,
    metrics_over_runs,
    segments,
)
from dashboard.recommendations.models import TrainingRun
from jobs.engines.collaborative_filtering import TrainedModel

__all__ = [
    "Chart",
    "contributions",
    "coverage",
    "metrics",
    "metrics_over_runs",
    "model_label",
    "people",
    "popularity",
    "rating_label",
    "served_label",
    "similarity",
    "split_label",
    "workspace",
]

# Items on the axes of the heat map and in the graph: more titles than this cannot be read.
N_HEAT, N_GRAPH = 24, 40


def workspace(
    model: TrainedModel, *, titles: Mapping[int, str], runs: Sequence[TrainingRun]
) -> list[Chart]:
    """The charts of the analysts' page; `titles` names the items that may be named."""
    curve = model.popularity_curve()
    ids = [int(i) for i in model.item_ids.tolist()]
    met = dict(zip(ids, model.item_counts.tolist(), strict=True))
    listed = dict(zip(ids, model.list_counts.tolist(), strict=True))
    named = [i for i in map(int, curve.item_ids.tolist()) if i in titles and met[i]]
    heat, dots = named[:N_HEAT], named[:N_GRAPH]
    n_all = len(named)
    return [
        metrics(runs[-1].metrics if runs else []),
        metrics_over_runs(runs),
        coverage_over_runs(runs),
        segments(model.segments),
        similarity(model.similarity_block(heat), [titles[i] for i in heat], n_all=n_all),
        graph(model.similarity_block(dots), [titles[i] for i in dots], n_all=n_all),
        activity(model.grid),
        popularity(curve, titles),
        cold(met, listed, titles),
        coverage(model.coverage()),
        people(np.diff(model.user_neighbours.indptr)),
    ]
