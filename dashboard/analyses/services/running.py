"""Start, cancel, try again, repeat: the life of a run."""

from typing import Any

from sqlalchemy import update

from dashboard.analyses import queries
from dashboard.analyses.messages import RunAnalysis
from dashboard.analyses.models import AnalysisState, Run, Upload
from dashboard.analyses.services import engines
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from dashboard.core.i18n import _
from dashboard.job_queue import notices
from dashboard.job_queue import services as jobs
from dashboard.job_queue.queries import Viewer
from jobs.engines import clonal
from jobs.engines.clonal import ClusteringConfig, Density, GenotypePrior

OPTIONS = ("density", "prior", "precision", "clusters", "restarts", "grid", "seed")
"""Of the engine's options those that a person chooses."""


def choice_of(parameters: dict[str, Any]) -> dict[str, Any]:
    """The engine and all its options as plain JSON, defaults filled in. Raises Invalid."""
    engine = engines.require_engine(engine_of(parameters))
    return parameters_of(config_of(parameters)) | {"engine": engine}


def engine_of(parameters: dict[str, Any]) -> str:
    """The engine that parameters ask for."""
    return str(parameters.get("engine") or clonal.ENGINE)


def config_of(parameters: dict[str, Any]) -> ClusteringConfig:
    """The engine's configuration. Raises Invalid."""
    unknown = parameters.keys() - {*OPTIONS, "engine"}
    if unknown:
        message = _("Unknown option: %(name)s", name=", ".join(sorted(unknown)))
        raise Invalid(message, problems=[Problem("parameters", message)])
    given = {name: parameters[name] for name in OPTIONS if parameters.get(name) is not None}
    try:
        if "density" in given:
            given["density"] = Density(given["density"])
        if "prior" in given:
            given["prior"] = GenotypePrior(given["prior"])
        return ClusteringConfig(**given)
    except (TypeError, ValueError) as error:
        raise Invalid(
            _("These options do not go together: %(why)s", why=error),
            problems=[Problem("parameters", str(error))],
        ) from error


def parameters_of(config: ClusteringConfig) -> dict[str, Any]:
    """The chosen options as plain JSON."""
    values = {name: getattr(config, name) for name in OPTIONS}
    return values | {"density": config.density.value, "prior": config.prior.value}


def start_analysis(upload_id: int, *, viewer: Viewer, parameters: dict[str, Any]) -> Run:
    """A new run of the upload; the present one when it was asked for twice.

    Raises NotFound, Forbidden, Invalid for options or a table that the check refused, and Conflict while
    another run is under way."""
    wanted = choice_of(parameters)
    with transaction():
        upload = _lock(upload_id, viewer)
        entry = queries.get_entry(upload_id, viewer)
        if entry.active and entry.run is not None:
            same = entry.run.parameters == wanted and entry.run.samples == _plain(upload)
            if same and entry.run.repeats_id is None:
                return entry.run  # the button was pressed twice
            raise Conflict(_("It is being analysed. Wait for the end, or cancel it first."))
        _require_ready(upload)
        upload.parameters = wanted
        return _enqueue(upload, viewer, parameters=wanted, samples=_plain(upload))


def reproduce_analysis(run_id: int, *, viewer: Viewer) -> Run:
    """A run with the recipe of a finished one, to be compared with it at the end."""
    with transaction():
        first = queries.get_run(run_id, viewer)
        upload = _lock(first.upload_id, viewer)
        entry = queries.get_entry(upload.id, viewer)
        if entry.active and entry.run is not None:
            if entry.run.repeats_id == run_id:
                return entry.run
            raise Conflict(_("It is being analysed. Wait for the end, or cancel it first."))
        if first.outcome != AnalysisState.DONE:
            raise Conflict(_("Only a completed analysis can be reproduced."))
        engines.require_engine(first.engine)
        return _enqueue(
            upload,
            viewer,
            parameters=first.parameters,
            samples=first.samples,
            repeats_id=run_id,
        )


def cancel_analysis(upload_id: int, *, viewer: Viewer) -> Run:
    """End the run that waits or is under way; administrators may do this too. Raises NotFound, Conflict."""
    run = _active(upload_id, viewer)
    with transaction():
        jobs.cancel_job(run.job_id or 0, viewer=viewer)
    return run


def retry_analysis(upload_id: int, *, viewer: Viewer) -> Run:
    """Queue a failed or cancelled run again, with the same recipe. Raises NotFound, Forbidden, Conflict."""
    with transaction():
        upload = _lock(upload_id, viewer)
        entry = queries.get_entry(upload_id, viewer)
        run = entry.run
        if run is None or entry.state not in (AnalysisState.FAILED, AnalysisState.CANCELLED):
            raise Conflict(_("Only a failed or cancelled analysis can be tried again."))
        if run.job_id is None:
            # Its job is long removed: the same work in a new one.
            job = jobs.enqueue(RunAnalysis(run.id), owner_id=upload.owner_id)
            run.job_id = job.id
        else:
            jobs.retry_job(run.job_id, viewer=viewer)
        run.outcome, run.error, run.finished_at = None, "", None
    return run


def mark_seen(run_id: int, *, viewer: Viewer) -> None:
    """The owner has looked at a result; what others look at stays new."""
    with transaction():
        run = queries.get_run(run_id, viewer)
        upload = session.get_one(Upload, run.upload_id)
        if upload.owner_id == viewer.user_id and run.seen_at is None:
            run.seen_at = utcnow()
        if upload.owner_id == viewer.user_id and run.job_id is not None:
            notices.mark_read(run.job_id, owner_id=upload.owner_id)


def _active(upload_id: int, viewer: Viewer) -> Run:
    entry = queries.get_entry(upload_id, viewer)
    if not entry.active or entry.run is None or entry.run.job_id is None:
        raise Conflict(_("Only an analysis that waits or runs can be cancelled."))
    return entry.run


def _lock(upload_id: int, viewer: Viewer) -> Upload:
    """The viewer's own upload, for this transaction alone: two clicks come one after the other."""
    held = update(Upload).where(Upload.id == upload_id, Upload.owner_id == viewer.user_id)
    session.execute(
        held.values(touched_at=utcnow()), execution_options={"synchronize_session": False}
    )
    upload = session.get(Upload, upload_id, populate_existing=True)
    if upload is None or (upload.owner_id != viewer.user_id and not viewer.sees_all):
        raise NotFound()
    if upload.owner_id != viewer.user_id:
        raise Forbidden()
    return upload


def _require_ready(upload: Upload) -> None:
    if not upload.files or not all(file.has_arrived for file in upload.files):
        raise Conflict(_("A table is still missing."))
    if upload.preflight is None:
        raise Conflict(_("The tables have not been checked yet."))
    if not upload.is_good:
        message = _("The check found problems. Correct the tables and send them again.")
        raise Invalid(message, problems=[Problem("files", message)])


def _enqueue(
    upload: Upload,
    viewer: Viewer,
    *,
    parameters: dict[str, Any],
    samples: list[dict[str, Any]],
    repeats_id: int | None = None,
) -> Run:
    # Before the new mark is set: the database allows one.
    session.execute(update(Run).where(Run.upload_id == upload.id).values(is_latest=None))
    run = Run(
        upload_id=upload.id,
        is_latest=True,
        engine=engine_of(parameters),
        parameters=parameters,
        samples=samples,
        repeats_id=repeats_id,
    )
    session.add(run)
    session.flush()
    key = f"analyses.run:{upload.id}"
    job = jobs.enqueue(RunAnalysis(run.id), owner_id=viewer.user_id, unique_key=key)
    run.job_id = job.id
    return run


def _plain(upload: Upload) -> list[dict[str, Any]]:
    names = ("label", "tumour_content")
    return [{name: sample.get(name) for name in names} for sample in upload.samples]
