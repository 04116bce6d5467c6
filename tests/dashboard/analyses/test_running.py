"""The life of a run: started once, cancelled at each state, repeated, and never half-published."""

import json
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from dashboard.accounts.models import User
from dashboard.analyses import queries, services
from dashboard.analyses.models import AnalysisState, Artefact, Run, Upload
from dashboard.core.database import session, transaction
from dashboard.core.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from dashboard.job_queue import removal
from dashboard.job_queue.models import Job, JobState
from dashboard.job_queue.queries import Viewer
from jobs.tasks import Cancelled
from tests.factories.analyses import QUICK, claim

Usage = namedtuple("Usage", "total used free")


def count_jobs() -> int:
    return session.scalar(select(func.count()).select_from(Job)) or 0


def result_folders(app: Flask) -> list[Path]:
    root: Path = app.config["ATRIUM"].site.data_dir
    return [*root.glob("analysis_result/*/*/*"), *root.glob("runs/*/*/result")]


def state(upload: Upload, viewer: Viewer) -> AnalysisState:
    session.expire_all()
    return queries.get_entry(upload.id, viewer).state


class TestStartAnalysis:
    def test_makes_one_job_of_two_clicks(
        self, each_database: str, upload: Upload, viewer: Viewer, start: Callable[..., Run]
    ) -> None:
        first, second = start(upload), start(upload)

        assert first.id == second.id
        assert count_jobs() == 1
        assert state(upload, viewer) is AnalysisState.PREPARING  # no job runner in this test

    def test_refuses_other_options_meanwhile(
        self, upload: Upload, start: Callable[..., Run]
    ) -> None:
        start(upload)

        with pytest.raises(Conflict):
            start(upload, seed=5)

    @pytest.mark.parametrize(
        "wrong", [{"clusters": 0}, {"density": "normal"}, {"seed": -1}, {"max_sweeps": 1}]
    )
    def test_refuses_wrong_options(
        self, upload: Upload, viewer: Viewer, wrong: dict[str, object]
    ) -> None:
        with pytest.raises(Invalid):
            services.start_analysis(upload.id, viewer=viewer, parameters=wrong)
        assert count_jobs() == 0

    def test_is_for_the_owner_alone(self, upload: Upload) -> None:
        with pytest.raises(NotFound):
            services.start_analysis(upload.id, viewer=Viewer(user_id=0), parameters={})
        with pytest.raises(Forbidden):
            admin = Viewer(user_id=0, sees_all=True)
            services.start_analysis(upload.id, viewer=admin, parameters={})

    def test_makes_a_new_run_of_other_options(
        self, done: Run, upload: Upload, viewer: Viewer, start: Callable[..., Run]
    ) -> None:
        second = start(upload, seed=9)

        assert [entry.run.id for entry in queries.list_runs(upload.id) if entry.run] == [
            second.id,
            done.id,
        ]
        assert queries.get_entry(upload.id, viewer).run == second


class TestExecute:
    def test_publishes_tables_that_match_their_hashes(
        self, app: Flask, done: Run, upload: Upload, viewer: Viewer
    ) -> None:
        assert state(upload, viewer) is AnalysisState.DONE
        folder = app.config["ATRIUM"].site.data_dir / "analysis_result"
        folder = folder / str(upload.owner_id) / str(upload.id) / str(done.id)
        names = {artefact.name for artefact in queries.list_artefacts(done.id)}

        assert {"tables/cluster.tsv", "tables/loci.tsv", "recipe.json"} <= names
        assert all((folder / name).is_file() for name in names)
        assert json.loads((folder / "recipe.json").read_text())["seed"] == 0
        assert done.summary["mutations"] == 20
        assert "欧阳" not in str(done.recipe)

    def test_publishes_nothing_when_it_was_given_up(
        self,
        app: Flask,
        upload: Upload,
        viewer: Viewer,
        start: Callable[..., Run],
        finish: Callable[..., Run],
    ) -> None:
        run = start(upload)

        with pytest.raises(Conflict):
            finish(run, attempt=99)

        assert result_folders(app) == []
        assert session.scalar(select(func.count()).select_from(Artefact)) == 0
        assert state(upload, viewer) is AnalysisState.RUNNING

    def test_leaves_nothing_when_it_is_cancelled_on_the_way(
        self,
        app: Flask,
        no_pictures: None,
        upload: Upload,
        start: Callable[..., Run],
        finish: Callable[..., Run],
    ) -> None:
        def stop(fraction: float, _text: str) -> None:
            if fraction > 0.75:
                raise Cancelled

        with pytest.raises(Cancelled):
            finish(start(upload), progress=stop)

        assert result_folders(app) == []

    def test_replaces_what_a_dead_attempt_left(
        self,
        app: Flask,
        no_pictures: None,
        upload: Upload,
        start: Callable[..., Run],
        finish: Callable[..., Run],
    ) -> None:
        run = start(upload)
        root = app.config["ATRIUM"].site.data_dir
        stale = root / "analysis_result" / str(upload.owner_id) / str(upload.id) / str(run.id)
        half = root / "runs" / "1" / "0" / "result"
        for folder in (stale, half):
            folder.mkdir(parents=True)
            (folder / "torn").write_text("torn")

        finish(run)

        assert not half.exists()
        assert not (stale / "torn").exists()
        assert (stale / "tables" / "loci.tsv").exists()

    def test_refuses_a_table_that_was_changed(
        self,
        app: Flask,
        upload: Upload,
        start: Callable[..., Run],
        finish: Callable[..., Run],
    ) -> None:
        run = start(upload)
        path = next(app.config["ATRIUM"].site.data_dir.glob("uploads/[0-9]*/*/*.tsv"))
        path.write_text(path.read_text().replace("m", "n"))

        with pytest.raises(Conflict):
            finish(run)

    def test_does_not_begin_on_a_full_disk(
        self,
        upload: Upload,
        start: Callable[..., Run],
        finish: Callable[..., Run],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        run = start(upload)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1, 1, 10))

        with pytest.raises(TooLarge):
            finish(run)

    def test_ends_when_the_upload_is_gone(
        self, upload: Upload, viewer: Viewer, start: Callable[..., Run], finish: Callable[..., Run]
    ) -> None:
        run = start(upload)
        with pytest.raises(NotFound):
            services.execute(
                run.id + 1, job_id=1, attempt=1, folder=Path(), progress=lambda *_: None
            )


class TestCancelAnalysis:
    def test_ends_one_that_waits(
        self, upload: Upload, viewer: Viewer, start: Callable[..., Run]
    ) -> None:
        start(upload)

        services.cancel_analysis(upload.id, viewer=viewer)

        assert state(upload, viewer) is AnalysisState.CANCELLED

    def test_asks_one_that_runs(
        self, upload: Upload, viewer: Viewer, start: Callable[..., Run]
    ) -> None:
        job = claim(start(upload))

        services.cancel_analysis(upload.id, viewer=viewer)

        assert session.get_one(Job, job.id).cancel_requested

    def test_refuses_before_and_after(self, done: Run, upload: Upload, viewer: Viewer) -> None:
        with pytest.raises(Conflict):
            services.cancel_analysis(upload.id, viewer=viewer)

    def test_is_allowed_to_administrators(
        self,
        make_user: Callable[..., User],
        upload: Upload,
        viewer: Viewer,
        start: Callable[..., Run],
    ) -> None:
        start(upload)

        admin = Viewer(user_id=make_user("admin").id, sees_all=True)
        services.cancel_analysis(upload.id, viewer=admin)

        assert state(upload, viewer) is AnalysisState.CANCELLED


class TestRetryAnalysis:
    def test_queues_the_same_run_again(
        self,
        no_pictures: None,
        upload: Upload,
        viewer: Viewer,
        start: Callable[..., Run],
        finish: Callable[..., Run],
    ) -> None:
        run = start(upload)
        services.cancel_analysis(upload.id, viewer=viewer)

        again = services.retry_analysis(upload.id, viewer=viewer)
        finish(again)

        assert again.id == run.id
        assert state(upload, viewer) is AnalysisState.DONE

    def test_knows_the_end_when_the_job_is_long_removed(
        self, upload: Upload, viewer: Viewer, start: Callable[..., Run]
    ) -> None:
        start(upload)
        services.cancel_analysis(upload.id, viewer=viewer)
        services.tidy()
        removal.purge(state=JobState.CANCELLED, keep_days=-1)

        assert state(upload, viewer) is AnalysisState.CANCELLED
        services.retry_analysis(upload.id, viewer=viewer)
        assert state(upload, viewer) is AnalysisState.PREPARING

    def test_refuses_a_finished_one(self, done: Run, upload: Upload, viewer: Viewer) -> None:
        with pytest.raises(Conflict):
            services.retry_analysis(upload.id, viewer=viewer)


class TestReproduceAnalysis:
    def test_says_that_it_is_identical(
        self, done: Run, viewer: Viewer, finish: Callable[..., Run]
    ) -> None:
        again = finish(services.reproduce_analysis(done.id, viewer=viewer))

        assert again.repeats_id == done.id
        assert again.comparison == {"identical": True, "n_different": 0, "differences": []}

    def test_says_where_it_differs(
        self, app: Flask, done: Run, viewer: Viewer, finish: Callable[..., Run]
    ) -> None:
        path = next(
            app.config["ATRIUM"].site.data_dir.glob("analysis_result/*/*/*/tables/loci.tsv")
        )
        lines = path.read_text().splitlines()
        path.write_text("\n".join([*lines[:3], "another", *lines[4:], ""]))

        found = finish(services.reproduce_analysis(done.id, viewer=viewer)).comparison

        assert found["identical"] is False
        assert [(each["table"], each["line"]) for each in found["differences"]] == [
            ("tables/loci.tsv", 4)
        ]

    def test_refuses_an_unfinished_one(
        self, upload: Upload, viewer: Viewer, start: Callable[..., Run]
    ) -> None:
        run = start(upload)
        services.cancel_analysis(upload.id, viewer=viewer)

        with pytest.raises(Conflict):
            services.reproduce_analysis(run.id, viewer=viewer)


class TestDeleteUpload:
    def test_takes_rows_and_folders(
        self, app: Flask, done: Run, upload: Upload, viewer: Viewer
    ) -> None:
        services.delete_upload(upload.id, viewer=viewer)

        assert result_folders(app) == []
        assert not list(app.config["ATRIUM"].site.data_dir.glob("uploads/[0-9]*/*"))
        assert session.scalar(select(func.count()).select_from(Run)) == 0

    def test_refuses_while_it_runs(
        self, upload: Upload, viewer: Viewer, start: Callable[..., Run]
    ) -> None:
        claim(start(upload))

        with pytest.raises(Conflict):
            services.delete_upload(upload.id, viewer=viewer)


class TestTidy:
    def test_removes_old_drafts_only(
        self, app: Flask, ana: object, done: Run, upload: Upload, viewer: Viewer
    ) -> None:
        draft = services.create_upload(owner_id=upload.owner_id)
        with transaction():
            for each in (draft, upload):
                each.touched_at = each.touched_at.replace(year=2020)

        assert services.tidy() == 1
        assert queries.get_entry(upload.id, viewer).run == done
        with pytest.raises(NotFound):
            queries.get_entry(draft.id, viewer)


class TestCompareRuns:
    def test_matches_clusters(
        self, done: Run, viewer: Viewer, start: Callable[..., Run], finish: Callable[..., Run]
    ) -> None:
        upload = session.get_one(Upload, done.upload_id)
        other = finish(start(upload, seed=QUICK["clusters"]))

        found = services.compare_runs(done.id, other.id, viewer=viewer)

        assert found.n_shared == 20
        assert 0 <= found.v_measure <= 1
        assert sum(match["both"] for match in found.matches) <= 20
