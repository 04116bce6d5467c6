"""What nobody needs any more: old drafts, half-sent tables, folders without a row; and ends to be kept."""

import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update

from dashboard.analyses.models import Run, Upload, UploadFile
from dashboard.analyses.queries import STATE_OF_JOB
from dashboard.analyses.services import files, places
from dashboard.analyses.services.drafts import remove_upload
from dashboard.core import uploads
from dashboard.core.database import session, transaction, utcnow
from dashboard.job_queue.models import FINISHED, Job

# Longer than any request or run that is between making a folder and committing its row.
MIN_AGE_S = 24 * 3600


def tidy() -> int:
    """Do all of it; how many drafts, tables and folders went."""
    keep_ends()
    return remove_old_drafts() + _remove_half_sent() + _remove_stray_folders()


def remove_old_drafts() -> int:
    """Forget uploads that were never analysed and not touched for long."""
    before = utcnow() - timedelta(hours=places.settings().draft_hours)
    never = ~select(Run.id).where(Run.upload_id == Upload.id).exists()
    old = session.scalars(select(Upload).where(Upload.touched_at < before, never)).all()
    for upload in old:
        with transaction():
            remove_upload(upload)
    return len(old)


def keep_ends() -> None:
    """Note how runs ended before their jobs are removed."""
    query = (
        select(Run.id, Job.state, Job.error, Job.finished_at)
        .join(Job, Job.id == Run.job_id)
        .where(Run.outcome.is_(None), Job.state.in_(FINISHED))
    )
    for run_id, state, error, finished_at in session.execute(query).all():
        values = {"outcome": STATE_OF_JOB[state].value, "error": error, "finished_at": finished_at}
        with transaction():
            session.execute(update(Run).where(Run.id == run_id).values(**values))


def _remove_half_sent() -> int:
    expired = session.scalars(select(UploadFile).where(UploadFile.expires_at < utcnow())).all()
    for file in expired:
        files.cancel_file(file)
    return len(expired)


def _remove_stray_folders() -> int:
    known = {tuple(row) for row in session.execute(select(Upload.owner_id, Upload.id))}
    of_runs = select(Upload.owner_id, Upload.id, Run.id).join(Run, Run.upload_id == Upload.id)
    runs = {tuple(row) for row in session.execute(of_runs)}
    roots = (uploads.root(), places.results_root())
    strays = [path for root in roots for path in _numbered(root, 2) if _ids(path, 2) not in known]
    strays += [path for path in _numbered(places.results_root(), 3) if _ids(path, 3) not in runs]
    before = time.time() - MIN_AGE_S
    old = [path for path in strays if path.exists() and path.stat().st_mtime < before]
    for path in old:
        places.remove_folder(path)
    return len(old)


def _numbered(root: Path, depth: int) -> list[Path]:
    found = root.glob("/".join(["*"] * depth)) if root.exists() else iter(())
    return [
        path for path in found if path.is_dir() and all(p.isdecimal() for p in path.parts[-depth:])
    ]


def _ids(path: Path, depth: int) -> tuple[int, ...]:
    return tuple(int(part) for part in path.parts[-depth:])
