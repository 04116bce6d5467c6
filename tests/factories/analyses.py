"""Mutation tables, and analyses of them done here and now."""

import io
from pathlib import Path
from typing import Any

from flask import current_app

from dashboard.accounts.models import User
from dashboard.analyses import services
from dashboard.analyses.models import Run, Upload
from dashboard.core.database import session, transaction
from dashboard.job_queue.models import Job, JobState
from dashboard.job_queue.queries import Viewer
from jobs.engines import clonal

QUICK = {"restarts": 1, "clusters": 4, "grid": 40, "precision": 200.0}
NAME = "欧阳小娜"


def silent(_fraction: float, _text: str) -> None:
    """Nobody wants to hear about progress."""


def make_tables(*, n_mutations: int = 20, n_samples: int = 2, seed: int = 1) -> dict[str, str]:
    """Simulated tables by their sample."""
    made = clonal.simulate(
        clonal.Experiment(n_mutations=n_mutations, n_samples=n_samples, n_clusters=2, seed=seed)
    )
    return clonal.sample_tsvs(made.table)


def put_table(upload: Upload, name: str, content: str | bytes, *, viewer: Viewer) -> None:
    """A table into an upload."""
    data = content.encode() if isinstance(content, str) else content
    services.add_file(
        upload.id, viewer=viewer, name=name, source=io.BytesIO(data), size_bytes=len(data)
    )


def make_upload(owner: User) -> Upload:
    """Two checked tables of a patient with a name."""
    viewer = Viewer(user_id=owner.id)
    upload = services.create_upload(owner_id=owner.id)
    for name, text in make_tables().items():
        put_table(upload, f"{NAME}_{name}.tsv", text, viewer=viewer)
    services.check_upload(upload.id, viewer=viewer)
    services.describe_upload(
        upload.id, viewer=viewer, patient_name=NAME, patient_age=43, note="second opinion"
    )
    return upload


def start_run(upload: Upload, **parameters: Any) -> Run:
    """A quick run of an upload, queued."""
    viewer = Viewer(user_id=upload.owner_id)
    return services.start_analysis(upload.id, viewer=viewer, parameters={**QUICK, **parameters})


def claim(run: Run) -> Job:
    """The run's job as if a worker had just taken it."""
    with transaction():
        job = session.get_one(Job, run.job_id)
        job.state, job.attempt, job.ready = JobState.RUNNING, job.attempt + 1, False
    return job


def finish_run(run: Run, **changes: Any) -> Run:
    """Does the work of a run as the worker's child would."""
    job = claim(run)
    root: Path = current_app.config["ATRIUM"].site.data_dir
    options: dict[str, Any] = {
        "job_id": job.id,
        "attempt": job.attempt,
        "folder": root / "runs" / "1" / str(job.attempt),
        "progress": silent,
    }
    options["folder"].mkdir(parents=True, exist_ok=True)
    return services.execute(run.id, **{**options, **changes})
