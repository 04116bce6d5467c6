"""Predictions whose result is fetched later: a few records, or a file of up to a million rows.

Input, parts and result are files of the task's folder; the row says how far it is. A task of a paused deployment
waits without a job, and gets one when the deployment is started again.
"""

import hashlib
import json
import secrets
import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import func, select, update

from dashboard.core import pieces, uploads
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict, Invalid, NotFound, Problem
from dashboard.core.i18n import _
from dashboard.job_queue import services as jobs
from dashboard.job_queue.queries import Viewer as JobViewer
from dashboard.serving import queries, tables
from dashboard.serving.messages import Predict, PredictBatch
from dashboard.serving.models import (
    OPEN_TASKS,
    Deployment,
    PredictionTask,
    TaskKind,
    TaskState,
)
from dashboard.serving.services.fields import check_columns, check_outputs

MAX_KEY = 120
INPUT = {TaskKind.SINGLE: "records.json", TaskKind.BATCH: "input"}


class TooManyTasks(Conflict):
    """Too many tasks of this deployment are unfinished."""

    code = "too_many_tasks"


class KeyReused(Conflict):
    """The idempotency key was used for something else."""

    code = "idempotency_mismatch"


class NotFinished(Conflict):
    """The task has no result yet."""

    code = "not_finished"


def submit(
    deployment: Deployment,
    records: list[dict[str, Any]],
    *,
    outputs: list[str] | None = None,
    owner_id: int | None,
    idempotency_key: str = "",
    keep_hours: int | None = None,
) -> PredictionTask:
    """A task that predicts these records. With a key that came before: the task of then.

    Raises TooManyTasks, KeyReused, and Invalid for outputs that the model has not.
    """
    data = json.dumps(records, ensure_ascii=False).encode()
    wanted = check_outputs(deployment.version, outputs)
    fingerprint = _fingerprint(data, wanted)
    if (known := _known(deployment, idempotency_key, fingerprint, owner_id)) is not None:
        return known
    try:
        with transaction():
            task = _new_task(
                deployment,
                kind=TaskKind.SINGLE,
                owner_id=owner_id,
                outputs=wanted,
                n_rows=len(records),
                idempotency_key=idempotency_key or None,
                fingerprint=fingerprint,
                keep_hours=keep_hours,
            )
            (queries.task_folder(task) / INPUT[TaskKind.SINGLE]).write_bytes(data)
            give_job(task, deployment)
    except Conflict:
        # The same key came twice at once: the other one's task is there now.
        if (known := _known(deployment, idempotency_key, fingerprint, owner_id)) is None:
            raise
        return known
    return task


def submit_batch(
    deployment: Deployment,
    source: Path | BinaryIO,
    *,
    original_name: str,
    result_format: str = "",
    outputs: list[str] | None = None,
    owner_id: int | None,
    idempotency_key: str = "",
    keep_hours: int | None = None,
) -> PredictionTask:
    """A task that predicts every row of a file; its result has the file's own format unless named.

    Raises Invalid for a file that is no table or lacks a column, TooLarge, TooManyTasks, KeyReused.
    """
    wanted = check_outputs(deployment.version, outputs)
    if result_format not in ("", *tables.FORMATS):
        raise _invalid("result_format", _("One of %(all)s.", all=", ".join(tables.FORMATS)))
    folder = queries.folder() / "tasks" / secrets.token_hex(16)
    try:
        digest = pieces.keep(
            source,
            folder / INPUT[TaskKind.BATCH],
            max_bytes=queries.settings().max_batch_bytes,
        )
        fingerprint = _fingerprint(digest.encode(), [*wanted, result_format])
        if (known := _known(deployment, idempotency_key, fingerprint, owner_id)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            return known
        form, n_rows = _understand(folder / INPUT[TaskKind.BATCH], original_name, deployment)
        with transaction():
            uploads.on_rollback(lambda: shutil.rmtree(folder, ignore_errors=True))
            task = _new_task(
                deployment,
                kind=TaskKind.BATCH,
                owner_id=owner_id,
                outputs=wanted,
                n_rows=n_rows,
                idempotency_key=idempotency_key or None,
                fingerprint=fingerprint,
                keep_hours=keep_hours,
                public_id=folder.name,
                input_format=form,
                result_format=result_format or form,
                original_name=pieces.safe_name(original_name),
            )
            give_job(task, deployment)
    except Conflict:
        shutil.rmtree(folder, ignore_errors=True)
        if (known := _known(deployment, idempotency_key, fingerprint, owner_id)) is None:
            raise
        return known
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return task


def cancel_task(task: PredictionTask) -> PredictionTask:
    """End a task that is not finished. Raises Conflict for one that is."""
    with transaction():
        session.refresh(task)
        if not move(task, OPEN_TASKS, TaskState.CANCELLED, finished_at=utcnow()):
            raise Conflict(_("Only a task that waits or runs can be cancelled."))
        if task.job_id is not None:
            end_job(task.job_id)
    session.refresh(task)
    return task


def delete_task(task: PredictionTask) -> None:
    """Forget a finished task and its files. Raises Conflict for one that is not finished."""
    with transaction():
        session.refresh(task)
        if task.open:
            raise Conflict(_("Cancel the task first."))
        folder = queries.task_folder(task)
        uploads.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))
        session.delete(task)


def result_path(task: PredictionTask) -> Path:
    """The file of a completed task's result. Raises NotFinished, Conflict (failed), NotFound (expired)."""
    if task.open:
        raise NotFinished(_("The task is not finished."))
    if task.state in (TaskState.FAILED, TaskState.CANCELLED):
        raise Conflict(task.error or _("The task has no result."))
    path = queries.task_folder(task) / f"result.{task.result_format}"
    if task.state == TaskState.EXPIRED or not path.exists():
        raise NotFound(_("The result has been removed."))
    return path


def queue_waiting(deployment: Deployment) -> int:
    """Give the tasks that waited for the deployment a job each; how many they were."""
    waiting = queries.list_waiting_tasks(deployment.id)
    for task in waiting:
        task.state = TaskState.QUEUED
        give_job(task, deployment)
    return len(waiting)


# ---------------------------------------------------------------------------------------------- helpers


def _new_task(
    deployment: Deployment,
    *,
    kind: TaskKind,
    keep_hours: int | None,
    public_id: str = "",
    **fields: Any,
) -> PredictionTask:
    limits = queries.settings()
    hours = min(keep_hours or limits.task_keep_hours, limits.task_keep_hours)
    task = PredictionTask(
        public_id=public_id or secrets.token_hex(16),
        deployment_id=deployment.id,
        kind=kind,
        state=TaskState.WAITING if deployment.paused else TaskState.QUEUED,
        expires_at=utcnow() + timedelta(hours=hours),
        **fields,
    )
    # The deployment's row on a server, the first write on SQLite: others wait, so that the count below is true.
    session.execute(select(Deployment.id).where(Deployment.id == deployment.id).with_for_update())
    session.add(task)
    session.flush()
    where = (
        PredictionTask.deployment_id == deployment.id,
        PredictionTask.state.in_(OPEN_TASKS),
    )
    n_open = session.scalar(select(func.count()).select_from(PredictionTask).where(*where)) or 0
    if n_open > limits.max_open_tasks:
        raise TooManyTasks(
            _("%(count)s tasks of this deployment are unfinished: wait.", count=n_open - 1)
        )
    folder = queries.task_folder(task)
    folder.mkdir(parents=True, exist_ok=True)
    uploads.on_rollback(lambda: shutil.rmtree(folder, ignore_errors=True))
    return task


def give_job(task: PredictionTask, deployment: Deployment) -> None:
    if deployment.paused:
        return
    message = PredictBatch(task.id) if task.kind == TaskKind.BATCH else Predict(task.id)
    owner_id = task.owner_id or deployment.owner_id
    task.job_id = jobs.enqueue(message, owner_id=owner_id).id
    session.flush()


def _known(
    deployment: Deployment, key: str, fingerprint: str, owner_id: int | None
) -> PredictionTask | None:
    """The task that was sent with this key, when there is one. Raises KeyReused and Invalid."""
    if not key:
        return None
    if len(key) > MAX_KEY or not key.isprintable():
        raise _invalid("Idempotency-Key", _("At most %(most)s characters, please.", most=MAX_KEY))
    task = queries.find_task_by_key(deployment.id, key)
    # Another caller's task could not be looked at by this one.
    if task is not None and (task.fingerprint, task.owner_id) != (fingerprint, owner_id):
        raise KeyReused(_("This key was sent with other content before."))
    return task


def _fingerprint(data: bytes, more: list[str]) -> str:
    return hashlib.sha256(data + b"\0" + json.dumps(more).encode()).hexdigest()


def _understand(path: Path, name: str, deployment: Deployment) -> tuple[str, int]:
    """The format of a table and how many rows it has. Raises Invalid."""
    with path.open("rb") as file:
        form = tables.format_of(file.read(64), name)
    try:
        columns = tables.columns_of(path, form)
        if columns is not None:
            check_columns(deployment.version, columns, script=bool(deployment.script))
        n_rows = tables.count_rows(path, form)
    except tables.BadTable as error:
        raise _invalid("file", str(error)) from error
    most = queries.settings().max_batch_rows
    if not n_rows:
        raise _invalid("file", _("The file has no rows."))
    if n_rows > most:
        raise _invalid(
            "file", _("The file has %(count)s rows; %(most)s at most.", count=n_rows, most=most)
        )
    return form, n_rows


def move(
    task: PredictionTask, present: tuple[TaskState, ...], state: TaskState, **values: Any
) -> bool:
    """Change the state if it still is one of `present`: a worker may be changing it at this moment."""
    statement = update(PredictionTask).where(
        PredictionTask.id == task.id, PredictionTask.state.in_(present)
    )
    done = session.execute(
        statement.values(state=state, **values), execution_options={"synchronize_session": False}
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def end_job(job_id: int) -> None:
    """Cancel the job of a task, if there still is one."""
    # It may have ended meanwhile, or been cleaned up.
    with suppress(Conflict, NotFound):
        jobs.cancel_job(job_id, viewer=JobViewer(user_id=None, sees_all=True))


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(message, problems=[Problem(field, message)])
