"""Prediction tasks are worked off: every row once, bad ones by number, across pauses and deaths."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pyarrow import parquet

from dashboard.accounts.models import User
from dashboard.core.database import session, transaction
from dashboard.core.errors import Invalid
from dashboard.job_queue.models import Job, JobState
from dashboard.serving import monitoring, queries, replicas, services, tables
from dashboard.serving.models import Deployment, PredictionTask
from tests.factories.models import viewer_of

Deployed = tuple[Deployment, str]


def table(folder: Path, n_rows: int, *, bad: tuple[int, ...] = ()) -> Path:
    """A CSV file of a and b; the rows in `bad` have a text for a number."""
    path = folder / "rows.csv"
    lines = ["b,a", *(f"1,{'x' if row in bad else row}" for row in range(1, n_rows + 1))]
    path.write_text("\n".join(lines) + "\n")
    return path


def submit(deployment: Deployment, path: Path, **options: Any) -> PredictionTask:
    return services.submit_batch(
        deployment, path, original_name=path.name, owner_id=deployment.owner_id, **options
    )


def work(task: PredictionTask) -> dict[str, Any]:
    """Run the task as its job would."""
    with transaction():
        job = session.get_one(Job, task.job_id)
        job.state, job.attempt = JobState.RUNNING, job.attempt + 1
    result = services.run_task(
        task.id, job_id=job.id, attempt=job.attempt, progress=lambda _f, _t: None
    )
    session.refresh(task)
    services.count_all()
    return result


class TestBatch:
    def test_every_row_is_answered_once_and_in_order(
        self, deployed: Deployed, answering: list[Any], tmp_path: Path
    ) -> None:
        task = submit(deployed[0], table(tmp_path, 2500))

        result = work(task)

        assert result["rows"] == 2500
        assert [len(chunk) for chunk in answering] == [1000, 1000, 500]
        with services.result_path(task).open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [int(row["row"]) for row in rows] == list(range(1, 2501))
        assert [float(row["y"]) for row in rows] == [2 * n + 1 for n in range(1, 2501)]

    def test_bad_rows_are_named_and_the_rest_is_answered(
        self, deployed: Deployed, answering: list[Any], tmp_path: Path
    ) -> None:
        task = submit(deployed[0], table(tmp_path, 1200, bad=(1, 7, 1100)), result_format="json")

        work(task)

        rows = json.loads(services.result_path(task).read_text())
        assert [row["row"] for row in rows if "error" in row] == [1, 7, 1100]
        assert (task.n_done, task.n_bad) == (1200, 3)
        assert [number for number, _text in task.bad_rows] == [1, 7, 1100]
        assert "a: expected a" in task.bad_rows[0][1]

    def test_its_page_shows_good_and_bad_rows(
        self,
        deployed: Deployed,
        answering: list[Any],
        tmp_path: Path,
        analyst: User,
        sign_in: Callable[[User], FlaskClient],
    ) -> None:
        task = submit(deployed[0], table(tmp_path, 3, bad=(2,)))
        work(task)

        page = sign_in(analyst).get(f"/predictions/{task.public_id}")

        assert page.status_code == 200
        assert "expected a finite number" in page.text

    def test_goes_on_where_a_dead_worker_left_off(
        self,
        deployed: Deployed,
        answering: list[Any],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        task = submit(deployed[0], table(tmp_path, 3000))
        call = replicas.call

        def die_in_the_third(deployment: Deployment, records: list[Any]) -> Any:
            if records[0]["a"] > 2000:
                raise MemoryError
            return call(deployment, records)

        monkeypatch.setattr(replicas, "call", die_in_the_third)
        with pytest.raises(MemoryError):
            work(task)
        monkeypatch.setattr(replicas, "call", call)
        answering.clear()

        work(task)

        assert [chunk[0]["a"] for chunk in answering] == [2001]
        with services.result_path(task).open(newline="") as file:
            assert [int(row["row"]) for row in csv.DictReader(file)] == list(range(1, 3001))

    def test_waits_while_its_deployment_is_paused(
        self,
        deployed: Deployed,
        analyst: User,
        answering: list[Any],
        tmp_path: Path,
    ) -> None:
        deployment = deployed[0]
        task = submit(deployment, table(tmp_path, 10))
        services.pause_deployment(deployment.id, viewer=viewer_of(analyst))

        assert work(task)["state"] == "waiting"
        assert task.job_id is None
        services.start_deployment(deployment.id, viewer=viewer_of(analyst))
        session.refresh(task)
        work(task)

        assert task.state == "done"

    def test_parquet_comes_out(
        self, deployed: Deployed, answering: list[Any], tmp_path: Path
    ) -> None:
        task = submit(deployed[0], table(tmp_path, 5, bad=(2,)), result_format="parquet")

        work(task)

        found = parquet.read_table(services.result_path(task)).to_pylist()
        assert [row["y"] for row in found] == [3, None, 7, 9, 11]
        assert found[1]["error"]

    def test_is_counted_once(
        self, deployed: Deployed, answering: list[Any], tmp_path: Path
    ) -> None:
        work(submit(deployed[0], table(tmp_path, 20)))

        span = monitoring.total(queries.list_hours(deployed[0].id, hours=1))
        assert (span.n_requests, span.n_records, span.by_face) == (1, 20, {"batch": 1})
        # Nobody waits for a file as for an answer.
        assert (span.mean_ms, span.steps) == (None, {})

    @pytest.mark.parametrize(
        "content",
        ["", "a,b\n", "a\n1\n", "a,b\n1\n", "[1, 2]", "{", "PAR1", "\x00\x01"],
        ids=[
            "empty",
            "no rows",
            "column missing",
            "ragged",
            "no objects",
            "cut",
            "parquet",
            "bytes",
        ],
    )
    def test_refuses_what_is_no_table(
        self, deployed: Deployed, tmp_path: Path, content: str
    ) -> None:
        path = tmp_path / "rows"
        path.write_text(content)

        with pytest.raises(Invalid):
            submit(deployed[0], path)

        assert not list((queries.folder() / "tasks").glob("*"))

    def test_formulas_are_disarmed_in_csv(self, tmp_path: Path) -> None:
        from dashboard.serving.services.results import _cell

        assert _cell("=HYPERLINK(1)") == "'=HYPERLINK(1)"
        assert _cell(-1.5) == -1.5


class TestSingle:
    def test_a_task_of_records_is_answered(
        self, deployed: Deployed, answering: list[Any], analyst: User
    ) -> None:
        task = services.submit(deployed[0], [{"a": 1, "b": 2}], owner_id=analyst.id)

        work(task)

        rows = json.loads(services.result_path(task).read_text())
        assert rows == [{"row": 1, "outputs": {"y": 4}}]
        assert services.first_results(task, n=5) == rows

    def test_expires_with_its_files(
        self, deployed: Deployed, analyst: User, make_user: Callable[..., User]
    ) -> None:
        from datetime import timedelta

        from dashboard.core.database import utcnow

        task = services.submit(deployed[0], [{"a": 1, "b": 2}], owner_id=analyst.id)
        folder = queries.task_folder(task)
        with transaction():
            task.expires_at = utcnow() - timedelta(hours=1)

        assert services.expire_tasks() == 1
        assert not folder.exists()
        assert task.state == "expired"

    def test_a_failed_job_fails_its_task(self, deployed: Deployed, analyst: User) -> None:
        task = services.submit(deployed[0], [{"a": 1, "b": 2}], owner_id=analyst.id)
        with transaction():
            job = session.get_one(Job, task.job_id)
            job.state, job.error = JobState.FAILED, "no luck"

        assert services.settle() == 1
        session.refresh(task)
        assert (task.state, task.error) == ("failed", "no luck")


def test_chunks_are_bounded() -> None:
    assert [len(c) for c in tables.chunks(iter([{}] * 2001))] == [1000, 1000, 1]
