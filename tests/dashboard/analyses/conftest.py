"""An analyst with mutation tables, and runs that are done here and now."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from dashboard.accounts.models import RoleName, User
from dashboard.analyses import services
from dashboard.analyses.models import Run, Upload
from dashboard.core.database import session, transaction
from dashboard.job_queue.models import Job, JobState
from dashboard.job_queue.queries import Viewer
from jobs.engines import clonal
from jobs.engines.clonal import figures

QUICK = {"restarts": 1, "clusters": 4, "grid": 40, "precision": 200.0}
NAME = "欧阳小娜"


def silent(_fraction: float, _text: str) -> None:
    """Nobody wants to hear about progress."""


def tables(*, n_mutations: int = 20, n_samples: int = 2, seed: int = 1) -> dict[str, str]:
    """Simulated tables, one for each sample."""
    made = clonal.simulate(
        clonal.Experiment(n_mutations=n_mutations, n_samples=n_samples, n_clusters=2, seed=seed)
    )
    return clonal.sample_tsvs(made.table)


@pytest.fixture
def ana(make_user: Callable[..., User]) -> User:
    return make_user(RoleName.LEARNER, RoleName.ANALYST)


@pytest.fixture
def viewer(ana: User) -> Viewer:
    return Viewer(user_id=ana.id)


@pytest.fixture
def put(viewer: Viewer) -> Callable[..., None]:
    """Puts a table into an upload."""

    def put(upload: Upload, name: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        services.add_file(
            upload.id, viewer=viewer, name=name, source=io.BytesIO(data), size_bytes=len(data)
        )

    return put


@pytest.fixture
def upload(ana: User, viewer: Viewer, put: Callable[..., None]) -> Upload:
    """Two checked tables of a patient with a name."""
    upload = services.create_upload(owner_id=ana.id)
    for name, text in tables().items():
        put(upload, f"{NAME}_{name}.tsv", text)
    services.check_upload(upload.id, viewer=viewer)
    services.describe_upload(
        upload.id, viewer=viewer, patient_name=NAME, patient_age=43, note="second opinion"
    )
    return upload


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that are not about pictures do without them: they take most of the time."""
    monkeypatch.setattr(figures, "write_figures", lambda *_arguments, **_options: [])


def claim(run: Run) -> Job:
    """The run's job as if a worker had just taken it."""
    with transaction():
        job = session.get_one(Job, run.job_id)
        job.state, job.attempt, job.ready = JobState.RUNNING, job.attempt + 1, False
    return job


@pytest.fixture
def finish(app: Flask, tmp_path: Path) -> Callable[..., Run]:
    """Does the work of a run as the worker's child would."""

    def finish(run: Run, **changes: Any) -> Run:
        job = claim(run)
        options: dict[str, Any] = {
            "job_id": job.id,
            "attempt": job.attempt,
            "folder": Path(app.config["ATRIUM"].site.data_dir) / "runs" / "1" / str(job.attempt),
            "progress": silent,
        }
        options["folder"].mkdir(parents=True, exist_ok=True)
        return services.execute(run.id, **{**options, **changes})

    return finish


@pytest.fixture
def start(viewer: Viewer) -> Callable[..., Run]:
    """Starts a quick run of an upload."""
    return lambda upload, **more: services.start_analysis(
        upload.id, viewer=viewer, parameters={**QUICK, **more}
    )


@pytest.fixture
def done(
    no_pictures: None, upload: Upload, start: Callable[..., Run], finish: Callable[..., Run]
) -> Run:
    """A finished run."""
    return finish(start(upload))
