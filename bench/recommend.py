"""Our recommendations beside `implicit` and `scikit-surprise`: CPU seconds, memory and quality.

    python bench/recommend.py [--quick] [--json]

The peers are installed from bench/recommend.lock into .bench/recommend, an environment of their
own. All read the same matrix, run in processes of their own with one thread, in turns; the
median of the rounds counts. A ratio below 1 means that ours takes less. Exit code 1: no peers."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from workers import recommend as worker
from workers import served_lists
from workers.recommend import (
    DEFAULT,
    ENGINES,
    LIST_LENGTH,
    OUR_ENGINES,
    OUR_RATINGS,
    OUR_SERVED,
    OURS,
    PEER,
    PEER_ALS,
    PEER_BM25,
    PEER_RATINGS,
)

ROOT = Path(__file__).resolve().parents[1]
LOCK = Path(__file__).with_suffix(".lock")
OUR_PYTHON = Path(sys.executable)
PEER_ENVIRONMENT = ROOT / ".bench" / "recommend"
SHARED_DATA = Path(os.environ.get("ATRIUM_SHARED_DATA", ROOT.parent / "shared" / "data"))

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Case:
    """A matrix to measure on; small ones are repeated so that the clock can see them."""

    name: str
    path: Path
    repeats: int
    models: tuple[str, ...]
    peers: tuple[str, ...]
    rounds: int = 3


class PeerMissing(Exception):
    """The peer could not be installed."""


def main() -> int:
    options = _options()
    peer_python, missing = _peer()
    with tempfile.TemporaryDirectory() as folder:
        cases = _cases(Path(folder), quick=options.quick)
        results, ratings, engines = {}, {}, {}
        for case in cases:
            results[case.name] = _measure(case, peer_python, quick=options.quick)
            _print_table(case.name, results[case.name])
        for case in _ratings_cases(Path(folder), quick=options.quick):
            ratings[case.name] = _measure(case, peer_python, quick=options.quick)
            _print_ratings(case.name, ratings[case.name])
        served_case = _served_case(Path(folder), quick=options.quick)
        served = _run(OUR_SERVED, OUR_PYTHON, served_case)
        served |= _figures(OUR_PYTHON, served_lists.__file__, served_case.path)
        _print_served(served)
        for case in cases:
            if "synthetic" in case.name:
                engines[case.name] = _run(OUR_ENGINES, OUR_PYTHON, case)
        _print_engines(engines)
    if missing:
        print(
            f"\nThe peers could not be installed, so there is nothing to compare with:\n{missing}"
        )
    if options.json:
        others = {"ratings": ratings, "served": served, "engines": engines}
        print(json.dumps(_summary(results, ratings) | others))
    return 1 if missing else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one matrix, fewer rounds")
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    return parser.parse_args()


# --- the peer's environment ---


def _peer() -> tuple[Path | None, str]:
    try:
        return _installed_peer(), ""
    except PeerMissing as error:
        return None, str(error)


def _installed_peer() -> Path:
    """The Python that has the peer; installed anew when the lock has changed."""
    python = PEER_ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp = PEER_ENVIRONMENT / "installed.lock"
    if stamp.exists() and stamp.read_text() == LOCK.read_text():
        return python
    print("installing the peer into .bench/recommend ...", file=sys.stderr)
    venv.create(PEER_ENVIRONMENT, clear=True, with_pip=True)
    command = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", LOCK]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerMissing(done.stderr.strip()[-2_000:])
    stamp.write_text(LOCK.read_text())
    return python


# --- the matrices ---


def _cases(folder: Path, *, quick: bool) -> list[Case]:
    mars = SHARED_DATA / "ratings" / "mars"
    cases = []
    if mars.is_dir():
        events = _mars(mars)
        for split in ("leave-last-out", "by-time"):
            everyone = {"models": (OURS, DEFAULT), "peers": (PEER, PEER_BM25, PEER_ALS)}
            name = f"MARS, {split}"
            cases.append(_write_case(name, events, folder, split=split, repeats=3, **everyone))
    sizes = [("1,000,000 synthetic", 20_000, 5_000, 1_100_000, 3)]
    if quick:
        sizes = [("100,000 synthetic", 4_000, 1_500, 110_000, 2)]
    else:
        sizes.append(("10,000,000 synthetic", 100_000, 20_000, 11_500_000, 1))
    for name, n_users, n_items, n_events, rounds in sizes:
        events = _synthetic(n_users, n_items, n_events)
        both = {"models": (OURS,), "peers": (PEER,)}
        cases.append(_write_case(name, events, folder, repeats=1, rounds=rounds, **both))
    return cases


def _served_case(folder: Path, *, quick: bool) -> Case:
    """Lists out of a catalogue of 100,000 items."""
    n_items = 10_000 if quick else 100_000
    events = _synthetic(n_items // 2, n_items, n_items * 20)
    how = {"models": (OUR_SERVED,), "peers": (), "repeats": 1}
    return _write_case(f"{n_items:,} items", events, folder, **how)


def _ratings_cases(folder: Path, *, quick: bool) -> list[Case]:
    cases = [_ratings_case(folder, 900, 1_700, 90_000)]
    if not quick:
        # As many as the peer's table of all pairs of items can be made of in half a minute.
        cases.append(_ratings_case(folder, 6_000, 3_700, 1_150_000, predict=False))
    return cases


def _ratings_case(
    folder: Path, n_users: int, n_items: int, n_events: int, *, predict: bool = True
) -> Case:
    """Ratings 1 to 5 with four hidden tastes. Without predict only neighbours are measured."""
    random = np.random.default_rng(1)
    tastes, traits = random.normal(size=(n_users, 4)), random.normal(size=(n_items, 4))
    user = random.integers(0, n_users, n_events)
    item = (random.random(n_events) ** 2 * n_items).astype(int)
    pair = random.permutation(np.unique(user * n_items + item))
    user, item = pair // n_items, pair % n_items
    rating = 3.5 + (tastes[user] * traits[item]).sum(axis=1) * 0.4 + random.normal(size=len(user))
    path = folder / f"ratings {n_events}.npz"
    rating = np.clip(np.rint(rating), 1, 5)
    np.savez(path, rating_users=user, rating_items=item, ratings=rating, predict=predict)
    name = f"{len(user):,} ratings"
    rounds = 3 if predict else 1
    return Case(name, path, 1, models=(OUR_RATINGS,), peers=(PEER_RATINGS,), rounds=rounds)


def _write_case(
    name: str,
    events: dict[str, Any],
    folder: Path,
    *,
    split: str = "leave-last-out",
    **how: Any,
) -> Case:
    """Split the events as they will be judged, and write what the workers read."""
    from jobs.engines import collaborative_filtering as cf

    data = cf.build_interactions(**events, keep=cf.Keep.FIRST)
    cut = cf.by_time(data) if split == "by-time" else cf.leave_last_out(data)
    path = folder / f"{len(list(folder.iterdir()))}.npz"
    np.savez(
        path,
        **worker.parts("train", cut.train.user_items),
        **worker.parts("hidden", cut.hidden),
        times=cut.train.times,
        users=cut.users,
        idle_days=cut.idle_days,
        split=np.array(split),
    )
    return Case(name=name, path=path, **how)


def _mars(folder: Path) -> dict[str, Any]:
    from jobs.engines import collaborative_filtering as cf

    events = cf.read_ratings(folder / "views.csv", folder / "ratings.csv")
    return {
        "user_ids": events.user_ids,
        "item_ids": events.item_ids,
        "times_s": events.times_s,
    }


def _synthetic(n_users: int, n_items: int, n_events: int) -> dict[str, Any]:
    """Users of 60 interests; within one, items follow Zipf's law with exponent 0.9."""
    random = np.random.default_rng(20_261_122)
    users = random.integers(0, n_users, n_events)
    chance = np.arange(1, n_items + 1) ** -0.9
    ranks = np.searchsorted(np.cumsum(chance / chance.sum()), random.random(n_events))
    interest = np.where(random.random(n_events) < 0.7, users % 60, 0)
    items = (ranks + interest * (n_items // 60)) % n_items
    return {"user_ids": users, "item_ids": items, "times_s": np.arange(n_events)}


# --- measuring ---


def _measure(case: Case, peer_python: Path | None, *, quick: bool) -> dict[str, dict[str, float]]:
    """Figures of everyone, taken in turns so that a busy minute hits all alike."""
    runners = dict.fromkeys(case.models, OUR_PYTHON)
    if peer_python:
        runners |= dict.fromkeys(case.peers, peer_python)
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in runners}
    for _ in range(min(case.rounds, 2) if quick else case.rounds):
        for name, python in runners.items():
            rounds[name].append(_run(name, python, case))
    results = {name: _medians(taken) for name, taken in rounds.items()}
    if OUR_RATINGS in case.models:
        return results
    results = {name: figures | _quality(name, case) for name, figures in results.items()}
    if peer_python:
        results[PEER]["largest_difference"] = _largest_difference(case)
    return results


def _run(name: str, python: Path, case: Case) -> dict[str, float]:
    return _figures(python, worker.__file__, name, case.path, case.repeats)


def _figures(*command: Any) -> dict[str, float]:
    """What a worker prints last."""
    done = subprocess.run(
        list(map(str, command)),
        # The peer warns at every fit about a conversion of its own.
        env=os.environ | ONE_THREAD | {"PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _largest_difference(case: Case) -> float:
    """Between a similarity of ours and the peer's in the same place of a neighbour list."""
    ours, peer = (np.load(worker.scores_path(case.path, name)) for name in (OURS, PEER))
    return float(np.abs(ours - peer).max())


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}


def _quality(name: str, case: Case) -> dict[str, float]:
    from jobs.engines.collaborative_filtering import metrics

    with np.load(case.path) as file:
        hidden = worker.matrix("hidden", dict(file))
    lists = np.load(worker.lists_path(case.path, name))
    figures = metrics.judge(lists, hidden=hidden)
    return {
        "recall": float(figures.recall.mean()),
        "ndcg": float(figures.ndcg.mean()),
        "map": float(figures.map.mean()),
        "coverage": metrics.coverage(lists, n_items=hidden.shape[1]),
    }


# --- the report ---


def _print_table(name: str, result: dict[str, dict[str, float]]) -> None:
    columns = ("tune_s", "fit_s", "recommend_s", "added_mb", "recall", "ndcg", "map", "coverage")
    print(f"\n{name}, top {LIST_LENGTH} (seconds are CPU seconds)")
    print(f"{'':20}" + "".join(f"{column:>12}" for column in columns))
    for model, figures in result.items():
        cells = "".join(f"{figures[column]:12.4g}" for column in columns)
        print(f"{model:20}{cells}")
    if PEER in result:
        print(f"similarities differ by {result[PEER]['largest_difference']:.1e} at most")
    live = result[OURS]
    print(
        f"100 items refreshed in {live['refresh_100_s']:.3f} s; one list: "
        f"p50 {live['list_p50_ms']:.2f} ms, p99 {live['list_p99_ms']:.2f} ms (wall), "
        f"{live['list_p99_cpu_ms']:.2f} ms (CPU)"
    )
    for what, ratio in _ratios(result).items():
        print(f"{what + ', ours / peer':44}{ratio:6.2f}")


def _print_ratings(name: str, ratings: dict[str, dict[str, float]]) -> None:
    print(
        f"\n{name}: similar items (KNNBasic and KNNBaseline of surprise beside ours), CPU seconds"
    )
    for model, figures in ratings.items():
        foretold = ""
        if "rmse" in figures:
            foretold = f"; foretold with RMSE {figures['rmse']:.4f} in {figures['predict_s']:.2f} s"
        print(f"{model:20} cosine neighbours {figures['neighbours_s']:.3f} s{foretold}")


def _print_served(served: dict[str, float]) -> None:
    print(
        f"\nA list out of {served['n_items']:,.0f} items, with reasons and variety: the engine alone "
        f"p50 {served['list_p50_ms']:.2f} ms, p99 {served['list_p99_ms']:.2f} ms (wall); the whole portal "
        f"p50 {served['portal_p50_ms']:.2f} ms, p99 {served['portal_p99_ms']:.2f} ms (wall), "
        f"p50 {served['portal_cpu_p50_ms']:.2f} ms (CPU)"
    )


def _print_engines(engines: dict[str, dict[str, float]]) -> None:
    print("\nThe same neighbours at other places, wall seconds (two processes each)")
    print(f"{'':24}" + "".join(f"{engine:>10}" for engine in ENGINES))
    for name, seconds in engines.items():
        print(f"{name:24}" + "".join(f"{seconds[engine]:10.2f}" for engine in ENGINES))


def _ratios(result: dict[str, dict[str, float]]) -> dict[str, float]:
    if PEER not in result:
        return {}
    ours, peer = result[OURS], result[PEER]
    ratios = {
        "neighbours": ours["fit_s"] / peer["fit_s"],
        "recommend": ours["recommend_s"] / peer["recommend_s"],
        "memory": ours["added_mb"] / max(peer["added_mb"], 1.0),
    }
    if DEFAULT in result:
        best = max(result[name]["ndcg"] for name in (PEER, PEER_BM25, PEER_ALS))
        ratios["ndcg of the default, against the best"] = result[DEFAULT]["ndcg"] / best
    return ratios


def _rating_ratios(ratings: dict[str, dict[str, float]]) -> dict[str, float]:
    if PEER_RATINGS not in ratings:
        return {}
    ours, peer = ratings[OUR_RATINGS], ratings[PEER_RATINGS]
    return {key: ours[key] / peer[key] for key in ours}


def _summary(
    results: dict[str, dict[str, dict[str, float]]],
    ratings: dict[str, dict[str, dict[str, float]]],
) -> dict[str, Any]:
    ratios = {
        f"{case}: {what}": round(ratio, 3)
        for case, result in results.items()
        for what, ratio in _ratios(result).items()
    }
    ratios |= {
        f"{case}: {what}": round(ratio, 4)
        for case, result in ratings.items()
        for what, ratio in _rating_ratios(result).items()
    }
    return {"bench": "recommend", "ratios": ratios, "results": results}


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
