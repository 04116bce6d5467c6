"""Fit and recommend once, in a process of its own, and print the cost as JSON.

    python bench/workers/recommendations.py MODEL MATRIX.npz REPEATS

Runs in the portal's environment for our models and in the peer's for the peer. The lists and the
similarities are written beside the matrix."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

ROOT = Path(__file__).resolve().parents[2]

NEIGHBOURS, LIST_LENGTH = 100, 10
OURS, DEFAULT, PEER = "atrium item cosine", "atrium default blend", "implicit cosine"


def work(name: str, path: Path, *, repeats: int) -> dict[str, float]:
    """Fit and recommend; CPU seconds of each, and the memory added at the peak."""
    with np.load(path) as file:
        state = dict(file)
    user_items, users = matrix("train", state), state["users"]
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
    np.save(scores_path(path, name), _neighbour_scores(model.similarity))
    np.save(lists_path(path, name), np.where(scores > 0, ids, -1))
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


def _neighbour_scores(similarity: sparse.csr_matrix) -> Any:
    """(n_items, NEIGHBOURS): scores of other items, best first; who they are is left to ties."""
    others = (similarity - sparse.diags(similarity.diagonal())).tocsr()
    scores = np.zeros((others.shape[0], NEIGHBOURS))
    for row in range(others.shape[0]):
        best = np.sort(others.data[others.indptr[row] : others.indptr[row + 1]])[::-1]
        scores[row, : len(best[:NEIGHBOURS])] = best[:NEIGHBOURS]
    return scores


def _memory_mb(field: str) -> float:
    """VmRSS (now) or VmHWM (at the peak); 0 where the system does not say.

    Not getrusage: a child inherits the peak of the process that started it."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))


def lists_path(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem} {name}.npy")


def scores_path(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem} {name} scores.npy")


def parts(name: str, matrix: sparse.csr_matrix) -> dict[str, Any]:
    parts = {part: getattr(matrix, part) for part in ("data", "indices", "indptr", "shape")}
    return {f"{name}_{part}": value for part, value in parts.items()}


def matrix(name: str, state: dict[str, Any]) -> sparse.csr_matrix:
    arrays = tuple(state[f"{name}_{part}"] for part in ("data", "indices", "indptr"))
    return sparse.csr_matrix(arrays, shape=tuple(state[f"{name}_shape"]))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    print(json.dumps(work(sys.argv[1], Path(sys.argv[2]), repeats=int(sys.argv[3]))))
