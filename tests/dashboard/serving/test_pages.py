"""The pages of models and deployments."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from dashboard.accounts.models import User
from dashboard.core.database import db
from dashboard.job_queue import queries as job_queue
from dashboard.job_queue.models import Job
from dashboard.serving import queries, services
from dashboard.serving.models import Deployment, Model, PredictionTask, Right
from tests.factories.browsing import fetch, post
from tests.factories.models import deploy, line_model, viewer_of

Browser = Callable[[User], FlaskClient]
Deployed = tuple[Deployment, str]


class TestModelPages:
    def test_an_empty_list_says_what_to_do(self, as_analyst: FlaskClient) -> None:
        page = as_analyst.get("/models")

        assert page.status_code == 200
        assert "/models/new" in page.text

    def test_an_upload_ends_on_the_models_page(
        self, as_analyst: FlaskClient, tmp_path: Path
    ) -> None:
        with line_model(tmp_path / "line.onnx").open("rb") as file:
            sent = post(
                as_analyst,
                "/models/new",
                data={"name": "A line", "description": "y", "file": (file, "line.onnx")},
                follow_redirects=True,
            )

        assert "A line" in sent.text
        for word in ("tensor(float)", "SHA-256", "Optype"):
            assert word in sent.text

    def test_a_refused_upload_says_why_and_keeps_what_was_typed(
        self, as_analyst: FlaskClient, tmp_path: Path
    ) -> None:
        (tmp_path / "x.onnx").write_bytes(b"\x80\x04\x95")
        with (tmp_path / "x.onnx").open("rb") as file:
            sent = post(as_analyst, "/models/new", data={"name": "Kept", "file": (file, "x.onnx")})

        assert "pickle" in sent.text
        assert 'value="Kept"' in sent.text

    def test_an_upload_without_a_file_says_so(self, as_analyst: FlaskClient) -> None:
        assert "Choose a file first." in post(as_analyst, "/models/new", data={"name": "x"}).text

    def test_others_find_nothing(
        self, line: Model, deployed: Deployed, other: User, browser_of: Browser
    ) -> None:
        client = browser_of(other)
        deployment = deployed[0]

        for path in (
            *(f"/models/{line.id}{rest}" for rest in ("", "/edit", "/test", "/deploy", "/delete")),
            f"/models/{line.id}/versions/1/file",
            *(
                f"/deployments/{deployment.id}{rest}"
                for rest in ("", "/test", "/settings", "/state")
            ),
            f"/deployments/{deployment.id}/tasks",
        ):
            assert client.get(path).status_code == 404, path
        assert "No models yet" in client.get("/models").text

    def test_the_file_comes_back_as_it_was(
        self, line: Model, analyst: User, browser_of: Browser
    ) -> None:
        answer = fetch(browser_of(analyst), f"/models/{line.id}/versions/1/file")

        assert answer.data == queries.path_of(line.newest).read_bytes()
        assert "attachment" in answer.headers["Content-Disposition"]

    def test_editing_saves(self, line: Model, analyst: User, browser_of: Browser) -> None:
        post(
            browser_of(analyst),
            f"/models/{line.id}/edit",
            data={"name": "renamed", "description": "<b>bold</b>"},
        )

        page = browser_of(analyst).get(f"/models/{line.id}").text
        assert "renamed" in page
        assert "&lt;b&gt;bold" in page

    def test_deleting_asks_first(self, line: Model, analyst: User, browser_of: Browser) -> None:
        client, page = browser_of(analyst), f"/models/{line.id}"

        assert client.get(f"{page}/delete").status_code == 200
        assert post(client, f"{page}/delete").status_code == 302
        assert client.get(page).status_code == 404


class TestTestPage:
    @pytest.mark.parametrize(
        "given",
        [
            {"way": "form", "field-0": "1.5", "field-1": "2"},
            {"way": "json", "records": '[{"a": 1.5, "b": 2}]'},
            {"way": "json", "records": '{"columns": ["a", "b"], "data": [[1.5, 2]]}'},
        ],
        ids=["form", "records", "split"],
    )
    def test_answers(
        self, line: Model, analyst: User, browser_of: Browser, given: dict[str, Any]
    ) -> None:
        page = post(browser_of(analyst), f"/models/{line.id}/test", data=given)

        assert page.status_code == 200
        assert "5.0" in page.text

    def test_a_file_is_answered_row_by_row(
        self, line: Model, analyst: User, browser_of: Browser, tmp_path: Path
    ) -> None:
        (tmp_path / "rows.csv").write_text("a,b,other\n1,1,x\n2,2,y\n")
        with (tmp_path / "rows.csv").open("rb") as file:
            page = post(
                browser_of(analyst),
                f"/models/{line.id}/test",
                data={"way": "file", "file": (file, "rows.csv")},
            )

        assert "3.0" in page.text
        assert "6.0" in page.text

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"way": "form", "field-0": "abc", "field-1": "1"}, "a"),
            ({"way": "form", "field-0": "1", "field-1": ""}, "b"),
            ({"way": "json", "records": '[{"a": 1, "b": 1, "c": 1}]'}, "c"),
            ({"way": "json", "records": "[{]"}, "records"),
            ({"way": "json", "records": '[{"a": NaN, "b": 1}]'}, "a"),
        ],
        ids=["type", "missing", "name", "no json", "nan"],
    )
    def test_wrong_input_is_named(
        self, line: Model, analyst: User, browser_of: Browser, given: dict[str, str], field: str
    ) -> None:
        page = post(browser_of(analyst), f"/models/{line.id}/test", data=given)

        assert page.status_code == 200
        assert f"<code>{field}</code>" in page.text

    def test_a_script_prepares(self, line: Model, analyst: User, browser_of: Browser) -> None:
        script = "def prepare(record):\n    return {'a': record['x'] * 10, 'b': 0}"

        page = post(
            browser_of(analyst),
            f"/models/{line.id}/test",
            data={"way": "json", "records": '[{"x": 2}]', "script": script},
        )

        assert "40.0" in page.text


class TestDeploymentPages:
    def test_deploying_shows_the_token_once(
        self, line: Model, analyst: User, browser_of: Browser
    ) -> None:
        client = browser_of(analyst)
        form = {"name": "line-1", "version": "1", "replicas": "1", "cpus": "0.1"}
        form |= {"memory_mb": "128", "timeout_s": "5"}

        first = post(client, f"/models/{line.id}/deploy", data=form, follow_redirects=True).text
        again = client.get("/deployments/1").text

        assert "atd_" in first
        assert "atd_" not in again
        assert services.hash_of(first.split('<code class="text-break">')[1].split("<")[0]) == (
            queries.list_all_deployments()[0].token_hash
        )

    def test_what_a_script_made_of_the_sample_is_shown(
        self, line: Model, analyst: User, browser_of: Browser
    ) -> None:
        script = "def prepare(record):\n    return {**record, 'a': 77.5}"
        deployment, _token = deploy(line, analyst, script=script)

        page = browser_of(analyst).get(f"/deployments/{deployment.id}").text

        assert "prepare(record)" in page
        assert "77.5" in page

    def test_too_much_is_refused_with_what_is_free(
        self, line: Model, analyst: User, browser_of: Browser
    ) -> None:
        form = {"name": "big", "version": "1", "replicas": "16", "cpus": "64", "memory_mb": "128"}

        page = post(
            browser_of(analyst), f"/models/{line.id}/deploy", data={**form, "timeout_s": "5"}
        )

        assert page.status_code == 200
        assert "are free" in page.text

    def test_pause_and_start(self, deployed: Deployed, analyst: User, browser_of: Browser) -> None:
        client, deployment = browser_of(analyst), deployed[0]

        assert (
            "Paused"
            in post(client, f"/deployments/{deployment.id}/pause", follow_redirects=True).text
        )
        assert (
            "Starting"
            in post(client, f"/deployments/{deployment.id}/start", follow_redirects=True).text
        )

    def test_a_call_answers_and_is_counted(
        self, deployed: Deployed, analyst: User, browser_of: Browser, answering: list[Any]
    ) -> None:
        client, deployment = browser_of(analyst), deployed[0]

        page = post(
            client,
            f"/deployments/{deployment.id}/test",
            data={"way": "json", "records": '[{"a": 1, "b": 1}]'},
        )
        services.count_all()

        assert ">3<" in page.text
        assert "plotly" in client.get(f"/deployments/{deployment.id}?span=week").text

    @pytest.mark.parametrize("page", ["/predictions", "/predictions/{task}"])
    def test_a_task_that_ends_while_its_page_is_made_does_not_seem_to_run(
        self,
        deployed: Deployed,
        analyst: User,
        browser_of: Browser,
        monkeypatch: pytest.MonkeyPatch,
        page: str,
    ) -> None:
        task = services.submit(deployed[0], [{"a": 1, "b": 1}], owner_id=analyst.id)
        read = job_queue.list_jobs

        def end_and_read(ids: list[int], viewer: job_queue.Viewer) -> list[Job]:
            # By another connection, as its worker would.
            with db.engine.begin() as connection:
                for row, state in ((PredictionTask, "cancelled"), (Job, "cancelled")):
                    connection.execute(update(row).values(state=state))
            return read(ids, viewer)

        monkeypatch.setattr(job_queue, "list_jobs", end_and_read)
        text = browser_of(analyst).get(page.format(task=task.public_id)).text

        assert 'data-job-state="cancelled"' in text
        assert "Cancelled</span>" in text
        assert "Queued</span>" not in text

    def test_every_page_obeys_the_policy(
        self, deployed: Deployed, line: Model, analyst: User, browser_of: Browser
    ) -> None:
        from tests.factories.dashboard import BLOCKED

        client, deployment = browser_of(analyst), deployed[0]
        task = services.submit(deployment, [{"a": 1, "b": 1}], owner_id=analyst.id)
        for path in (
            *("/models", "/models/new", "/models/train", "/deployments", "/predictions"),
            *(f"/models/{line.id}{rest}" for rest in ("", "/edit", "/test", "/deploy", "/delete")),
            f"/models/{line.id}/versions",
            *(f"/deployments/{deployment.id}{r}" for r in ("", "/test", "/settings", "/delete")),
            f"/deployments/{deployment.id}/tasks",
            f"/predictions/{task.public_id}",
        ):
            page = client.get(path)
            assert page.status_code == 200, path
            assert not BLOCKED.search(page.text), path

    def test_chinese_pages_speak_chinese(
        self, deployed: Deployed, analyst: User, browser_of: Browser
    ) -> None:
        page = browser_of(analyst).get("/deployments", headers={"Accept-Language": "zh"})

        assert "部署" in page.text


def test_sharing_from_the_page(
    line: Model, analyst: User, other: User, browser_of: Browser
) -> None:
    post(
        browser_of(analyst),
        f"/models/{line.id}/share",
        data={"identity": other.user_name, "right": "use"},
    )

    assert browser_of(other).get(f"/models/{line.id}").status_code == 200
    assert browser_of(other).get(f"/models/{line.id}/edit").status_code == 403
    assert queries.may(viewer_of(other), line, Right.USE)
