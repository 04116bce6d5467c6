"""Our item cosine beside the CosineRecommender of `implicit`: CPU seconds, memory and quality.

    python bench/recommendations.py [--quick] [--json]

The peer is installed from bench/recommendations.lock into .bench/recommendations, an environment of
its own. Both read the same matrix, run in processes of their own with one thread, in turns; the
median of the rounds counts. A ratio below 1 means that ours takes less. Exit code 1: no peer."""

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
from workers import recommendations as worker
from workers.recommendations import DEFAULT, LIST_LENGTH, OURS, PEER

ROOT = Path(__file__).resolve().parents[1]
LOCK = Path(__file__).with_suffix(".lock")
PEER_ENVIRONMENT = ROOT / ".bench" / "recommendations"
SHARED_DATA = Path(os.environ.get("ATRIUM_SHARED_DATA", ROOT.parent / "shared" / "data"))

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Case:
    """A matrix to measure on; small ones are repeated so that the clock can see them."""

    name: str
    path: Path
    repeats: int


class PeerMissing(Exception):
    """The peer could not be installed."""


def main() -> int:
    options = _options()
    peer_python, missing = _peer()
    with tempfile.TemporaryDirectory() as folder:
        cases = _cases(Path(folder), quick=options.quick)
        results = {case.name: _measure(case, peer_python, quick=options.quick) for case in cases}
    for name, result in results.items():
        _print_table(name, result)
    if missing:
        print(f"\n{PEER} could not be installed, so there is nothing to compare with:\n{missing}")
    if options.json:
        print(json.dumps(_summary(results)))
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
    print("installing the peer into .bench/recommendations ...", file=sys.stderr)
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
    sizes = [] if quick else [("1,000,000 synthetic", 20_000, 5_000, 1_000_000, 1)]
    cases = []
    if mars.is_dir():
        cases.append(_write_case("MARS", _mars(mars), folder, repeats=10))
    elif quick:
        sizes = [("100,000 synthetic", 4_000, 1_500, 100_000, 3)]
    for name, n_users, n_items, n_events, repeats in sizes:
        events = _synthetic(n_users, n_items, n_events)
        cases.append(_write_case(name, events, folder, repeats=repeats))
    return cases


def _write_case(name: str, events: dict[str, Any], folder: Path, *, repeats: int) -> Case:
    """Split the events as they will be judged, and write what the workers read."""
    from jobs.engines import collaborative_filtering as cf

    data = cf.build_interactions(**events, keep=cf.Keep.FIRST)
    split = cf.leave_last_out(data)
    train = split.train
    path = folder / f"{len(list(folder.iterdir()))}.npz"
    np.savez(
        path,
        **worker.parts("train", train.user_items),
        **worker.parts("hidden", split.hidden),
        times=train.times,
        users=split.users,
    )
    return Case(name=name, path=path, repeats=repeats)


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
    runners = {OURS: Path(sys.executable), DEFAULT: Path(sys.executable)}
    if peer_python:
        runners[PEER] = peer_python
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in runners}
    for _ in range(2 if quick else 3):
        for name, python in runners.items():
            rounds[name].append(_run(name, python, case))
    results = {name: _medians(taken) | _quality(name, case) for name, taken in rounds.items()}
    if peer_python:
        results[PEER]["largest_difference"] = _largest_difference(case)
    return results


def _run(name: str, python: Path, case: Case) -> dict[str, float]:
    command = [python, worker.__file__, name, case.path, case.repeats]
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
    columns = ("fit_s", "recommend_s", "added_mb", "recall", "ndcg", "map", "coverage")
    print(f"\n{name}, top {LIST_LENGTH}, leave-last-out (seconds are CPU seconds)")
    print(f"{'':22}" + "".join(f"{column:>13}" for column in columns))
    for model, figures in result.items():
        cells = "".join(f"{figures[column]:13.4g}" for column in columns)
        print(f"{model:22}{cells}")
    if PEER in result:
        print(f"similarities differ by {result[PEER]['largest_difference']:.1e} at most")
    for what, ratio in _ratios(result).items():
        print(f"{what + ', ours / peer':34}{ratio:6.2f}")


def _ratios(result: dict[str, dict[str, float]]) -> dict[str, float]:
    if PEER not in result:
        return {}
    ours, peer = result[OURS], result[PEER]
    both = {who: f["fit_s"] + f["recommend_s"] for who, f in result.items()}
    return {
        "fit": ours["fit_s"] / peer["fit_s"],
        "recommend": ours["recommend_s"] / peer["recommend_s"],
        "fit and recommend": both[OURS] / both[PEER],
        "memory": ours["added_mb"] / max(peer["added_mb"], 1.0),
        "ndcg": ours["ndcg"] / peer["ndcg"],
        "ndcg of the default": result[DEFAULT]["ndcg"] / peer["ndcg"],
    }


def _summary(results: dict[str, dict[str, dict[str, float]]]) -> dict[str, Any]:
    ratios = {
        f"{case}: {what}": round(ratio, 3)
        for case, result in results.items()
        for what, ratio in _ratios(result).items()
    }
    return {"bench": "recommendations", "ratios": ratios, "results": results}


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
