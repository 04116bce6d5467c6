"""Fit and recommend once, in a process of its own, and print the cost as JSON.

    python bench/workers/recommend.py MODEL MATRIX.npz REPEATS

Runs in the portal's environment for our models and in the peer's for the peer. The lists and the
similarities are written beside the matrix."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

ROOT = Path(__file__).resolve().parents[2]

NEIGHBOURS, LIST_LENGTH = 50, 10
OURS, DEFAULT = "atrium item cosine", "atrium default"
PEER, PEER_BM25, PEER_ALS = "implicit cosine", "implicit BM25", "implicit ALS"
OUR_RATINGS, PEER_RATINGS = "atrium ratings", "surprise ratings"
OUR_SERVED, OUR_ENGINES = "atrium served", "atrium engines"
# Places the same blocks are made at; dask has two worker processes as well.
ENGINES = ("local", "pool:2", "dask")
PEERS = (PEER, PEER_BM25, PEER_ALS, PEER_RATINGS)


def work(name: str, path: Path, *, repeats: int) -> dict[str, float]:
    """Fit and recommend; CPU seconds of each, and the memory added at the peak."""
    with np.load(path) as file:
        state = dict(file)
    if name in {OUR_RATINGS, PEER_RATINGS}:
        return _rate(name, state)
    user_items, users = matrix("train", state), state["users"]
    if name == OUR_SERVED:
        return _serve(state)
    if name == OUR_ENGINES:
        return _engines(user_items)
    histories = user_items[users]
    _import(name)
    before = _memory_mb("VmRSS")
    fit_s = recommend_s = tune_s = 0.0
    for _ in range(repeats):
        start = time.process_time()
        model = _model(name, state)
        made = time.process_time()
        _fit(name, model, user_items, state["times"])
        fitted = time.process_time()
        idle = {"idle_days": state["idle_days"]} if name == DEFAULT else {}
        ids, scores = model.recommend(users, histories, N=LIST_LENGTH, **idle)
        tune_s += made - start
        fit_s += fitted - made
        recommend_s += time.process_time() - fitted
    if name in {OURS, PEER}:
        np.save(scores_path(path, name), _neighbour_scores(model.similarity))
    np.save(lists_path(path, name), np.where(scores > 0, ids, -1))
    added = _memory_mb("VmHWM") - before
    costs = {"tune_s": tune_s / repeats, "fit_s": fit_s / repeats, "added_mb": added}
    return costs | {"recommend_s": recommend_s / repeats} | _live(name, model, user_items)


def _import(name: str) -> None:
    """Code is not what is measured."""
    if name in PEERS:
        import implicit.als
        import implicit.nearest_neighbours  # noqa: F401
    else:
        import jobs.engines.collaborative_filtering.choice  # noqa: F401


def _model(name: str, state: dict[str, Any]) -> Any:
    if name in PEERS:
        from implicit.als import AlternatingLeastSquares
        from implicit.nearest_neighbours import BM25Recommender, CosineRecommender

        if name == PEER_ALS:
            return AlternatingLeastSquares(64, alpha=10, iterations=15, num_threads=1)
        if name == PEER_BM25:
            return BM25Recommender(K=NEIGHBOURS + 1, K1=1.2, B=0.2, num_threads=1)
        # The peer counts the item itself as a neighbour.
        return CosineRecommender(K=NEIGHBOURS + 1, num_threads=1)
    from jobs.engines import collaborative_filtering as cf

    if name == DEFAULT:
        return cf.choose(_interactions(state), split=str(state["split"])).model()
    return cf.ItemItem(cf.ItemItemConfig(neighbours=NEIGHBOURS))


def _fit(name: str, model: Any, user_items: sparse.csr_matrix, times: Any) -> None:
    if name in PEERS:
        model.fit(user_items.astype(np.float64), show_progress=False)
    else:
        model.fit(user_items, times=times)


def _live(name: str, model: Any, user_items: sparse.csr_matrix) -> dict[str, float]:
    """How soon our own lists and neighbours follow an event."""
    if name != OURS:
        return {}
    from jobs.engines import collaborative_filtering as cf

    random = np.random.default_rng(0)
    n_users, n_items = user_items.shape
    live = cf.LiveItems(user_items, model.config)
    dirty = random.choice(n_items, min(100, n_items), replace=False)
    live.add(zip(random.integers(0, n_users, len(dirty)).tolist(), dirty.tolist(), strict=True))
    start = time.process_time()
    live.refresh(dirty)
    refresh_s = time.process_time() - start
    chosen = random.choice(n_users, min(1_000, n_users), replace=False).tolist()
    waits, cpu = [], []
    for user in chosen:
        row = user_items[user]
        start = time.process_time()
        waits.append(_wall(lambda user=user, row=row: model.recommend(user, row, N=LIST_LENGTH)))
        cpu.append(time.process_time() - start)
    cpu_p99 = {"list_p99_cpu_ms": float(np.percentile(cpu, 99)) * 1e3}
    return {"refresh_100_s": refresh_s} | _list_times(waits) | cpu_p99


def _serve(state: dict[str, Any]) -> dict[str, float]:
    """The engine's part of a portal's lists: a trained run, variety, reasons, an idle user; see served_lists.py."""
    from jobs.engines import collaborative_filtering as cf

    data = _interactions(state)
    start = time.process_time()
    run = cf.train(data, cf.TrainingConfig(evaluate=False, user=None))
    train_s = time.process_time() - start
    chosen = np.random.default_rng(0).choice(data.n_users, min(1_000, data.n_users), replace=False)
    histories = [data.item_ids[data.history(user)].tolist() for user in chosen.tolist()]
    run.top_n(histories[0], LIST_LENGTH)
    rules = cf.ListRules(content=0.2, diversity=0.1)
    waits = [
        _wall(lambda own=own: run.top_n(own, LIST_LENGTH, rules=rules, idle_days=30))
        for own in histories
    ]
    return {"train_s": train_s, "n_items": float(data.n_items)} | _list_times(waits)


def _engines(user_items: sparse.csr_matrix) -> dict[str, float]:
    """Wall seconds of the same neighbours made at each place, its start apart."""
    from contextlib import ExitStack

    from distributed import LocalCluster

    from jobs.engines.collaborative_filtering.blocks import cosine_by
    from jobs.engines.collaborative_filtering.executors import engine_of

    seconds = {}
    for engine in ENGINES:
        with ExitStack() as stack:
            name = engine
            if engine == "dask":
                cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
                name = f"dask:{stack.enter_context(cluster).scheduler_address}"
            place = stack.enter_context(engine_of(name))
            if place is None:
                model = _model(OURS, {})
                seconds[engine] = _wall(lambda model=model: model.fit(user_items))
            else:
                seconds[engine] = _wall(
                    lambda place=place: cosine_by(place, user_items, keep=NEIGHBOURS)
                )
    return seconds


def _wall(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _list_times(waits: list[float]) -> dict[str, float]:
    p50, p99 = np.percentile(waits, [50, 99]) * 1e3
    return {"list_p50_ms": float(p50), "list_p99_ms": float(p99)}


def _interactions(state: dict[str, Any]) -> Any:
    from jobs.engines import collaborative_filtering as cf

    return cf.Interactions(
        user_ids=np.arange(state["train_shape"][0]),
        item_ids=np.arange(state["train_shape"][1]),
        indptr=state["train_indptr"],
        items=state["train_indices"],
        weights=state["train_data"],
        times=state["times"],
    )


def _rate(name: str, state: dict[str, Any]) -> dict[str, float]:
    """CPU seconds of item neighbours of ratings, and RMSE of what they foretell of held-out ones."""
    user, item, rating = (state[key] for key in ("rating_users", "rating_items", "ratings"))
    cut = len(rating) * 4 // 5
    rate = _rate_by_peer if name == PEER_RATINGS else _rate_by_ours
    found, costs = rate(user, item, rating, cut, predict=bool(state["predict"]))
    if found is None:
        return costs
    return costs | {"rmse": float(np.sqrt(np.mean((found - rating[cut:]) ** 2)))}


def _rate_by_peer(user: Any, item: Any, rating: Any, cut: int, *, predict: bool) -> Any:
    from surprise import Dataset, KNNBaseline, KNNBasic, Reader

    rows = list(zip(user[:cut], item[:cut], rating[:cut], [None] * cut, strict=True))
    train = Dataset(Reader(rating_scale=(1, 5))).construct_trainset(rows)
    start = time.process_time()
    KNNBasic(sim_options={"name": "cosine", "user_based": False}, verbose=False).fit(train)
    costs = {"neighbours_s": time.process_time() - start}
    if not predict:
        return None, costs
    start = time.process_time()
    like = {"name": "pearson_baseline", "user_based": False}
    model = KNNBaseline(k=40, sim_options=like, verbose=False)
    model.fit(train)
    tested = zip(user[cut:], item[cut:], rating[cut:], strict=True)
    found = np.array([each.est for each in model.test(list(tested))])
    return found, costs | {"predict_s": time.process_time() - start}


def _rate_by_ours(user: Any, item: Any, rating: Any, cut: int, *, predict: bool) -> Any:
    from jobs.engines import collaborative_filtering as cf
    from jobs.engines.collaborative_filtering import rating_prediction as ours

    matrix_ = sparse.csr_matrix((rating[:cut], (user[:cut], item[:cut])), dtype=np.float32)
    start = time.process_time()
    cf.ItemItem(cf.ItemItemConfig(neighbours=NEIGHBOURS, binary=False)).fit(matrix_)
    costs = {"neighbours_s": time.process_time() - start}
    if not predict:
        return None, costs
    start = time.process_time()
    given = ours.Given(
        user[:cut], item[:cut], rating[:cut], int(user.max()) + 1, int(item.max()) + 1
    )
    knn = ours.Neighbours(ours.NeighbourConfig(ours.Similar.ITEMS))
    knn.fit(given)
    found = knn.predict(user[cut:], item[cut:])
    return found, costs | {"predict_s": time.process_time() - start}


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
