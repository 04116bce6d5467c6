"""The files of training runs: written once, read by every process that shows recommendations.

`7.npz` is what run 7 learnt, `7-2.npz` the same after its second refresh, `7.pairs.npz` what it learnt
from, which a refresh goes on with."""

import logging
import os
import re
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

import numpy as np
from flask import current_app

from dashboard.recommendations.models import TrainingRun
from jobs.engines.collaborative_filtering import (
    Interactions,
    Keep,
    NotARun,
    TrainedModel,
    build_interactions,
    load_run,
)

log = logging.getLogger(__name__)

# The two runs of an experiment, and the one of an analyst who looks back.
LOADED = 3
_NAME = re.compile(r"(\d+)(?:-(\d+)|\.pairs)?\.npz\Z")

_lock = Lock()
_loaded: OrderedDict[Path, TrainedModel] = OrderedDict()


def folder() -> Path:
    """Where the files are; made when missing."""
    path: Path = current_app.config["ATRIUM"].site.data_dir / "recommendations"
    path.mkdir(parents=True, exist_ok=True)
    return path


def find_model(run: TrainingRun | None) -> TrainedModel | None:
    """What the run learnt, or None when there is no run or its file cannot be read."""
    if run is None or not run.artefact:
        return None
    path = folder() / run.artefact
    model = _loaded.get(path)
    return model or _load(path)


def has_file(run: TrainingRun) -> bool:
    """Whether the run can be put to use again."""
    return bool(run.artefact) and (folder() / run.artefact).is_file()


def next_name(run: TrainingRun) -> str:
    """The name of the file that the next refresh of a run writes."""
    found = _NAME.match(run.artefact)
    return f"{run.id}-{int(found[2] or 0) + 1 if found else 1}.npz"


def save_pairs(run_id: int, pairs: Interactions) -> None:
    """Keep what a run knows of who met what, for the next refresh; whole or not at all."""
    path = folder() / f"{run_id}.pairs.npz"
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            np.savez(
                file,
                user_ids=pairs.user_ids[pairs.users],
                item_ids=pairs.item_ids[pairs.items],
                times_s=pairs.times,
                weights=pairs.weights,
            )
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def load_pairs(run_id: int) -> Interactions:
    """What `save_pairs` kept. Raises OSError or ValueError when it cannot be read."""
    with np.load(folder() / f"{run_id}.pairs.npz", allow_pickle=False) as file:
        users, items, times = file["user_ids"], file["item_ids"], file["times_s"]
        weights = file["weights"]
    return build_interactions(users, items, times_s=times, weights=weights, keep=Keep.FIRST)


def remove_old(kept: Iterable[TrainingRun]) -> None:
    """Delete the files of all other runs, and what a refresh has replaced.

    The newest replaced file of a run stays: a process may be about to read it."""
    names = {run.id: run.artefact for run in kept}
    found: dict[int, list[tuple[int, Path]]] = {}
    for path in folder().glob("*.npz"):
        if name := _NAME.match(path.name):
            if int(name[1]) not in names:
                path.unlink(missing_ok=True)
            elif not path.name.endswith(".pairs.npz"):
                found.setdefault(int(name[1]), []).append((int(name[2] or 0), path))
    for run_id, paths in found.items():
        for _number, path in sorted(paths)[:-2]:
            if path.name != names[run_id]:
                path.unlink(missing_ok=True)


def _load(path: Path) -> TrainedModel | None:
    # One thread reads the file; the others wait for it instead of reading it as well.
    with _lock:
        if path not in _loaded:
            try:
                model = load_run(path)
            except (NotARun, OSError) as error:
                log.warning("showing the stored lists: %s", error)
                return None
            while len(_loaded) >= LOADED:
                _loaded.popitem(last=False)
            _loaded[path] = model
        return _loaded[path]
