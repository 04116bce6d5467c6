"""Working a prediction task off: chunk by chunk, every row once, however often it is begun.

A finished chunk is a file that was renamed into place, with a summary beside it. Whoever begins again finds it and goes
on behind it, so a row is answered once in the result even when a worker dies in the middle.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import DomainError, NotFound
from dashboard.core.i18n import _
from dashboard.job_queue import services as jobs
from dashboard.serving import queries, tables
from dashboard.serving.journal import Answer
from dashboard.serving.models import OPEN_TASKS, Deployment, PredictionTask, TaskKind, TaskState
from dashboard.serving.services import counting, prediction, wording
from dashboard.serving.services.fields import InvalidInput, records_of_table
from dashboard.serving.services.results import Row, assemble, summaries
from dashboard.serving.services.tasks import INPUT, move

Progress = Callable[[float, str], None]

N_BAD_SHOWN = 50
# What a task's row tells is written at most so often: progress is the job's.
STORE_EVERY_S = 2.0


class Paused(Exception):
    """The deployment was paused while the task ran."""


def run_task(task_id: int, *, job_id: int, attempt: int, progress: Progress) -> dict[str, Any]:
    """Answer a task; what the job's page shows. Raises NotReady and the like when it is worth another try.

    A task whose deployment is paused goes back to waiting and its job ends.
    """
    task = session.get(PredictionTask, task_id)
    if task is None:
        raise NotFound()
    if not task.open:
        return {"task": task.public_id, "state": task.state}
    with transaction():
        move(task, OPEN_TASKS, TaskState.RUNNING)
    session.refresh(task)
    start = time.perf_counter()
    try:
        rows = _all_rows(task, progress)
    except Paused:
        return _wait(task, job_id=job_id, attempt=attempt)
    except DomainError as error:
        if isinstance(error, prediction.NotReady):
            raise
        return _fail(task, error, job_id=job_id, attempt=attempt)
    ms = (time.perf_counter() - start) * 1000
    path = assemble(task, rows)
    return _finish(task, path, ms=ms, job_id=job_id, attempt=attempt)


# ---------------------------------------------------------------------------------------------- chunks


def _all_rows(task: PredictionTask, progress: Progress) -> list[Path]:
    """Every chunk's file, in order; those that are there already are not made again."""
    folder = queries.task_folder(task) / "parts"
    folder.mkdir(parents=True, exist_ok=True)
    deployment = task.deployment
    paths, n_done, stored_at = [], 0, time.monotonic()
    for number, chunk in enumerate(tables.chunks(_records(task))):
        path = folder / f"{number:06d}.jsonl"
        if not path.exists():
            first = number * tables.CHUNK_ROWS + 1
            rows = _answer(deployment, chunk, first_row=first, outputs=task.outputs)
            summary = _summary(rows, prediction.input_bins(deployment, chunk))
            _write(path.with_suffix(".json"), orjson.dumps(summary))
            _write(path, b"".join(orjson.dumps(row) + b"\n" for row in rows))
        paths.append(path)
        n_done += len(chunk)
        progress(
            0.95 * n_done / max(1, task.n_rows),
            _("%(done)s of %(all)s rows", done=n_done, all=task.n_rows),
        )
        if time.monotonic() - stored_at > STORE_EVERY_S:
            stored_at = time.monotonic()
            _store_progress(task, n_done)
    return paths


def _records(task: PredictionTask) -> Iterator[Row]:
    path = queries.task_folder(task) / INPUT[TaskKind(task.kind)]
    if task.kind == TaskKind.SINGLE:
        yield from json.loads(path.read_bytes())
    else:
        deployment = task.deployment
        yield from records_of_table(
            path, task.input_format, deployment.version, script=bool(deployment.script)
        )


def _answer(
    deployment: Deployment, records: list[Row], *, first_row: int, outputs: list[str]
) -> list[Row]:
    """The rows' answers. A bad row does not spoil the others of its chunk."""
    # The row may have been changed by its owner while this runs: paused, rolled to another version.
    session.expire(deployment)
    try:
        found = prediction.call(deployment, records).only(outputs).outputs
    except prediction.DeploymentPaused:
        raise Paused from None
    except (InvalidInput, prediction.ScriptFailed, prediction.PredictionFailed) as error:
        bad = _bad_rows(error, len(records))
        if bad:
            return _around(bad, deployment, records, first_row=first_row, outputs=outputs)
        if len(records) == 1:
            return [{"row": first_row, "error": _line(error)}]
        half = len(records) // 2
        return [
            *_answer(deployment, records[:half], first_row=first_row, outputs=outputs),
            *_answer(deployment, records[half:], first_row=first_row + half, outputs=outputs),
        ]
    return [{"row": first_row + place, "outputs": values} for place, values in enumerate(found)]


def _bad_rows(error: DomainError, n_rows: int) -> dict[int, str]:
    """Place of a row in its chunk -> what is wrong with it; empty when the error names no rows, or not all."""
    faults = error.faults if isinstance(error, InvalidInput) else []
    if not faults or (len(faults) >= prediction.MAX_PROBLEMS and faults[-1]["row"] < n_rows):
        return {}
    found: dict[int, str] = {}
    for fault in faults:
        place, text = fault["row"] - 1, f"{fault['field']}: {_expected(fault)}"
        if not 0 <= place < n_rows:
            return {}
        found[place] = f"{found[place]}; {text}" if place in found else text
    return found


def _expected(fault: dict[str, Any]) -> str:
    return _("expected %(what)s", what=wording.said(fault["expected"]))


def _around(
    bad: dict[int, str],
    deployment: Deployment,
    records: list[Row],
    *,
    first_row: int,
    outputs: list[str],
) -> list[Row]:
    """The answers of the rows that are not bad, with the bad ones in their places."""
    good = [place for place in range(len(records)) if place not in bad]
    kept = [records[place] for place in good]
    answers = _answer(deployment, kept, first_row=1, outputs=outputs) if kept else []
    rows: dict[int, Row] = dict(zip(good, answers, strict=True))
    rows |= {place: {"error": text} for place, text in bad.items()}
    return [{**rows[place], "row": first_row + place} for place in range(len(records))]


def _line(error: DomainError) -> str:
    parts = [f"{p.field}: {p.message}" if p.field else p.message for p in error.problems]
    return "; ".join(parts) or error.message


def _summary(rows: list[Row], bins: dict[str, list[int]]) -> dict[str, Any]:
    """What the whole needs to know of a chunk: its rows, the bad ones, its outputs, where its inputs fall."""
    return {
        "rows": len(rows),
        "bad": [[row["row"], str(row["error"])[:300]] for row in rows if "error" in row],
        "names": list(dict.fromkeys(name for row in rows for name in row.get("outputs", ()))),
        "bins": bins,
    }


def _write(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


# ---------------------------------------------------------------------------------------------- the end


def _finish(
    task: PredictionTask, path: Path, *, ms: float, job_id: int, attempt: int
) -> dict[str, Any]:
    n_rows = n_bad = 0
    bad: list[list[Any]] = []
    bins: dict[str, list[int]] = {}
    for chunk in summaries(task):
        n_rows += chunk["rows"]
        n_bad += len(chunk["bad"])
        bad += chunk["bad"][: N_BAD_SHOWN - len(bad)]
        for name, counts in chunk["bins"].items():
            bins[name] = counting.add_lists(bins.get(name, []), counts)
    result = {"task": task.public_id, "rows": n_rows, "bad_rows": n_bad}
    with transaction():
        values = {"n_done": n_rows, "n_bad": n_bad, "bad_rows": bad, "finished_at": utcnow()}
        done = move(task, (TaskState.RUNNING,), TaskState.DONE, **values)
        jobs.complete(job_id=job_id, attempt=attempt, result=result)
    if done:
        # After the commit: a run that was given up is not counted.
        face = "batch" if task.kind == TaskKind.BATCH else "task"
        code = "bad_rows" if n_bad and n_bad == n_rows else ""
        counting.record(
            Answer(
                *(task.deployment_id, face, n_rows, code),
                ms={"total": ms},
                bins=bins,
            )
        )
    return result


def _fail(task: PredictionTask, error: DomainError, *, job_id: int, attempt: int) -> dict[str, Any]:
    with transaction():
        move(task, OPEN_TASKS, TaskState.FAILED, error=error.message[:500], finished_at=utcnow())
        result = {"task": task.public_id, "state": "failed"}
        jobs.complete(job_id=job_id, attempt=attempt, result=result)
    face = "batch" if task.kind == TaskKind.BATCH else "task"
    counting.record(Answer(task.deployment_id, face, n_records=task.n_rows, code=error.code))
    return result


def _wait(task: PredictionTask, *, job_id: int, attempt: int) -> dict[str, Any]:
    """Back to waiting; when the deployment was started again meanwhile, with a new job."""
    from dashboard.serving.services.tasks import give_job

    result = {"task": task.public_id, "state": "waiting"}
    with transaction():
        move(task, (TaskState.RUNNING,), TaskState.WAITING, job_id=None)
        jobs.complete(job_id=job_id, attempt=attempt, result=result)
        session.expire_all()
        fresh = session.get(PredictionTask, task.id)
        if fresh is not None and fresh.state == TaskState.WAITING and not fresh.deployment.paused:
            fresh.state = TaskState.QUEUED
            give_job(fresh, fresh.deployment)
    return result


def _store_progress(task: PredictionTask, n_done: int) -> None:
    with suppress(DomainError), transaction():
        move(task, (TaskState.RUNNING,), TaskState.RUNNING, n_done=n_done)
