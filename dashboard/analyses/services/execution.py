"""What the job does: tables in, a folder of results out.

Everything is written into a folder of this attempt and renamed into its place by the transaction that completes
the job: a worker that was given up, or a run that was cancelled, leaves nothing behind."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import update

from dashboard.analyses.models import AnalysisState, Artefact, Run, Upload
from dashboard.analyses.services import checking, comparing, foreign, places
from dashboard.analyses.services.running import config_of
from dashboard.core import pieces, uploads
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict, NotFound
from dashboard.core.i18n import _
from dashboard.job_queue import services as jobs
from jobs.engines import clonal
from jobs.engines.clonal import Clustering, MutationTable
from jobs.engines.clonal.originals import Program

Progress = Callable[[float, str], None]
"""Fraction done and what is being done; it may raise to stop the run."""

# The engine's part of the progress bar; reading comes before, writing after.
ENGINE_STARTS, ENGINE_ENDS = 0.05, 0.8
RESULT_FILE = "data/result.npz"
CLUSTER_TABLE, LOCI_TABLE, RECIPE = "tables/cluster.tsv", "tables/loci.tsv", "recipe.json"
ROOM_BYTES = 64 * 2**20
"""A run needs this much disk at least; it is not begun without."""


def execute(
    run_id: int,
    *,
    job_id: int,
    attempt: int,
    folder: Path,
    progress: Progress,
    log: Callable[[str], None] = lambda _: None,
) -> Run:
    """Analyse and publish; log gets what a foreign program prints.

    Raises NotFound when the run is gone, Conflict when its tables changed or a foreign program failed,
    TooLarge when the disk is full."""
    began = time.monotonic()
    run, upload = _load(run_id, job_id=job_id)
    places.check_room(ROOM_BYTES, folder=uploads.root())
    _remove_earlier(folder)
    target = folder / "result"
    try:
        with pieces.disk_full_told():
            _make(run, upload, target, progress, log)
            _publish(run_id, target, job_id=job_id, attempt=attempt, began=began)
    except BaseException:
        # Also when cancelled, which is no Exception: nothing half-made stays.
        session.rollback()
        shutil.rmtree(target, ignore_errors=True)
        raise
    progress(1.0, _("Done"))
    return session.get_one(Run, run_id)


def _load(run_id: int, *, job_id: int) -> tuple[Run, Upload]:
    run = session.get(Run, run_id)
    if run is None or run.job_id != job_id:
        raise NotFound(_("This analysis was deleted."))
    return run, session.get_one(Upload, run.upload_id)


def _remove_earlier(folder: Path) -> None:
    """What attempts that were killed have left: folder is runs/<job>/<attempt>."""
    for stale in folder.parent.glob("*/result"):
        shutil.rmtree(stale, ignore_errors=True)


def _make(
    run: Run, upload: Upload, target: Path, progress: Progress, log: Callable[[str], None]
) -> None:
    progress(0.0, _("Reading the tables"))
    table = _table(run, upload)
    progress(ENGINE_STARTS, _("Reading the tables"))
    result, version = _result(run, table, target.parent, _scaled(progress), log)
    progress(ENGINE_ENDS, _("Writing the results"))
    for name in ("tables", "data"):
        (target / name).mkdir(parents=True)
    texts = {
        CLUSTER_TABLE: result.cluster_tsv(),
        LOCI_TABLE: result.loci_tsv(),
        RECIPE: json.dumps(_recipe(run, upload, result, version), indent=2, ensure_ascii=False)
        + "\n",
    }
    for name, text in texts.items():
        (target / name).write_text(text, encoding="utf-8", newline="\n")
    clonal.save_result(result, target / RESULT_FILE)
    _compare(run, target)
    _draw(result, target / "plots", progress)


def _result(
    run: Run, table: MutationTable, folder: Path, progress: Progress, log: Callable[[str], None]
) -> tuple[Clustering, str]:
    """The clusters by the engine of the run, and that engine's version."""
    config = config_of(run.parameters)
    if run.engine == clonal.ENGINE:
        return clonal.cluster(table, config, progress=progress), clonal.VERSION
    program = Program(run.engine)
    return foreign.run_foreign(program, table, config, folder=folder, progress=progress, log=log)


def _draw(result: Clustering, folder: Path, progress: Progress) -> None:
    """The nine plots in the portal's language; other forms are drawn when they are asked for."""
    # Late: matplotlib takes as long to import as a small run.
    from jobs.engines.clonal import figures

    language: Any = current_app.config["ATRIUM"].site.default_language
    span = 1 - ENGINE_ENDS
    figures.write_figures(
        result,
        folder,
        language=language,
        tick=lambda part: progress(ENGINE_ENDS + span * part, _("Drawing the plots")),
    )


def _table(run: Run, upload: Upload) -> MutationTable:
    for file, path in zip(upload.files, places.paths_of(upload), strict=True):
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != file.sha256:
                raise Conflict(_("A table is not the one that was uploaded."))
    table = checking.look_into(upload, samples=run.samples).table
    if table is None:
        raise Conflict(_("The check refuses the tables now."))
    return table


def _recipe(run: Run, upload: Upload, result: Clustering, version: str) -> dict[str, Any]:
    paths = places.paths_of(upload)
    labels = [sample["label"] for sample in run.samples]
    names = checking.file_names(labels) if len(labels) == len(paths) else ["table.tsv"]
    contents = [sample["tumour_content"] for sample in run.samples]
    options: dict[str, Any] = {"samples": labels}
    if all(content is not None for content in contents):
        options["tumour_content"] = contents
    recipe = clonal.recipe(
        result,
        paths=paths,
        names=names,
        options=options,
        engine=run.engine,
        engine_version=version,
    )
    return recipe | {"run": run.id, "upload": upload.id, "job": run.job_id}


def _compare(run: Run, target: Path) -> None:
    """Where this run repeats another: whether it came to the same."""
    if run.repeats_id is None:
        return
    first = session.get(Run, run.repeats_id)
    found = comparing.compare_tables(places.run_folder(first), target) if first else {}
    (target / "data" / "comparison.json").write_text(json.dumps(found), encoding="utf-8")


def _publish(run_id: int, target: Path, *, job_id: int, attempt: int, began: float) -> None:
    rows = [
        Artefact(run_id=run_id, **_about(path, path.relative_to(target).as_posix()))
        for path in sorted(target.rglob("*"))
        if path.is_file()
    ]
    recipe = json.loads((target / RECIPE).read_text(encoding="utf-8"))
    comparison = target / "data" / "comparison.json"
    values: dict[str, Any] = {
        "outcome": AnalysisState.DONE.value,
        "finished_at": utcnow(),
        "seconds": round(time.monotonic() - began, 2),
        "recipe": recipe,
        "summary": _summary(recipe, (target / CLUSTER_TABLE).read_text(encoding="utf-8")),
        "error": "",
    }
    if comparison.exists():
        values["comparison"] = json.loads(comparison.read_text(encoding="utf-8"))
    with transaction():
        # First, because it raises where this attempt was given up: then nothing of ours may stay.
        jobs.complete(job_id=job_id, attempt=attempt, result={"run_id": run_id})
        if not session.execute(update(Run).where(Run.id == run_id).values(**values)).rowcount:  # type: ignore[attr-defined]
            raise NotFound(_("This analysis was deleted."))
        session.add_all(rows)
        session.flush()
        place = places.run_folder(session.get_one(Run, run_id, populate_existing=True))
        place.parent.mkdir(parents=True, exist_ok=True)
        # Left by an attempt that died between this rename and its commit.
        shutil.rmtree(place, ignore_errors=True)
        uploads.on_rollback(lambda: place.exists() and place.replace(target))
        target.replace(place)


def _about(path: Path, name: str) -> dict[str, Any]:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"name": name, "size_bytes": path.stat().st_size, "sha256": digest}


def _summary(recipe: dict[str, Any], cluster_table: str) -> dict[str, Any]:
    """What lists show, from the files themselves: sizes by cluster."""
    rows = [line.split("\t") for line in cluster_table.splitlines()[1:]]
    sizes = {row[1]: int(row[2]) for row in rows}
    return {
        "mutations": sum(sizes.values()),
        "samples": len(recipe["samples"]),
        "clusters": len(sizes),
        "elbo": recipe["elbo"],
        "sizes": list(sizes.values()),
    }


def _scaled(progress: Progress) -> Progress:
    span = ENGINE_ENDS - ENGINE_STARTS
    return lambda fraction, text: progress(ENGINE_STARTS + span * fraction, _stage_label(text))


def _stage_label(text: str) -> str:
    """The engine's name of a stage as a text of the catalogue; the page translates it."""
    labels = {
        "estimating the precision": _("Estimating the precision"),
        "looking for clusters": _("Looking for clusters"),
        "refining clusters": _("Refining clusters"),
        "running the program": _("Running the program"),
        "finishing": _("Finishing"),
        "done": _("Done"),
    }
    return labels.get(text, text)
