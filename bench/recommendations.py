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
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

ROOT = Path(__file__).resolve().parents[1]
LOCK = Path(__file__).with_suffix(".lock")
PEER_ENVIRONMENT = ROOT / ".bench" / "recommendations"
SHARED_DATA = Path(os.environ.get("ATRIUM_SHARED_DATA", ROOT.parent / "shared" / "data"))

NEIGHBOURS, LIST_LENGTH = 100, 10
OURS, DEFAULT, PEER = "atrium item cosine", "atrium default blend", "implicit cosine"
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
    if options.worker:
        print(json.dumps(_work(options.worker, Path(options.matrix), repeats=options.repeats)))
        return 0
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
    parser.add_argument("--worker", choices=[OURS, DEFAULT, PEER], help=argparse.SUPPRESS)
    parser.add_argument("--matrix", help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=1, help=argparse.SUPPRESS)
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
        **_parts("train", train.user_items),
        **_parts("hidden", split.hidden),
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
    return {name: _medians(taken) | _quality(name, case) for name, taken in rounds.items()}


def _run(name: str, python: Path, case: Case) -> dict[str, float]:
    command = [python, __file__, "--worker", name, "--matrix", case.path]
    done = subprocess.run(
        [*map(str, command), "--repeats", str(case.repeats)],
        # The peer warns at every fit about a conversion of its own.
        env=os.environ | ONE_THREAD | {"PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}


def _quality(name: str, case: Case) -> dict[str, float]:
    from jobs.engines.collaborative_filtering import metrics

    with np.load(case.path) as file:
        hidden = _matrix("hidden", dict(file))
    lists = np.load(_lists_path(case.path, name))
    figures = metrics.judge(lists, hidden=hidden)
    return {
        "recall": float(figures.recall.mean()),
        "ndcg": float(figures.ndcg.mean()),
        "map": float(figures.map.mean()),
        "coverage": metrics.coverage(lists, n_items=hidden.shape[1]),
    }


# --- in the worker ---


def _work(name: str, path: Path, *, repeats: int) -> dict[str, float]:
    """Fit and recommend; CPU seconds of each, and the memory added at the peak."""
    with np.load(path) as file:
        state = dict(file)
    user_items, users = _matrix("train", state), state["users"]
    histories = user_items[users]
    model = _model(name)
    before = _memory_mb("VmRSS")
    fit_s = recommend_s = 0.0
    for _ in range(repeats):
        start = time.process_time()
        _fit(name, model, user_items, state["times"])
        fitted = time.process_time()
        ids, scores = model.recommend(users, histories, N=LIST_LENGTH)
        fit_s += fitted - start
        recommend_s += time.process_time() - fitted
    np.save(_lists_path(path, name), np.where(scores > 0, ids, -1))
    added = _memory_mb("VmHWM") - before
    return {"fit_s": fit_s / repeats, "recommend_s": recommend_s / repeats, "added_mb": added}


def _model(name: str) -> Any:
    if name == PEER:
        from implicit.nearest_neighbours import CosineRecommender

        # The peer counts the item itself as a neighbour.
        return CosineRecommender(K=NEIGHBOURS + 1, num_threads=1)
    from jobs.engines import collaborative_filtering as cf
    from jobs.engines.collaborative_filtering.training import blend_model

    if name == DEFAULT:
        return blend_model(cf.TrainingConfig())
    return cf.ItemItem(cf.ItemItemConfig(neighbours=NEIGHBOURS))


def _fit(name: str, model: Any, user_items: sparse.csr_matrix, times: Any) -> None:
    if name == PEER:
        model.fit(user_items.astype(np.float64), show_progress=False)
    else:
        model.fit(user_items, times=times)


def _memory_mb(field: str) -> float:
    """VmRSS (now) or VmHWM (at the peak); 0 where the system does not say.

    Not getrusage: a child inherits the peak of the process that started it."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))


def _lists_path(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem} {name}.npy")


def _parts(name: str, matrix: sparse.csr_matrix) -> dict[str, Any]:
    parts = {part: getattr(matrix, part) for part in ("data", "indices", "indptr", "shape")}
    return {f"{name}_{part}": value for part, value in parts.items()}


def _matrix(name: str, state: dict[str, Any]) -> sparse.csr_matrix:
    arrays = tuple(state[f"{name}_{part}"] for part in ("data", "indices", "indptr"))
    return sparse.csr_matrix(arrays, shape=tuple(state[f"{name}_shape"]))


# --- the report ---


def _print_table(name: str, result: dict[str, dict[str, float]]) -> None:
    columns = ("fit_s", "recommend_s", "added_mb", "recall", "ndcg", "map", "coverage")
    print(f"\n{name}, top {LIST_LENGTH}, leave-last-out (seconds are CPU seconds)")
    print(f"{'':22}" + "".join(f"{column:>13}" for column in columns))
    for model, figures in result.items():
        cells = "".join(f"{figures[column]:13.4g}" for column in columns)
        print(f"{model:22}{cells}")
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
