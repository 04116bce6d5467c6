"""Models learnt from a table in the portal (R020): the table comes in, a job learns, the best model goes to the registry."""

import platform
import uuid
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any, BinaryIO

from dashboard.audit import services as audit
from dashboard.core import pieces, uploads
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict, DomainError, Forbidden, Invalid, Problem
from dashboard.core.i18n import _
from dashboard.job_queue import services as jobs
from dashboard.serving import queries, tables
from dashboard.serving.messages import TrainModel
from dashboard.serving.models import Model, ModelTraining, TrainingState
from dashboard.serving.queries import Viewer
from dashboard.serving.services import registry, wording

Progress = Callable[[float, str], None]

# In the order of the page; the engine's names (jobs/engines/learning/menu.py).
ALGORITHMS = ("linear", "tree", "random_forest", "gradient_boosting", "nearest_neighbours")
SEED = 20_260_301
MAX_TABLE_BYTES = 64 * 2**20
PACKAGES = ("scikit-learn", "skl2onnx", "onnx", "numpy")


def request_training(
    source: Path | BinaryIO,
    *,
    original_name: str,
    name: str,
    target: str,
    algorithms: list[str],
    viewer: Viewer,
) -> ModelTraining:
    """A training that is queued. Raises Invalid for the table, the target, the name, the algorithms; Conflict."""
    if viewer.user_id is None:
        raise Forbidden()
    name = name.strip()
    path = queries.folder() / "tables" / f"{uuid.uuid4().hex}.csv"
    sha256 = pieces.keep(source, path, max_bytes=MAX_TABLE_BYTES)
    try:
        _check(name, target, algorithms, _columns(path))
        if queries.find_own_model(viewer.user_id, name):
            message = _("You have a model of this name already.")
            raise Conflict(message, problems=[Problem("name", message)])
        with transaction():
            uploads.delete_on_rollback(path)
            training = ModelTraining(
                owner_id=viewer.user_id,
                name=name,
                file_name=path.name,
                original_name=pieces.safe_name(original_name),
                recipe={
                    "target": target,
                    "algorithms": [each for each in ALGORITHMS if each in algorithms],
                    "seed": SEED,
                    "table_sha256": sha256,
                    "table_bytes": path.stat().st_size,
                },
            )
            session.add(training)
            session.flush()
            job = jobs.enqueue(TrainModel(training.id), owner_id=viewer.user_id)
            training.job_id = job.id
            audit.record(
                actor_id=viewer.user_id,
                action="model.train",
                subject=f"training:{training.id}",
                summary=name,
            )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return training


def train(training_id: int, *, job_id: int, attempt: int, progress: Progress) -> ModelTraining:
    """Learn, add the model to the registry and end the job, all in one transaction.

    Raises Invalid when the table has nothing to learn from; NotFound when the training was removed.
    """
    training = queries.get_training(training_id, queries.PORTAL)
    if training.state == TrainingState.DONE:
        return training
    with transaction():
        training.state, training.message = TrainingState.RUNNING, ""
    try:
        learnt = _learn(training, progress)
        _publish(training, learnt, job_id=job_id, attempt=attempt)
    except BaseException as error:
        _give_up(training.id, error)
        raise
    return training


def _learn(training: ModelTraining, progress: Progress) -> Any:
    # scikit-learn takes seconds and 100 MB to import: only a training's own process does.
    from jobs.engines import learning

    progress(0.0, _("Reading the table"))
    try:
        table = learning.read_table(queries.table_path(training))
        return learning.learn(
            table,
            target=training.recipe["target"],
            algorithms=training.recipe["algorithms"],
            seed=training.recipe["seed"],
            progress=lambda fraction, what: progress(0.05 + 0.9 * fraction, _step(what)),
        )
    except (learning.BadTable, learning.Unlearnable, KeyError) as error:
        message = wording.said(str(error))
        raise Invalid(message, problems=[Problem("file", message)]) from error


def _publish(training: ModelTraining, learnt: Any, *, job_id: int, attempt: int) -> None:
    owner = Viewer(user_id=training.owner_id)
    path = queries.folder() / f"{uuid.uuid4().hex}.onnx"
    path.write_bytes(learnt.onnx)
    try:
        with transaction():
            model = registry.add_model(
                path,
                original_name=f"{training.name}.onnx",
                name=training.name,
                description=_description(training, learnt),
                note=_("Learnt from %(name)s", name=training.original_name)[:500],
                viewer=owner,
                baseline=learnt.baseline,
            )
            _record(training, learnt, model)
            jobs.complete(
                job_id=job_id,
                attempt=attempt,
                result={"model_id": model.id, "version": 1, "training_id": training.id},
            )
    finally:
        path.unlink(missing_ok=True)


def _record(training: ModelTraining, learnt: Any, model: Model) -> None:
    training.state, training.finished_at = TrainingState.DONE, utcnow()
    training.version_id = model.newest.id
    training.metrics = {
        **{"task": learnt.task, "algorithm": learnt.algorithm, "n_rows": learnt.n_rows},
        "scores": [asdict(score) for score in learnt.scores],
        "held_out": asdict(learnt.metrics),
        "importance": [list(pair) for pair in learnt.importance],
    }
    training.recipe = {
        **training.recipe,
        **{"algorithm": learnt.algorithm, "task": learnt.task, "n_rows": learnt.n_rows},
        **{"inputs": learnt.inputs, "left_out": learnt.left_out},
        "versions": {"python": platform.python_version(), **{p: version_of(p) for p in PACKAGES}},
    }


def _give_up(training_id: int, error: BaseException) -> None:
    session.rollback()
    with transaction():
        training = session.get(ModelTraining, training_id)
        if training is not None and training.state != TrainingState.DONE:
            known = isinstance(error, DomainError)
            training.state, training.finished_at = TrainingState.FAILED, utcnow()
            training.message = error.message[:500] if known else _("The training ended early.")  # type: ignore[attr-defined]


def algorithm_label(name: str) -> str:
    """The engine's name of an algorithm in the reader's language."""
    labels = {
        "linear": _("Linear (logistic or ridge regression)"),
        "tree": _("Decision tree"),
        "random_forest": _("Random forest"),
        "gradient_boosting": _("Gradient boosting"),
        "nearest_neighbours": _("Nearest neighbours"),
    }
    return labels.get(name, name)


def _step(what: str) -> str:
    return _("Exporting the best model") if what == "export" else algorithm_label(what)


def _description(training: ModelTraining, learnt: Any) -> str:
    return _(
        "%(algorithm)s that predicts %(target)s, learnt in the portal from %(rows)s rows.",
        algorithm=algorithm_label(learnt.algorithm),
        target=training.recipe["target"],
        rows=learnt.n_rows,
    )


def _columns(path: Path) -> list[str]:
    try:
        return tables.columns_of(path, "csv") or []
    except tables.BadTable as error:
        raise Invalid(str(error), problems=[Problem("file", str(error))]) from error


def _check(name: str, target: str, algorithms: list[str], columns: list[str]) -> None:
    problems = []
    if not name or len(name) > registry.MAX_NAME or not name.isprintable():
        text = _("A name has 1 to %(most)s characters in one line.", most=registry.MAX_NAME)
        problems.append(Problem("name", text))
    if target not in columns:
        text = _(
            "The table has no column of this name. It has: %(all)s", all=", ".join(columns[:30])
        )
        problems.append(Problem("target", text))
    if not algorithms or set(algorithms) - set(ALGORITHMS):
        problems.append(Problem("algorithms", _("Choose at least one of the algorithms.")))
    if problems:
        raise Invalid(problems=problems)
