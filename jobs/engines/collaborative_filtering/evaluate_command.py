"""`run.py recommend evaluate`: the table of models on hidden events, and its JSON object."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np

from jobs.engines.collaborative_filtering.arguments import WrongUsage
from jobs.engines.collaborative_filtering.choice import choose
from jobs.engines.collaborative_filtering.evaluation import judged
from jobs.engines.collaborative_filtering.event_file import EventColumns, read_events
from jobs.engines.collaborative_filtering.interactions import Interactions
from jobs.engines.collaborative_filtering.metrics import Figure, MetricRow
from jobs.engines.collaborative_filtering.model_names import BASELINES, DEFAULT, MODELS, OF_RATINGS
from jobs.engines.collaborative_filtering.opinions import hold_opinions, rated
from jobs.engines.collaborative_filtering.rating_prediction import errors_of
from jobs.engines.collaborative_filtering.reader import read_item_ids
from jobs.engines.collaborative_filtering.recommender import Recommender
from jobs.engines.collaborative_filtering.splits import (
    MIN_PAIRS,
    TRAIN_SHARE,
    Split,
    by_time,
    leave_last_out,
)

SPLITS: dict[str, Callable[[Interactions], Split]] = {
    "leave-last-out": leave_last_out,
    "by-time": by_time,
}
NOBODY = {
    "leave-last-out": f"nobody has {MIN_PAIRS} items or more, of which the last could be hidden",
    "by-time": (
        f"nobody has items on both sides of the moment at which {TRAIN_SHARE:.0%} had happened"
    ),
}
NAMES = [*MODELS, DEFAULT]
# Novelty in bits; popular: places taken by the most popular tenth of the items.
HEADER = (
    f"{'':18} {'recall':>22} {'ndcg':>22} {'map':>7} "
    f"{'cover':>6} {'novelty':>7} {'popular':>7} {'seconds':>8}"
)
NO_FIGURE = "\N{EN DASH}"
# Comparing all users of a large file takes hours; named in --models it is done all the same.
MOST_USERS_COMPARED = 20_000
MOST_ITEMS_INVERTED = 5_000


@dataclass(frozen=True)
class Task:
    """What is judged, and how."""

    split: Split
    ratings: Interactions | None
    """Of the training part; None where there are none."""
    k: int
    seed: int
    catalogue_share: float
    """Items with events / items of the catalogue."""


def evaluate(arguments: argparse.Namespace) -> None:
    """Print the table; raises what `cli.run` turns into one line."""
    asked = _chosen_names(arguments.models)
    events = read_events(arguments.ratings)
    if arguments.split == "by-time" and events.times_s is None:
        raise WrongUsage("--split by-time needs a column timestamp or created_at")
    data = events.interactions(seed=arguments.seed)
    split = SPLITS[arguments.split](data)
    known = _known(events, split)
    opinions = hold_opinions(known)
    task = Task(
        split=split,
        ratings=rated(split.train, known) if opinions else None,
        k=arguments.k,
        seed=arguments.seed,
        catalogue_share=data.n_items / _catalogue_size(arguments, data),
    )
    names = asked or _names_for(data, opinions=opinions)
    print(
        f"{data.n_pairs:,} pairs, {data.n_users:,} users, {data.n_items:,} items; "
        f"{split.name}: {len(split.users):,} users judged, top {arguments.k}"
    )
    tied = float(data.tied().mean())
    notes = _notes(events, split, tied=tied)
    if not opinions:
        notes += _notes_on_ratings(asked)
    print("".join(f"Note: {note}.\n" for note in notes))
    models = _table(names, task)
    errors = _rating_errors(events, seed=arguments.seed)
    if errors:
        shown = (f"{n} {e.value:.4f} ({e.low:.4f} to {e.high:.4f})" for n, e in errors.items())
        print("\nRMSE of ratings: " + ", ".join(shown))
    if arguments.json:
        summary = {
            "split": split.name,
            "k": arguments.k,
            "n_users": len(split.users),
            "default": DEFAULT,
            "tied_share": tied,
            "notes": notes,
            "models": models,
            "rmse": {name: error.value for name, error in errors.items()},
            "rmse_intervals": {name: [error.low, error.high] for name, error in errors.items()},
        }
        print(json.dumps(summary))


def _known(events: EventColumns, split: Split) -> EventColumns:
    """What the training part may know: by time, a rating given after the cut is of the future."""
    if split.name != "by-time":
        return events
    return events.until(float(split.train.times.max(initial=-np.inf)))


def _chosen_names(text: str | None) -> list[str]:
    """The baselines and the names asked for; none when none are."""
    if text is None:
        return []
    asked = [DEFAULT if n.strip() == "default" else n.strip() for n in text.split(",") if n.strip()]
    unknown = [name for name in asked if name not in NAMES]
    if unknown:
        raise WrongUsage(f"unknown model {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return list(dict.fromkeys([*BASELINES, *asked]))


def _names_for(data: Interactions, *, opinions: bool) -> list[str]:
    """Every model that takes a reasonable time on so much data, and has what it compares."""
    left_out = set() if opinions else set(OF_RATINGS)
    left_out |= {"user-cosine"} if data.n_users > MOST_USERS_COMPARED else set()
    left_out |= {"ease"} if data.n_items > MOST_ITEMS_INVERTED else set()
    return [name for name in NAMES if name not in left_out]


def _notes(events: EventColumns, split: Split, *, tied: float) -> list[str]:
    """What a reader of the table must know."""
    notes = []
    if events.times_s is None:
        notes.append("there are no times; the order of every history is drawn by lot")
    elif tied:
        notes.append(
            f"{tied:.2%} of the pairs have the time of another one of the same user; "
            "the order of those is drawn by lot"
        )
    if not len(split.users):
        notes.append(f"there are no figures, as {NOBODY[split.name]}")
    return notes


def _notes_on_ratings(asked: list[str]) -> list[str]:
    """What becomes of the models that compare ratings where there are none."""
    if asked and not set(OF_RATINGS) & set(asked):
        return []
    what = "are the plain cosine" if asked else "are left out"
    return [f"{' and '.join(OF_RATINGS)} {what}, as there are no ratings that differ"]


def _catalogue_size(arguments: argparse.Namespace, data: Interactions) -> int:
    if arguments.items is None:
        return data.n_items
    return len(np.union1d(read_item_ids(arguments.items), data.item_ids.astype(np.str_)))


def _table(names: list[str], task: Task) -> dict[str, Any]:
    """The figures by model, printed one by one."""
    print(HEADER)
    models = {}
    for name in names:
        row, parameters = _judge(name, task)
        models[name] = _figures(row, parameters, share=task.catalogue_share)
        print(_line(name, row, coverage=row.coverage * task.catalogue_share), flush=True)
    return models


def _judge(name: str, task: Task) -> tuple[MetricRow, dict[str, Any]]:
    start = perf_counter()
    model: Recommender
    if name == DEFAULT:
        choice = choose(task.split.train, split=task.split.name, k=task.k, seed=task.seed)
        model, parameters = choice.model(), choice.parameters()
        parameters["tuning_seconds"] = round(perf_counter() - start, 3)
    else:
        model = MODELS[name]()
        parameters = asdict(model.config)
    learn_from = task.ratings if name in OF_RATINGS else None
    row = judged(name, model, task.split, k=task.k, seed=task.seed, learn_from=learn_from)
    return row, parameters


def _figures(row: MetricRow, parameters: dict[str, Any], *, share: float) -> dict[str, Any]:
    """As plain JSON; nothing is told of nobody."""
    figures = {
        "recall": row.recall.value,
        "ndcg": row.ndcg.value,
        "map": row.map.value,
        "coverage": row.coverage * share,
        "popularity_share": row.popularity_share,
        "novelty": row.novelty,
    }
    intervals = {
        name: [getattr(row, name).low, getattr(row, name).high]
        for name in ("recall", "ndcg", "map")
    }
    known = bool(row.n_users)
    return {
        **(figures if known else dict.fromkeys(figures)),
        "seconds": round(row.seconds, 4),
        "parameters": parameters,
        "intervals": intervals if known else dict.fromkeys(intervals),
    }


def _line(name: str, row: MetricRow, *, coverage: float) -> str:
    def shown(figure: Figure) -> str:
        return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"

    cells = [
        shown(row.recall),
        shown(row.ndcg),
        f"{row.map.value:.3f}",
        f"{coverage:.3f}",
        f"{row.novelty:.2f}",
        f"{row.popularity_share:.3f}",
    ]
    recall, ndcg, map_, cover, novelty, popular = cells if row.n_users else [NO_FIGURE] * len(cells)
    return (
        f"{name:18} {recall:>22} {ndcg:>22} {map_:>7} "
        f"{cover:>6} {novelty:>7} {popular:>7} {row.seconds:8.2f}"
    )


def _rating_errors(events: EventColumns, *, seed: int) -> dict[str, Figure]:
    rated_ = np.isfinite(events.ratings)
    return errors_of(
        events.user_ids[rated_], events.item_ids[rated_], events.ratings[rated_], seed=seed
    )
