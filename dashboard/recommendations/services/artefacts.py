"""The files of training runs: written once, read by every process that shows recommendations."""

import logging
from pathlib import Path
from threading import Lock

from flask import current_app

from dashboard.recommendations.models import TrainingRun
from jobs.engines.collaborative_filtering import NotARun, TrainedModel, load_run

log = logging.getLogger(__name__)

# The current file and those before it, so that a process which reads the old one is not disturbed.
KEPT_FILES = 3

_lock = Lock()
_loaded: dict[Path, TrainedModel] = {}


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


def remove_old() -> None:
    """Delete the files of runs that are long replaced."""
    files = sorted(folder().glob("*.npz"), key=lambda path: path.stat().st_mtime)
    for path in files[:-KEPT_FILES]:
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
            _loaded.clear()
            _loaded[path] = model
        return _loaded[path]
