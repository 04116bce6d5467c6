"""What may happen on the way: a worker is killed, the disk fills up, the button is pressed twice."""

import io
import resource
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
from flask import Flask
from sqlalchemy import func, select

from dashboard.accounts.models import User
from dashboard.analyses import queries, services
from dashboard.analyses.models import AnalysisState, Artefact, Run, Upload
from dashboard.core.database import session
from dashboard.core.errors import Conflict, TooLarge
from dashboard.job_queue.models import JobState
from dashboard.job_queue.queries import Viewer
from tests.dashboard.analyses.workers import job_when, worker_process
from tests.factories import analyses


def count(table: type) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(table)) or 0


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow beyond some bytes: the system refuses as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class TestKilledWorker:
    @pytest.mark.slow
    def test_is_run_again_and_completes_once(
        self, environ: dict[str, str], app: Flask, ana: User, viewer: Viewer
    ) -> None:
        environ["ATRIUM_JOBS__LEASE_S"] = "1.5"
        upload = services.create_upload(owner_id=ana.id)
        for name, text in analyses.make_tables(n_mutations=1_500, n_samples=3).items():
            analyses.put_table(upload, f"{name}.tsv", text, viewer=viewer)
        services.check_upload(upload.id, viewer=viewer)
        run = services.start_analysis(upload.id, viewer=viewer, parameters={"restarts": 5})
        assert run.job_id is not None
        root = app.config["ATRIUM"].site.data_dir

        with worker_process(environ) as first:
            job_when(run.job_id, lambda job: job.progress > 0.1)
            first.send_signal(signal.SIGKILL)
            first.wait()
        assert queries.get_entry(upload.id, viewer).state is AnalysisState.RUNNING
        assert count(Artefact) == 0
        with worker_process(environ):
            job = job_when(run.job_id, lambda job: not job.active)

        assert (job.state, job.attempt) == (JobState.DONE, 2)
        assert queries.get_entry(upload.id, viewer).state is AnalysisState.DONE
        published = [path for path in root.glob("analysis_result/*/*/*/**/*") if path.is_file()]
        assert len(published) == count(Artefact) == 13
        assert not list(root.glob("runs/*/*/result"))


class TestFullDisk:
    def test_publishes_nothing_and_says_why(
        self,
        app: Flask,
        upload: Upload,
        start: Callable[..., Run],
        finish: Callable[..., Run],
    ) -> None:
        run = start(upload)
        with ExitStack() as stack:

            def fill(_fraction: float, text: str) -> None:
                if text == "Writing the results":
                    stack.enter_context(full_disk())

            with pytest.raises(TooLarge, match="disk is full"):
                finish(run, progress=fill)

        root = app.config["ATRIUM"].site.data_dir
        assert not list(root.glob("analysis_result/*/*/*"))
        assert not list(root.glob("runs/*/*/result"))
        assert count(Artefact) == 0

    def test_keeps_no_table_that_did_not_arrive(
        self, app: Flask, ana: User, viewer: Viewer
    ) -> None:
        upload = services.create_upload(owner_id=ana.id)
        file = services.begin_file(upload.id, viewer=viewer, name="a.tsv", size_bytes=5_000)

        with full_disk(), pytest.raises(TooLarge, match="disk is full"):
            services.append_file(file, offset=0, source=io.BytesIO(b"x" * 5_000))

        session.rollback()
        assert services.resume_file(file) <= 1_000
        arrived, complete = services.append_file(
            file, offset=services.resume_file(file), source=io.BytesIO(b"x" * 4_000)
        )
        assert complete and arrived == 5_000


class TestTwoClicks:
    def test_at_the_same_time_are_one_run(
        self, each_database: str, app: Flask, upload: Upload, viewer: Viewer
    ) -> None:
        upload_id = upload.id
        session.rollback()

        def click(_: int) -> int:
            with app.app_context():
                run = services.start_analysis(
                    upload_id, viewer=viewer, parameters=dict(analyses.QUICK)
                )
                return run.id

        with ThreadPoolExecutor(2) as threads:
            runs = list(threads.map(click, range(2)))

        assert runs[0] == runs[1]
        assert count(Run) == 1


class TestCancel:
    def test_needs_something_to_cancel(self, upload: Upload, viewer: Viewer) -> None:
        with pytest.raises(Conflict):
            services.cancel_analysis(upload.id, viewer=viewer)

    def test_twice_is_refused_and_nothing_runs_afterwards(
        self, environ: dict[str, str], upload: Upload, viewer: Viewer, start: Callable[..., Run]
    ) -> None:
        run = start(upload)
        services.cancel_analysis(upload.id, viewer=viewer)
        with pytest.raises(Conflict):
            services.cancel_analysis(upload.id, viewer=viewer)
        assert run.job_id is not None

        again = services.retry_analysis(upload.id, viewer=viewer)
        assert again.id == run.id
        services.cancel_analysis(upload.id, viewer=viewer)

        assert queries.get_entry(upload.id, viewer).state is AnalysisState.CANCELLED
        assert job_when(run.job_id, lambda job: not job.active).state is JobState.CANCELLED
