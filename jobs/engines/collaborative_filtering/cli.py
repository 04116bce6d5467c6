"""`run.py recommend evaluate` and `run.py recommend neighbours`: the engine without the portal.

Scripts rely on the options, the exit codes (0 done, 1 the data cannot be used, 2 wrong usage) and
the JSON object of --json. Nothing here knows Flask, the database or the configuration."""

import argparse
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np

from jobs.engines.collaborative_filtering.arguments import WrongUsage, list_length, seed
from jobs.engines.collaborative_filtering.arrays import CSR
from jobs.engines.collaborative_filtering.blocks import Place, cosine_by
from jobs.engines.collaborative_filtering.evaluate_command import NAMES, SPLITS, evaluate
from jobs.engines.collaborative_filtering.event_file import BadEvents, read_events
from jobs.engines.collaborative_filtering.executors import (
    KINDS,
    NoEngine,
    engine_of,
)
from jobs.engines.collaborative_filtering.fields import InvalidRatings
from jobs.engines.collaborative_filtering.interactions import Interactions
from jobs.engines.collaborative_filtering.item_item import ItemItem, ItemItemConfig

EXIT_DATA, EXIT_USAGE = 1, 2
# Places of a file of neighbours: 8 bytes each, in memory as well.
MOST_PLACES = 500_000_000


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
        "--models", metavar="NAME,...", help=f"default: all that fit the data; {', '.join(NAMES)}"
    )
    judge.add_argument("--k", type=list_length, default=10, metavar="N", help="length of the lists")
    judge.add_argument("--seed", type=seed, default=0, metavar="N")
    judge.add_argument("--json", action="store_true", help="print one JSON object last")
    judge.set_defaults(engine_command=evaluate)
    near = commands.add_parser(
        "neighbours", parents=[ratings], help="write the most similar items of every item"
    )
    near.add_argument("--top", type=list_length, default=50, metavar="N", help="similar items each")
    near.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    near.add_argument("--engine", default="local", metavar="WHERE", help=f"{KINDS}; default: local")
    near.set_defaults(engine_command=_neighbours)


def run(arguments: argparse.Namespace) -> int:
    """Carry out a command of `add_commands`; what is wrong with the data is one line on stderr."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without dashes gets question marks
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


def _neighbours(arguments: argparse.Namespace) -> None:
    data = read_events(arguments.ratings).interactions(seed=0)
    if data.n_items * arguments.top > MOST_PLACES:
        most = MOST_PLACES // data.n_items
        raise WrongUsage(f"--top must be {most:,} or less for {data.n_items:,} items")
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
