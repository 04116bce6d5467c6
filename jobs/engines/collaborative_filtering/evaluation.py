"""Compare models on a split; the two popularity baselines are always in the table."""

from collections.abc import Mapping
from time import perf_counter

import numpy as np

from jobs.engines.collaborative_filtering.arrays import Ids, Tick, no_tick
from jobs.engines.collaborative_filtering.interactions import Interactions
from jobs.engines.collaborative_filtering.metrics import (
    MetricRow,
    SegmentRow,
    coverage,
    figure,
    judge,
    novelty,
    popularity_share,
)
from jobs.engines.collaborative_filtering.popularity import Popularity, RecentPopularity
from jobs.engines.collaborative_filtering.recommender import Recommender
from jobs.engines.collaborative_filtering.splits import Split

POPULARITY = "popularity"
RECENT_POPULARITY = "recent popularity"
# Lengths of a history, from and to.
SEGMENTS = ((1, 2), (3, 5), (6, 20), (21, 10**9))


def evaluate(
    models: Mapping[str, Recommender],
    split: Split,
    *,
    k: int = 10,
    seed: int = 0,
    tick: Tick = no_tick,
) -> list[MetricRow]:
    """One row per model, the baselines first, then in the given order. The models are fitted."""
    baselines = {POPULARITY: Popularity(), RECENT_POPULARITY: RecentPopularity()}
    everyone = {**baselines, **models}
    rows = []
    for place, (name, model) in enumerate(everyone.items()):
        part = _part_of(tick, place, len(everyone))
        rows.append(judged(name, model, split, k=k, seed=seed, tick=part))
    tick(1.0)
    return rows


def judged(
    name: str,
    model: Recommender,
    split: Split,
    *,
    k: int,
    seed: int,
    learn_from: Interactions | None = None,
    tick: Tick = no_tick,
) -> MetricRow:
    """Figures of one model, fitted here on the training part, or on what of it `learn_from` holds."""
    start = perf_counter()
    lists = _lists(model, split, learn_from or split.train, k=k, tick=tick)
    seconds = perf_counter() - start
    figures = judge(lists, hidden=split.hidden)
    return MetricRow(
        model=name,
        split=split.name,
        k=k,
        n_users=len(split.users),
        recall=figure(figures.recall, seed=seed),
        ndcg=figure(figures.ndcg, seed=seed),
        map=figure(figures.map, seed=seed),
        coverage=coverage(lists, n_items=split.train.n_items),
        popularity_share=popularity_share(lists, item_counts=split.train.item_counts),
        novelty=novelty(lists, item_counts=split.train.item_counts, n_users=split.train.n_users),
        seconds=seconds,
    )


def segments(model: Recommender, split: Split, *, k: int = 10, seed: int = 0) -> list[SegmentRow]:
    """Figures of a fitted model by the length of the history it had to go by."""
    if not len(split.users):
        return []
    histories = split.train.user_items[split.users]
    lists = model.recommend(split.users, histories, N=k, idle_days=split.idle_days)[0]
    figures = judge(lists, hidden=split.hidden)
    lengths = np.diff(histories.indptr)
    rows = []
    for low, high in SEGMENTS:
        within = (lengths >= low) & (lengths <= high)
        if within.any():
            name = f"{low}+" if high == SEGMENTS[-1][1] else f"{low}-{high}"
            recall = figure(figures.recall[within], seed=seed)
            ndcg = figure(figures.ndcg[within], seed=seed)
            rows.append(SegmentRow(name, int(within.sum()), recall, ndcg))
    return rows


def _lists(
    model: Recommender, split: Split, learn_from: Interactions, *, k: int, tick: Tick
) -> Ids:
    model.fit(learn_from.user_items, callback=tick, times=learn_from.times)
    if not len(split.users):
        return np.empty((0, k), dtype=np.int32)
    histories = split.train.user_items[split.users]
    return model.recommend(split.users, histories, N=k, idle_days=split.idle_days)[0]


def _part_of(tick: Tick, place: int, n_parts: int) -> Tick:
    """Progress of one model within that of all."""
    tick(place / n_parts)
    return lambda fraction: tick((place + fraction) / n_parts)
