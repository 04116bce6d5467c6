"""Reads of uploads and runs: owners see their own, administrators all of them masked, others nothing."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true

from dashboard.analyses.models import (
    ACTIVE,
    STATE_LABELS,
    AnalysisState,
    Artefact,
    Reveal,
    Run,
    ShareLink,
    Upload,
    UploadFile,
)
from dashboard.core.database import Page, contains, session, utcnow
from dashboard.core.encryption import unseal
from dashboard.core.errors import Forbidden, NotFound
from dashboard.job_queue import queries as job_queue
from dashboard.job_queue.models import Job, JobState
from dashboard.job_queue.queries import Viewer

STATE_OF_JOB = {
    JobState.QUEUED: AnalysisState.QUEUED,
    JobState.RUNNING: AnalysisState.RUNNING,
    JobState.DONE: AnalysisState.DONE,
    JobState.FAILED: AnalysisState.FAILED,
    JobState.CANCELLED: AnalysisState.CANCELLED,
}
MAX_COMPARED = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """An upload with its latest run, and where that stands."""

    upload: Upload
    run: Run | None
    job: Job | None
    state: AnalysisState

    @property
    def state_label(self) -> str:
        """The state in the reader's language."""
        return str(STATE_LABELS[self.state])

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def is_unseen(self) -> bool:
        """Whether there is a result that its owner has not looked at."""
        return bool(self.state is AnalysisState.DONE and self.run and self.run.seen_at is None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries of the history."""

    state: AnalysisState | None = None
    name: str = ""
    sample: str = ""
    engine: str = ""
    since: datetime | None = None
    until: datetime | None = None


# ---------------------------------------------------------------------------------------------- single rows


def get_entry(upload_id: int, viewer: Viewer) -> Entry:
    """An upload that the viewer may see. Raises NotFound."""
    row = session.execute(_entries(viewer).where(Upload.id == upload_id)).one_or_none()
    if row is None:
        raise NotFound()
    return _entry(*row, alive=job_queue.runner_alive())


def require_own(upload_id: int, viewer: Viewer) -> Upload:
    """An upload of the viewer's own. Raises NotFound; Forbidden for an administrator, who may only look."""
    upload = session.get(Upload, upload_id)
    if upload is None or (upload.owner_id != viewer.user_id and not viewer.sees_all):
        raise NotFound()
    if upload.owner_id != viewer.user_id:
        raise Forbidden()
    return upload


def get_run(run_id: int, viewer: Viewer) -> Run:
    """A run of an upload that the viewer may see. Raises NotFound."""
    query = select(Run).join(Upload, Upload.id == Run.upload_id).where(Run.id == run_id)
    run = session.scalar(query.where(_visible(viewer)))
    if run is None:
        raise NotFound()
    return run


def get_run_of(upload_id: int, run_id: int | None, viewer: Viewer) -> Run:
    """The named run of an upload, or its latest one. Raises NotFound."""
    query = select(Run).join(Upload, Upload.id == Run.upload_id)
    query = query.where(Run.upload_id == upload_id, _visible(viewer))
    query = query.where(Run.is_latest.is_(True) if run_id is None else Run.id == run_id)
    run = session.scalar(query)
    if run is None:
        raise NotFound()
    return run


def entry_of(run: Run) -> Entry:
    """A run with its upload and state."""
    upload = session.get_one(Upload, run.upload_id)
    job = session.get(Job, run.job_id) if run.job_id else None
    return _entry(upload, run, job, alive=job_queue.runner_alive())


def find_latest_run(upload_id: int) -> Run | None:
    """The run that was asked for last."""
    return session.scalar(select(Run).where(Run.upload_id == upload_id, Run.is_latest.is_(True)))


def get_file(token: str, *, owner_id: int) -> UploadFile:
    """A file of this owner that is still arriving. Raises NotFound."""
    query = (
        select(UploadFile)
        .join(Upload, Upload.id == UploadFile.upload_id)
        .where(UploadFile.token == token, Upload.owner_id == owner_id)
    )
    file = session.scalar(query)
    if file is None or (file.expires_at or utcnow()) < utcnow():
        raise NotFound()
    return file


def find_shared(token: str) -> Run:
    """The run that an open link shows. Raises NotFound."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    link = session.scalar(select(ShareLink).where(ShareLink.token_sha256 == digest))
    if link is None or not link.is_open:
        raise NotFound()
    return session.get_one(Run, link.run_id)


# --------------------------------------------------------------------------------------------------- lists


def page_of_entries(
    viewer: Viewer, wanted: Wanted | None = None, *, page: int = 1, per_page: int = 20
) -> Page[Entry]:
    """The history, last touched first."""
    alive = job_queue.runner_alive()
    query = _entries(viewer).order_by(Upload.touched_at.desc(), Upload.id.desc())
    for condition in _conditions(wanted or Wanted(), viewer, alive=alive):
        query = query.where(condition)
    counted = select(func.count()).select_from(
        query.with_only_columns(Upload.id).order_by(None).subquery()
    )
    total = session.scalar(counted) or 0
    rows = session.execute(query.limit(per_page).offset((max(1, page) - 1) * per_page)).all()
    items = [_entry(*row, alive=alive) for row in rows]
    return Page(items=items, page=max(1, page), per_page=per_page, total=total)


def list_runs(upload_id: int) -> list[Entry]:
    """All runs of an upload, newest first."""
    query = (
        select(Upload, Run, Job)
        .join(Run, Run.upload_id == Upload.id)
        .outerjoin(Job, Job.id == Run.job_id)
        .where(Upload.id == upload_id)
        .order_by(Run.id.desc())
    )
    alive = job_queue.runner_alive()
    return [_entry(*row, alive=alive) for row in session.execute(query)]


def list_done_runs(viewer: Viewer) -> list[Entry]:
    """The viewer's own finished runs, newest first: what can be compared."""
    query = (
        select(Upload, Run, Job)
        .join(Run, Run.upload_id == Upload.id)
        .outerjoin(Job, Job.id == Run.job_id)
        .where(Upload.owner_id == viewer.user_id, Run.outcome == AnalysisState.DONE.value)
        .order_by(Run.id.desc())
        .limit(MAX_COMPARED)
    )
    return [_entry(*row, alive=True) for row in session.execute(query)]


def list_artefacts(run_id: int) -> list[Artefact]:
    """The files of a run, by name."""
    return list(
        session.scalars(select(Artefact).where(Artefact.run_id == run_id).order_by(Artefact.name))
    )


def list_links(run_id: int) -> list[ShareLink]:
    """The links to a result, newest first."""
    query = select(ShareLink).where(ShareLink.run_id == run_id).order_by(ShareLink.id.desc())
    return list(session.scalars(query))


def list_reveals(upload_id: int) -> list[Reveal]:
    """Who looked at the masked fields of an upload, last first."""
    query = select(Reveal).where(Reveal.upload_id == upload_id).order_by(Reveal.id.desc())
    return list(session.scalars(query.limit(50)))


def count_unseen(owner_id: int) -> int:
    """Results that their owner has not looked at."""
    query = (
        select(func.count())
        .select_from(Run)
        .join(Upload, Upload.id == Run.upload_id)
        .where(
            Upload.owner_id == owner_id,
            Run.outcome == AnalysisState.DONE.value,
            Run.seen_at.is_(None),
        )
    )
    return session.scalar(query) or 0


def used_bytes(owner_id: int) -> int:
    """What the owner's files take, those that are still arriving counted whole."""
    query = (
        select(func.sum(UploadFile.size_bytes))
        .join(Upload, Upload.id == UploadFile.upload_id)
        .where(Upload.owner_id == owner_id)
    )
    return int(session.scalar(query) or 0)


# ------------------------------------------------------------------------------------------------- helpers


def _visible(viewer: Viewer) -> ColumnElement[bool]:
    return true() if viewer.sees_all else Upload.owner_id == viewer.user_id


def _entries(viewer: Viewer) -> Any:
    return (
        select(Upload, Run, Job)
        .outerjoin(Run, and_(Run.upload_id == Upload.id, Run.is_latest.is_(True)))
        .outerjoin(Job, Job.id == Run.job_id)
        .where(_visible(viewer))
    )


def _entry(upload: Upload, run: Run | None, job: Job | None, *, alive: bool) -> Entry:
    return Entry(upload, run, job, state_of(run, job, alive=alive))


def state_of(run: Run | None, job: Job | None, *, alive: bool) -> AnalysisState:
    """Where a run stands: its job says so as long as there is one."""
    if run is None:
        return AnalysisState.UPLOADED
    if job is None:
        return AnalysisState(run.outcome or AnalysisState.FAILED)
    if job.state is JobState.QUEUED and not alive:
        return AnalysisState.PREPARING
    return STATE_OF_JOB[job.state]


def _conditions(wanted: Wanted, viewer: Viewer, *, alive: bool) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        found.append(_in_state(wanted.state, alive=alive))
    if wanted.engine:
        found.append(Run.engine == wanted.engine)
    if wanted.since is not None:
        found.append(Upload.touched_at >= wanted.since)
    if wanted.until is not None:
        found.append(Upload.touched_at < wanted.until)
    if wanted.name:
        found.append(Upload.id.in_(_named(wanted.name, viewer)))
    if wanted.sample:
        # The labels once more as text: a search inside JSON differs from database to database.
        found.append(Upload.label_text.ilike(contains(wanted.sample), escape="\\"))
    return found


def _in_state(state: AnalysisState, *, alive: bool) -> ColumnElement[bool]:
    if state is AnalysisState.UPLOADED:
        return Run.id.is_(None)
    if state in (AnalysisState.PREPARING, AnalysisState.QUEUED):
        shown = AnalysisState.QUEUED if alive else AnalysisState.PREPARING
        return and_(true() if state is shown else false(), Job.state == JobState.QUEUED)
    of_job = next(key for key, value in STATE_OF_JOB.items() if value is state)
    return or_(Job.state == of_job, and_(Job.id.is_(None), Run.outcome == state.value))


def _named(name: str, viewer: Viewer) -> list[int]:
    """The viewer's own uploads whose patient's name contains this text; nobody searches another's."""
    rows = session.execute(
        select(Upload.id, Upload.patient_name).where(
            Upload.owner_id == viewer.user_id, Upload.patient_name != ""
        )
    )
    wanted = "".join(name.casefold().split())
    return [id for id, sealed in rows if is_like(unseal(sealed) or "", wanted)]


def is_like(name: str, wanted: str) -> bool:
    """Whether the letters of `wanted` stand in the name in this order, a few others between them."""
    letters = iter("".join(name.casefold().split()))
    return all(letter in letters for letter in wanted)
