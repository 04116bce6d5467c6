"""Models come in, get new versions, change and go."""

import shutil
import uuid
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import func, select

from dashboard.audit import services as audit
from dashboard.core import pieces, uploads
from dashboard.core.database import session, transaction
from dashboard.core.errors import Conflict, Forbidden, Invalid, Problem
from dashboard.core.i18n import _
from dashboard.serving import queries
from dashboard.serving.models import (
    BaselineOrigin,
    Deployment,
    Model,
    ModelVersion,
    PredictionTask,
    Right,
)
from dashboard.serving.queries import Viewer
from dashboard.serving.services import wording
from jobs.engines import scoring
from jobs.engines.scoring.inspection import Inspection
from jobs.engines.scoring.spreads import declared_spreads

MAX_NAME, MAX_DESCRIPTION, MAX_NOTE = 80, 2000, 500


class ModelRefused(Invalid):
    """The file is no model that could be served."""

    code = "model_refused"


class StillDeployed(Conflict):
    """The model has deployments, which would go with it."""

    code = "model_deployed"


def add_model(
    source: Path | BinaryIO,
    *,
    original_name: str,
    name: str,
    description: str = "",
    note: str = "",
    viewer: Viewer,
    baseline: dict[str, Any] | None = None,
) -> Model:
    """A new model from a file, whose content is understood and tried first.

    Raises Invalid for its name, Conflict for a name that is taken, ModelRefused, TooLarge.
    """
    name, description = _checked(name, description)
    if viewer.user_id is None:
        raise Forbidden()
    if queries.find_own_model(viewer.user_id, name):
        raise _taken()
    stored = _store(source, original_name)
    with transaction():
        uploads.delete_on_rollback(stored.path)
        model = Model(owner_id=viewer.user_id, name=name, description=description)
        session.add(model)
        session.flush()
        _add_version(model, stored, number=1, note=note, viewer=viewer, baseline=baseline)
        audit_model(viewer, "model.create", model)
    session.refresh(model)
    return model


def add_version(
    model_id: int,
    source: Path | BinaryIO,
    *,
    original_name: str,
    note: str = "",
    viewer: Viewer,
    baseline: dict[str, Any] | None = None,
) -> ModelVersion:
    """A further version of a model. Raises ModelRefused, TooLarge, NotFound, Forbidden."""
    queries.get_model(model_id, viewer, right=Right.MANAGE)
    stored = _store(source, original_name)
    with transaction():
        uploads.delete_on_rollback(stored.path)
        model = queries.get_model(model_id, viewer, right=Right.MANAGE)
        highest = select(func.max(ModelVersion.number)).where(ModelVersion.model_id == model.id)
        number = (session.scalar(highest) or 0) + 1
        version = _add_version(
            model, stored, number=number, note=note, viewer=viewer, baseline=baseline
        )
        audit_model(viewer, "model.version", model, changes={"version": [number - 1, number]})
    session.refresh(model)
    return version


def update_model(
    model_id: int, *, name: str | None = None, description: str | None = None, viewer: Viewer
) -> Model:
    """The model under its new name or description. Raises Invalid and Conflict."""
    with transaction():
        model = queries.get_model(model_id, viewer, right=Right.MANAGE)
        before = {"name": model.name, "description": model.description}
        new_name, new_description = _checked(
            model.name if name is None else name,
            model.description if description is None else description,
        )
        other = queries.find_own_model(model.owner_id, new_name)
        if other is not None and other.id != model.id:
            raise _taken()
        model.name, model.description = new_name, new_description
        after = {"name": new_name, "description": new_description}
        if changes := audit.difference(before, after):
            audit_model(viewer, "model.update", model, changes=changes)
    return model


def delete_model(model_id: int, *, viewer: Viewer, force: bool = False) -> None:
    """Remove a model with its versions; with `force` also with its deployments and their tasks.

    Raises StillDeployed without it, and Forbidden unless the viewer owns it.
    """
    with transaction():
        model = queries.get_model(model_id, viewer)
        if not queries.owns(viewer, model):
            raise Forbidden()
        deployments = queries.list_deployments_of(model)
        if deployments and not force:
            names = ", ".join(deployment.name for deployment in deployments[:5])
            raise StillDeployed(
                _("This model is deployed as %(names)s: delete that first.", names=names)
            )
        for deployment in deployments:
            remove_deployment_files(deployment)
        for version in model.versions:
            uploads.delete_on_commit(queries.path_of(version))
        audit_model(viewer, "model.delete", model)
        session.delete(model)


def delete_version(model_id: int, number: int, *, viewer: Viewer) -> None:
    """Remove one version, unless it is deployed or the only one (Conflict)."""
    with transaction():
        model = queries.get_model(model_id, viewer, right=Right.MANAGE)
        version = queries.get_version(model, number)
        if len(model.versions) == 1:
            raise Conflict(_("This is the only version: delete the model instead."))
        used = select(Deployment.name).where(Deployment.version_id == version.id)
        if name := session.scalar(used.limit(1)):
            raise StillDeployed(
                _("This version is deployed as %(names)s: delete that first.", names=name)
            )
        uploads.delete_on_commit(queries.path_of(version))
        audit_model(viewer, "model.version_delete", model, changes={"version": [number, None]})
        session.delete(version)
    session.expire(model)


def remove_deployment_files(deployment: Deployment) -> None:
    """When the present transaction commits, remove the files of a deployment's tasks."""
    tasks = select(PredictionTask).where(PredictionTask.deployment_id == deployment.id)
    for task in session.scalars(tasks):
        path = queries.task_folder(task)
        uploads.on_commit(partial(shutil.rmtree, path, ignore_errors=True))


# ---------------------------------------------------------------------------------------------- helpers


class _Stored:
    """A file that was kept, and what its runtime says of it."""

    def __init__(
        self, path: Path, original_name: str, inspection: Inspection, *, sha256: str
    ) -> None:
        self.path, self.original_name, self.inspection = path, original_name, inspection
        self.sha256, self.size_bytes = sha256, path.stat().st_size


def _store(source: Path | BinaryIO, original_name: str) -> _Stored:
    """Keep a copy of the file and understand it; nothing stays when it is refused."""
    path = queries.folder() / f"{uuid.uuid4().hex}.model"
    try:
        sha256 = pieces.keep(source, path, max_bytes=queries.settings().max_model_bytes)
    except pieces.EmptyFile as error:
        raise ModelRefused(error.message, problems=error.problems) from error
    try:
        inspection = inspect(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return _Stored(path, pieces.safe_name(original_name), inspection, sha256=sha256)


def inspect(path: Path) -> Inspection:
    """What a model file is, after a trial in a child with limits. Raises ModelRefused."""
    limits = queries.settings()
    try:
        return scoring.inspect_file(
            path,
            timeout_s=limits.inspect_timeout_s,
            memory_bytes=limits.inspect_memory_mb * 2**20,
        )
    except scoring.RefusedModel as error:
        message = wording.said(str(error))
        raise ModelRefused(message, problems=[Problem("file", message)]) from error


def _add_version(
    model: Model,
    stored: _Stored,
    *,
    number: int,
    note: str,
    viewer: Viewer,
    baseline: dict[str, Any] | None,
) -> ModelVersion:
    found = stored.inspection
    described = found.description
    origin = BaselineOrigin.TRAINING if baseline else BaselineOrigin.FILE
    baseline = baseline or declared_spreads(stored.path, described) or None
    version = ModelVersion(
        model_id=model.id,
        number=number,
        file_name=stored.path.name,
        original_name=stored.original_name,
        format=described.format,
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        function=described.model_type[:80],
        algorithm=described.algorithm[:120],
        engine=described.engine[:80],
        details=plain(described.to_json()),
        sample_record=plain(found.sample_record),
        sample_outputs=plain(found.sample_outputs),
        baseline=baseline,
        baseline_about={"from": origin.value} if baseline else None,
        note=note.strip()[:MAX_NOTE],
        created_by=viewer.user_id,
    )
    session.add(version)
    session.flush()
    return version


def plain(value: Any) -> Any:
    """`value` as JSON keeps it: tuples as lists, names of enumerations as text, what is no number as None."""
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return value if value - value == 0 else None
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)


def _checked(name: str, description: str) -> tuple[str, str]:
    name, description, problems = name.strip(), description.strip(), []
    if not name or len(name) > MAX_NAME or not name.isprintable():
        problems.append(
            Problem("name", _("A name has 1 to %(most)s characters in one line.", most=MAX_NAME))
        )
    if len(description) > MAX_DESCRIPTION:
        problems.append(
            Problem("description", _("At most %(most)s characters, please.", most=MAX_DESCRIPTION))
        )
    if problems:
        raise Invalid(problems=problems)
    return name, description


def _taken() -> Conflict:
    message = _("You have a model of this name already.")
    return Conflict(message, problems=[Problem("name", message)])


def audit_model(viewer: Viewer, action: str, model: Model, changes: Any = None) -> None:
    """Note who did what to a model."""
    audit.record(
        actor_id=viewer.user_id,
        action=action,
        subject=f"model:{model.id}",
        summary=model.name,
        changes=changes,
    )
