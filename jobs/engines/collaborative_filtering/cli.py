"""`run.py recommend evaluate` and `run.py recommend neighbours`: the engine without the portal.

Scripts rely on the options, the exit codes (0 done, 1 the data cannot be used, 2 wrong usage) and
the JSON object of --json. Nothing here knows Flask, the database or the configuration."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from jobs.engines.collaborative_filtering.arrays import CSR
from jobs.engines.collaborative_filtering.blocks import Place, cosine_by
from jobs.engines.collaborative_filtering.choice import choose
from jobs.engines.collaborative_filtering.evaluation import judged
from jobs.engines.collaborative_filtering.event_file import BadEvents, EventColumns, read_events
from jobs.engines.collaborative_filtering.executors import (
    KINDS,
    NoEngine,
    engine_of,
)
from jobs.engines.collaborative_filtering.fields import InvalidRatings
from jobs.engines.collaborative_filtering.interactions import (
    LONGEST_HISTORY,
    Interactions,
    Keep,
    build_interactions,
)
from jobs.engines.collaborative_filtering.item_item import ItemItem, ItemItemConfig
from jobs.engines.collaborative_filtering.metrics import Figure, MetricRow
from jobs.engines.collaborative_filtering.model_names import BASELINES, DEFAULT, MODELS
from jobs.engines.collaborative_filtering.rating_prediction import errors_of
from jobs.engines.collaborative_filtering.reader import read_item_ids
from jobs.engines.collaborative_filtering.recommender import Recommender
from jobs.engines.collaborative_filtering.splits import Split, by_time, leave_last_out

EXIT_DATA, EXIT_USAGE = 1, 2
SPLITS: dict[str, Callable[[Interactions], Split]] = {
    "leave-last-out": leave_last_out,
    "by-time": by_time,
}
NAMES = [*MODELS, DEFAULT]
# Novelty in bits; popular: places taken by the most popular tenth of the items.
HEADER = (
    f"{'':18} {'recall':>22} {'ndcg':>22} {'map':>7} "
    f"{'cover':>6} {'novelty':>7} {'popular':>7} {'seconds':>8}"
)
# Comparing all users of a large file takes hours; named in --models it is done all the same.
MOST_USERS_COMPARED = 20_000
MOST_ITEMS_INVERTED = 5_000


class WrongUsage(ValueError):
    """The options do not fit each other."""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the two commands; `run` carries out what was parsed."""
    ratings = argparse.ArgumentParser(add_help=False)
    ratings.add_argument(
        "--ratings",
        nargs="+",
        type=Path,
        required=True,
        metavar="FILE",
        help="CSV with user_id, item_id and perhaps rating, timestamp or created_at",
    )
    judge = commands.add_parser(
        "evaluate", parents=[ratings], help="compare models on hidden events of CSV files"
    )
    judge.add_argument("--items", type=Path, metavar="FILE", help="CSV with item_id: the catalogue")
    judge.add_argument("--split", choices=list(SPLITS), default="leave-last-out")
    judge.add_argument(
        "--models", metavar="NAME,...", help=f"default: all that fit the size; {', '.join(NAMES)}"
    )
    judge.add_argument("--k", type=_positive, default=10, metavar="N", help="length of the lists")
    judge.add_argument("--seed", type=_seed, default=0, metavar="N")
    judge.add_argument("--json", action="store_true", help="print one JSON object last")
    judge.set_defaults(engine_command=_evaluate)
    near = commands.add_parser(
        "neighbours", parents=[ratings], help="write the most similar items of every item"
    )
    near.add_argument("--top", type=_positive, default=50, metavar="N", help="similar items each")
    near.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    near.add_argument("--engine", default="local", metavar="WHERE", help=f"{KINDS}; default: local")
    near.set_defaults(engine_command=_neighbours)


def run(arguments: argparse.Namespace) -> int:
    """Carry out a command of `add_commands`; what is wrong with the data is one line on stderr."""
    try:
        arguments.engine_command(arguments)
    except (WrongUsage, NoEngine) as error:
        return _complain(str(error), EXIT_USAGE)
    except BadEvents as error:
        return _complain(str(error), EXIT_DATA)
    except InvalidRatings as error:
        first, *others = error.problems
        more = f" (and {len(others)} more problems)" if others else ""
        return _complain(f"{first}{more}", EXIT_DATA)
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}", EXIT_DATA)
    return 0


def _complain(text: str, code: int) -> int:
    print(f"run.py: {text}", file=sys.stderr)
    return code


def _positive(text: str) -> int:
    return _whole(text, least=1)


def _seed(text: str) -> int:
    return _whole(text, least=0)


def _whole(text: str, *, least: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text) >= least):
        raise argparse.ArgumentTypeError(f"must be a whole number of {least} or more")
    return int(text)


# --- neighbours ---


def _neighbours(arguments: argparse.Namespace) -> None:
    events = read_events(arguments.ratings)
    data = _interactions(events, seed=0)
    del events
    with engine_of(arguments.engine) as place:
        table = _table_of(data, arguments.top, place)
    indices, scores = _best_first(table, arguments.top)
    with arguments.out.open("wb") as file:
        np.savez(file, indices=indices, scores=scores, item_ids=data.item_ids)
    print(f"{data.n_items:,} items, {data.n_pairs:,} pairs: {arguments.out}")


def _table_of(data: Interactions, top: int, place: Place | None) -> CSR:
    if place is None:
        model = ItemItem(ItemItemConfig(neighbours=top))
        model.fit(data.user_items)
        return model.similarity
    return cosine_by(place, data.user_items, keep=top)


def _best_first(table: CSR, top: int) -> tuple[Any, Any]:
    """(n_items, top) positions and similarities, best first; -1 and 0 where there is none."""
    rows = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    order = np.lexsort((table.indices, -table.data, rows))
    places = np.arange(table.nnz) - table.indptr[rows]
    indices = np.full((table.shape[0], top), -1, dtype=np.int32)
    scores = np.zeros((table.shape[0], top), dtype=np.float32)
    indices[rows, places], scores[rows, places] = table.indices[order], table.data[order]
    return indices, scores


# --- evaluate ---


def _evaluate(arguments: argparse.Namespace) -> None:
    names = _chosen_names(arguments.models)
    events = read_events(arguments.ratings)
    if arguments.split == "by-time" and events.times_s is None:
        raise WrongUsage("--split by-time needs a column timestamp or created_at")
    data = _interactions(events, seed=arguments.seed)
    split = SPLITS[arguments.split](data)
    n_items = _catalogue_size(arguments.items, data)
    print(
        f"{data.n_pairs:,} pairs, {data.n_users:,} users, {data.n_items:,} items; "
        f"{split.name}: {len(split.users):,} users judged, top {arguments.k}\n"
    )
    print(HEADER)
    models = {}
    for name in names or _names_for(data):
        row, parameters = _judge(name, split, arguments)
        models[name] = _figures(row, parameters, share=data.n_items / n_items)
        print(_line(name, row, coverage=models[name]["coverage"]), flush=True)
    errors = _rating_errors(events, seed=arguments.seed)
    if errors:
        print("\nRMSE of ratings: " + ", ".join(f"{n} {e:.4f}" for n, e in errors.items()))
    if arguments.json:
        summary = {
            "split": split.name,
            "k": arguments.k,
            "n_users": len(split.users),
            "default": DEFAULT,
            "models": models,
            "rmse": errors,
        }
        print(json.dumps(summary))


def _chosen_names(text: str | None) -> list[str]:
    """The baselines and the names asked for; none when none are."""
    if text is None:
        return []
    asked = [DEFAULT if n.strip() == "default" else n.strip() for n in text.split(",") if n.strip()]
    unknown = [name for name in asked if name not in NAMES]
    if unknown:
        raise WrongUsage(f"unknown model {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return list(dict.fromkeys([*BASELINES, *asked]))


def _names_for(data: Interactions) -> list[str]:
    """Every model that takes a reasonable time on so much data."""
    left_out = {"user-cosine"} if data.n_users > MOST_USERS_COMPARED else set()
    left_out |= {"ease"} if data.n_items > MOST_ITEMS_INVERTED else set()
    return [name for name in NAMES if name not in left_out]


def _interactions(events: EventColumns, *, seed: int) -> Interactions:
    """First events of pairs. Without times the order of a history is drawn by lot."""
    if not len(events.user_ids):
        raise BadEvents("the files hold no events")
    times = events.times_s
    if times is None:
        times = np.random.default_rng(seed).permutation(len(events.user_ids)).astype(np.float64)
    data = build_interactions(events.user_ids, events.item_ids, times_s=times, keep=Keep.FIRST)
    return data.newest(LONGEST_HISTORY)


def _catalogue_size(path: Path | None, data: Interactions) -> int:
    if path is None:
        return data.n_items
    return len(np.union1d(read_item_ids(path), data.item_ids.astype(np.str_)))


def _judge(
    name: str, split: Split, arguments: argparse.Namespace
) -> tuple[MetricRow, dict[str, Any]]:
    start = perf_counter()
    model: Recommender
    if name == DEFAULT:
        choice = choose(split.train, split=split.name, k=arguments.k, seed=arguments.seed)
        model, parameters = choice.model(), choice.parameters()
        parameters["tuning_seconds"] = round(perf_counter() - start, 3)
    else:
        model = MODELS[name]()
        parameters = asdict(model.config)
    return judged(name, model, split, k=arguments.k, seed=arguments.seed), parameters


def _figures(row: MetricRow, parameters: dict[str, Any], *, share: float) -> dict[str, Any]:
    return {
        "recall": row.recall.value,
        "ndcg": row.ndcg.value,
        "map": row.map.value,
        "coverage": row.coverage * share,
        "popularity_share": row.popularity_share,
        "novelty": row.novelty,
        "seconds": round(row.seconds, 4),
        "parameters": parameters,
        "intervals": {
            name: [getattr(row, name).low, getattr(row, name).high]
            for name in ("recall", "ndcg", "map")
        },
    }


def _line(name: str, row: MetricRow, *, coverage: float) -> str:
    def shown(figure: Figure) -> str:
        return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"

    return (
        f"{name:18} {shown(row.recall):>22} {shown(row.ndcg):>22} {row.map.value:7.3f} "
        f"{coverage:6.3f} {row.novelty:7.2f} {row.popularity_share:7.3f} {row.seconds:8.2f}"
    )


def _rating_errors(events: EventColumns, *, seed: int) -> dict[str, float]:
    rated = np.isfinite(events.ratings)
    return errors_of(
        events.user_ids[rated], events.item_ids[rated], events.ratings[rated], seed=seed
    )
