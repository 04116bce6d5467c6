"""Foreign programs in the portal, by stand-ins: offered when allowed, run by the job, stopped with it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.analyses import labels, queries, services
from dashboard.analyses.models import AnalysisState, Run, Upload
from dashboard.core.config import load_config
from dashboard.core.errors import Conflict, Invalid
from dashboard.job_queue.models import JobState
from dashboard.job_queue.queries import Viewer
from jobs.engines.clonal.originals import NOTICE
from tests.conftest import CONFIG
from tests.dashboard.analyses.workers import job_when, worker_process
from tests.factories import analyses
from tests.jobs.engines.clonal.stand_ins import stand_in

NAMES = {"pyclone": "PyClone", "pyclone-vi": "pyclone-vi"}
Put = Callable[..., None]


@pytest.fixture
def programs(tmp_path: Path, environ: dict[str, str]) -> Put:
    """Allows both, and puts stand-ins in their places."""

    def put(behaviour: str = "") -> None:
        for name in NAMES.values():
            stand_in(tmp_path, name, behaviour=behaviour)

    environ["ATRIUM_ANALYSES__PYCLONE"] = str(tmp_path / "PyClone")
    environ["ATRIUM_ANALYSES__PYCLONE_VI"] = str(tmp_path / "pyclone-vi")
    put()
    return put


@pytest.fixture
def run_with(programs: Put, no_pictures: None, upload: Upload) -> Callable[..., Run]:
    """Analyses by a stand-in."""

    def run_with(engine: str, *, behaviour: str = "", **changes: Any) -> Run:
        programs(behaviour)
        return analyses.finish_run(analyses.start_run(upload, engine=engine), **changes)

    return run_with


@pytest.fixture
def runs_dir(app: Flask) -> Path:
    """Where jobs have their folders."""
    return Path(app.config["ATRIUM"].site.data_dir / "runs")


class TestOffered:
    def test_only_ours_unless_the_operator_says_so(
        self, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stand_in(tmp_path, "PyClone")
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

        assert services.offered_engines() == ["builtin"]

    def test_is_found_on_path_by_its_name(
        self,
        environ: dict[str, str],
        app: Flask,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        environ["ATRIUM_ANALYSES__PYCLONE"] = "PyClone"
        app.config["ATRIUM"] = load_config(CONFIG, environ)

        assert services.offered_engines() == ["builtin"]
        stand_in(tmp_path, "PyClone")
        assert services.offered_engines() == ["builtin", "pyclone"]

    def test_is_refused_elsewhere(
        self, upload: Upload, viewer: Viewer, ana: User, sign_in: Callable[[User], FlaskClient]
    ) -> None:
        with pytest.raises(Invalid):
            services.start_analysis(upload.id, viewer=viewer, parameters={"engine": "pyclone"})
        assert 'name="engine"' not in sign_in(ana).get(f"/upload?load_id={upload.id}").text

    def test_is_in_the_form_with_the_notice(
        self, programs: object, ana: User, sign_in: Callable[[User], FlaskClient]
    ) -> None:
        shown = sign_in(ana).get("/upload").text.replace("&#39;", "'")

        assert all(f'<option value="{name}">' in shown for name in NAMES)
        assert NOTICE in shown
        assert labels.NOTICE == NOTICE


class TestExecute:
    @pytest.mark.parametrize(
        ("engine", "version"), [("pyclone", "0.13.1"), ("pyclone-vi", "0.1.6")]
    )
    def test_gives_tables_and_a_recipe(
        self, run_with: Callable[..., Run], runs_dir: Path, engine: str, version: str
    ) -> None:
        said: list[str] = []
        seen: list[float] = []

        run = run_with(
            engine, log=said.append, progress=lambda fraction, _text: seen.append(fraction)
        )

        found = (run.engine, run.recipe["engine"], run.recipe["engine_version"])
        assert found == (engine, engine, version)
        assert run.summary["clusters"] == 2
        assert said and seen == sorted(seen)
        assert [path.name for path in runs_dir.glob("*/*/*")] == ["program.log"]

    def test_is_shown_with_its_name(
        self, run_with: Callable[..., Run], ana: User, sign_in: Callable[[User], FlaskClient]
    ) -> None:
        run = run_with("pyclone")

        page = sign_in(ana).get(f"/Analysis_result?load_id={run.upload_id}")

        assert page.status_code == 200
        assert "PyClone 0.13.1" in page.text

    @pytest.mark.parametrize(
        ("behaviour", "told"), [("fails", "Major CN must be greater 0"), ("crash", "exit code -11")]
    )
    def test_says_why_a_program_failed_and_keeps_its_log(
        self, run_with: Callable[..., Run], runs_dir: Path, behaviour: str, told: str
    ) -> None:
        with pytest.raises(Conflict, match=told):
            run_with("pyclone-vi", behaviour=behaviour)

        assert [path.name for path in runs_dir.glob("*/*/*")] == ["program.log"]
        assert not list(runs_dir.parent.glob("analysis_result/*/*/*"))

    def test_stops_at_the_time_limit(
        self, run_with: Callable[..., Run], environ: dict[str, str], app: Flask
    ) -> None:
        environ["ATRIUM_ANALYSES__PROGRAM_HOURS"] = "0.0004"
        app.config["ATRIUM"] = load_config(CONFIG, environ)

        with pytest.raises(Conflict, match="time limit"):
            run_with("pyclone-vi", behaviour="slow")


class TestJob:
    def test_follows_a_program_and_ends_it_when_it_is_cancelled(
        self, programs: Put, environ: dict[str, str], runs_dir: Path, upload: Upload
    ) -> None:
        programs("slow")
        viewer = Viewer(user_id=upload.owner_id)
        job_id = analyses.start_run(upload, engine="pyclone-vi").job_id or 0

        with worker_process(environ):
            job_when(job_id, lambda _job: list(runs_dir.glob("*/*/program/pids")))
            pids = next(runs_dir.glob("*/*/program/pids")).read_text().split()
            job_when(job_id, lambda job: job.progress_message)
            services.cancel_analysis(upload.id, viewer=viewer)
            job = job_when(job_id, lambda job: not job.active)

        assert job.state is JobState.CANCELLED
        assert queries.get_entry(upload.id, viewer).state is AnalysisState.CANCELLED
        assert [path.name for path in runs_dir.glob("*/*/*")] == ["log.txt"]
        assert "Iteration: 1" in next(runs_dir.glob("*/*/log.txt")).read_text()
        assert len(pids) == 2
        assert not any(_is_running(int(pid)) for pid in pids)


def _is_running(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"
