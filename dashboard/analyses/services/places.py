"""Where the files of analyses are: uploads/<owner>/<upload>/ and analysis_result/<owner>/<upload>/<run>/."""

import shutil
from pathlib import Path

from flask import current_app

from dashboard.analyses.models import Run, Upload, UploadFile
from dashboard.core import uploads
from dashboard.core.config import Analyses
from dashboard.core.database import session
from dashboard.core.errors import TooLarge
from dashboard.core.i18n import _


def settings() -> Analyses:
    """The limits of analyses."""
    section: Analyses = current_app.config["ATRIUM"].analyses
    return section


def results_root() -> Path:
    """The folder of all results."""
    return Path(current_app.config["ATRIUM"].site.data_dir / "analysis_result")


def upload_folder(upload: Upload) -> Path:
    """Where an upload's tables are; it need not exist."""
    return uploads.root() / str(upload.owner_id) / str(upload.id)


def file_path(upload: Upload, file: UploadFile) -> Path:
    """Where a table is, or grows."""
    return upload_folder(upload) / Path(file.stored_name).name


def paths_of(upload: Upload) -> list[Path]:
    """The tables that have arrived, in their order."""
    return [file_path(upload, file) for file in upload.files if file.has_arrived]


def results_folder(upload: Upload) -> Path:
    """Where the results of all runs of an upload are."""
    return results_root() / str(upload.owner_id) / str(upload.id)


def run_folder(run: Run) -> Path:
    """Where the files of a run are; it need not exist."""
    return results_folder(session.get_one(Upload, run.upload_id)) / str(run.id)


def check_room(size_bytes: int, *, folder: Path) -> None:
    """Raise TooLarge when writing this much into `folder` would leave too little of the disk free."""
    if shutil.disk_usage(folder).free - size_bytes < uploads.settings().min_free_bytes:
        raise TooLarge(
            _("The server's disk has no room for this file. Please tell an administrator.")
        )


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it; what cannot go now goes when the portal tidies."""
    shutil.rmtree(path, ignore_errors=True)
