"""The files of training runs: written once, read by every process that shows recommendations.

`7.npz` is what run 7 learnt, `7-2-9f3c01ab.npz` the same after its second refresh; `7.pairs.npz` and
`7-2-9f3c01ab.pairs.npz` are what it learnt from, which the next refresh goes on with. The last part of a
name is drawn by lot, so that no two refreshes write the same file."""

import logging
import os
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from zipfile import BadZipFile

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
# Run, number of the refresh, lot; refreshes of older versions drew none.
_NAME = re.compile(r"(\d+)(?:-(\d+)(-[0-9a-f]{8})?)?(\.pairs)?\.npz\Z")

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
    """A name for the file of a run's next refresh, another at every call."""
    found = _NAME.match(run.artefact)
    number = int(found[2] or 0) + 1 if found else 1
    return f"{run.id}-{number}-{secrets.token_hex(4)}.npz"


def save_pairs(artefact: str, pairs: Interactions) -> None:
    """Keep who met what in the file of that name, for the next refresh; whole or not at all."""
    path = folder() / _pairs_name(artefact)
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


def load_pairs(artefact: str) -> Interactions:
    """What `save_pairs` kept. Raises OSError or ValueError when it cannot be read."""
    path = folder() / _pairs_name(artefact)
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            users, items, times = file["user_ids"], file["item_ids"], file["times_s"]
            # Before events had weights, each pair counted one.
            weights = file["weights"] if "weights" in file else np.ones(len(users))
    except (KeyError, TypeError, AttributeError, EOFError, BadZipFile) as error:
        message = f"{path.name} does not hold what a run learnt from"
        raise ValueError(message) from error
    return build_interactions(users, items, times_s=times, weights=weights, keep=Keep.FIRST)


def remove(artefact: str) -> None:
    """Delete what a refresh wrote that lost or failed."""
    for name in (artefact, _pairs_name(artefact)):
        (folder() / name).unlink(missing_ok=True)


def remove_old(kept: Iterable[TrainingRun]) -> None:
    """Delete the files of all other runs, and what refreshes have replaced."""
    names = {run.id: run.artefact for run in kept}
    for path in folder().glob("*.npz"):
        if (name := _NAME.match(path.name)) and int(name[1]) not in names:
            path.unlink(missing_ok=True)
    for artefact in names.values():
        remove_replaced(artefact)


def remove_replaced(artefact: str) -> None:
    """Delete what refreshes of that run have replaced or left behind.

    The newest replaced file stays: a process may be about to read it. So does what a refresh that is
    under way has written since."""
    found = _NAME.match(artefact)
    paths = [path for path in folder().glob("*.npz") if found and _run_of(path) == found[1]]
    newest = sorted((p for p in paths if not p.stem.endswith(".pairs")), key=_written_at)[-2:]
    since = _written_at(folder() / artefact)
    kept = {artefact, _pairs_name(artefact), *(path.name for path in newest)}
    kept |= {_pairs_name(path.name) for path in newest if _written_at(path) > since}
    for path in paths:
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _run_of(path: Path) -> str:
    found = _NAME.match(path.name)
    return found[1] if found else ""


def _written_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # another process removed it
        return 0


def _pairs_name(artefact: str) -> str:
    """The name of the pairs that belong to a run's file."""
    found = _NAME.match(artefact)
    # Refreshes that drew no lot all went on with the pairs of the training.
    shared = found and found[2] and not found[3]
    return f"{found[1] if found and shared else artefact.removesuffix('.npz')}.pairs.npz"


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
