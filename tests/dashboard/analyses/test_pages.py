"""The pages: a whole analysis by plain forms, masks everywhere, nothing for others."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from dashboard.accounts.models import RoleName, User
from dashboard.analyses import queries, services
from dashboard.analyses.models import Run, Upload
from dashboard.audit.models import AuditEntry
from dashboard.core.database import session
from dashboard.job_queue.queries import Viewer
from tests.factories.analyses import NAME, make_tables

TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


@pytest.fixture
def page(ana: User, sign_in: Callable[[User], FlaskClient]) -> FlaskClient:
    return sign_in(ana)


def post(client: FlaskClient, path: str, **fields: Any) -> TestResponse:
    token = TOKEN.search(client.get("/jobs").text)
    assert token
    fields["csrf_token"] = token[1]
    return client.post(path, data=fields, content_type="multipart/form-data")


def files(*, prefix: str = "") -> list[tuple[io.BytesIO, str]]:
    return [
        (io.BytesIO(text.encode()), f"{prefix}{name}.tsv") for name, text in make_tables().items()
    ]


class TestUpload:
    def test_checks_and_starts_by_a_plain_form(self, page: FlaskClient, viewer: Viewer) -> None:
        sent = post(
            page,
            "/upload",
            files=files(prefix=NAME),
            patient_name=NAME,
            patient_age="43",
            density="binomial",
            prior="major_copy_number",
            action="check",
        )
        assert sent.status_code == 302
        form = page.get(sent.location).text
        upload = queries.page_of_entries(viewer).items[0].upload

        started = post(
            page,
            "/upload",
            load_id=upload.id,
            density="binomial",
            prior="major_copy_number",
            label_0="before",
            label_1="after",
            tumour_content_0="80%",
            tumour_content_1="0,7",
            action="start",
        )

        assert "欧**娜" in form and "40–49" in form
        assert NAME not in form and 'value="43"' not in form
        assert started.location == f"/history_list?new={upload.id}"
        entry = queries.get_entry(upload.id, viewer)
        assert entry.run is not None
        assert services.patient_of(entry.upload) == (NAME, 43)
        assert [each["tumour_content"] for each in entry.run.samples] == [0.8, 0.7]
        assert entry.run.parameters["density"] == "binomial"
        assert "row-new" in page.get(started.location).text

    def test_forgets_the_patient_when_asked_to(
        self, page: FlaskClient, upload: Upload, viewer: Viewer
    ) -> None:
        options = {"density": "binomial", "prior": "major_copy_number"}

        post(page, "/upload", load_id=upload.id, forget_patient="y", **options)

        entry = queries.get_entry(upload.id, viewer)
        assert services.patient_of(entry.upload) == ("", None)
        assert (entry.upload.name_mask, entry.upload.age_band) == ("", "")

    def test_shows_problems_and_keeps_the_form(self, page: FlaskClient) -> None:
        broken = make_tables()["S1"].replace("minor_cn", "minor")

        sent = post(
            page,
            "/upload",
            files=[(io.BytesIO(broken.encode()), "a.tsv")],
            patient_name=NAME,
            density="beta-binomial",
            prior="major_copy_number",
            action="start",
        )
        shown = page.get(sent.location).text

        assert "the column minor_cn is missing" in shown
        assert 'placeholder="欧**娜"' in shown

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"patient_age": "old"}, "Not a valid integer"),
            ({"patient_age": "200"}, "from 0 to 130"),
            ({"label_0": NAME, "label_1": "b"}, "must not contain the patient"),
            ({"label_0": "a", "label_1": "A"}, "a label of its own"),
            ({"label_0": "a", "label_1": "b", "tumour_content_0": "x"}, "is not a number"),
            ({"label_0": "a", "label_1": "b", "tumour_content_0": "2"}, "more than 0"),
            ({"clusters": "0"}, "between 1 and 1000"),
        ],
        ids=str,
    )
    def test_says_what_is_wrong_with_the_form(
        self, page: FlaskClient, upload: Upload, fields: dict[str, str], told: str
    ) -> None:
        options = {"density": "binomial", "prior": "major_copy_number", "patient_name": NAME}

        answer = post(page, "/upload", load_id=upload.id, **{**options, **fields})

        assert answer.status_code == 422
        assert told in answer.text.replace("&#39;", "'")

    def test_refuses_files_of_another_kind(self, page: FlaskClient) -> None:
        answer = post(page, "/upload", files=[(io.BytesIO(b"x"), "a.exe")], action="check")

        assert answer.status_code == 422
        assert "Mutation tables end in .tsv" in answer.text

    def test_escapes_what_is_in_a_table(self, page: FlaskClient, upload: Upload) -> None:
        text = make_tables()["S1"].replace("\nm00\t", "\n<img src=x onerror=alert(1)>\t")
        sent = post(
            page,
            "/upload",
            files=[(io.BytesIO((text + text.splitlines()[1] + "\n").encode()), "a.tsv")],
            density="binomial",
            prior="major_copy_number",
            action="check",
        )

        assert "<img src=x" not in page.get(sent.location).text

    def test_does_not_start_without_a_table_that_is_on_its_way(
        self, page: FlaskClient, upload: Upload, viewer: Viewer
    ) -> None:
        services.begin_file(upload.id, viewer=viewer, name="S3.tsv", size_bytes=100)
        options = {"density": "binomial", "prior": "major_copy_number", "action": "start"}

        answer = post(page, "/upload", load_id=upload.id, **options)

        assert answer.location == f"/upload?load_id={upload.id}"
        assert "A table is still missing" in page.get(answer.location).text
        assert queries.find_latest_run(upload.id) is None

    def test_answers_programs_in_json(self, page: FlaskClient, upload: Upload) -> None:
        json = {"Accept": "application/json"}

        assert page.get("/upload", headers=json).json["max_files"] == 50
        found = page.get(f"/upload?load_id={upload.id}", headers=json).json
        assert found["preflight"]["good"] is True
        assert NAME not in str(found)


class TestHistory:
    def test_finds_by_name_sample_state_and_day(self, page: FlaskClient, upload: Upload) -> None:
        def n_found(query: str) -> int:
            answer = page.get(f"/history_list?{query}", headers={"Accept": "application/json"})
            return int(answer.json["total"])

        assert n_found("") == 1
        assert [n_found(f"name={text}") for text in ("欧娜", "小", "王", "%25", "_")] == [
            1,
            1,
            0,
            0,
            0,
        ]
        assert [n_found(f"sample={text}") for text in ("s1", "S3")] == [1, 0]
        assert [n_found(f"state={text}") for text in ("uploaded", "done")] == [1, 0]
        assert [n_found(query) for query in ("from=2000-01-01", "to=2000-01-01")] == [1, 0]
        assert n_found("from=nonsense&state=odd&page=99999999") == 1

    def test_keeps_the_name_that_is_looked_for_out_of_addresses(
        self,
        page: FlaskClient,
        upload: Upload,
        make_user: Callable[..., User],
        sign_in: Callable[[User], FlaskClient],
    ) -> None:
        asked = post(page, "/history_list", name="欧娜", state="uploaded")
        program = {"Accept": "application/json"}

        assert asked.status_code == 303
        assert "who=" in asked.location and "name=" not in asked.location
        assert 'value="欧娜"' in page.get(asked.location).text
        assert page.get(asked.location, headers=program).json["total"] == 1
        other = sign_in(make_user(RoleName.LEARNER, RoleName.ANALYST))
        assert "欧娜" not in other.get(asked.location).text

    def test_has_the_other_spelling(self, page: FlaskClient) -> None:
        answer = page.get("/historylist?state=done&_external=1")

        assert (answer.status_code, answer.location) == (
            308,
            "/history_list?state=done&_external=1",
        )

    def test_shows_administrators_masks_and_no_names_to_search(
        self, as_admin: FlaskClient, upload: Upload
    ) -> None:
        shown = as_admin.get("/history_list").text

        assert "欧**娜" in shown and NAME not in shown
        found = as_admin.get("/history_list?name=欧", headers={"Accept": "application/json"})
        assert found.json["total"] == 0


class TestResult:
    def test_shows_nine_plots_and_the_cluster_table(self, page: FlaskClient, done: Run) -> None:
        shown = page.get(f"/Analysis_result?load_id={done.upload_id}").text

        assert shown.count('data-island="Chart"') == 9
        assert "data-sortable" in shown
        assert NAME not in shown and "欧**娜" in shown

    @pytest.mark.parametrize("name", ["load_id", "upfile_id", "file_id"])
    def test_takes_each_name_of_the_id_and_lists_addresses(
        self, page: FlaskClient, done: Run, name: str
    ) -> None:
        answer = page.get(
            f"/Analysis_result?{name}={done.upload_id}", headers={"Accept": "application/json"}
        ).json

        assert len(answer["plots"]) == 9
        for address in (answer["tables"]["loci"], answer["recipe"]):
            assert page.get(address).status_code == 200

    def test_has_the_lower_case_alias(self, page: FlaskClient) -> None:
        answer = page.get("/analysis_result?load_id=3")

        assert (answer.status_code, answer.location) == (308, "/Analysis_result?load_id=3")

    @pytest.mark.parametrize("query", ["", "load_id=", "load_id=0", "load_id=x", "load_id=9e9"])
    def test_knows_nothing_else(self, page: FlaskClient, query: str) -> None:
        assert page.get(f"/Analysis_result?{query}").status_code == 404

    def test_is_hidden_from_other_analysts(
        self, as_analyst: FlaskClient, as_admin: FlaskClient, done: Run
    ) -> None:
        parts = ["plots/cluster/scatter.json", "tables/loci.tsv", "recipe.json"]
        addresses = [f"/analyses/runs/{done.id}/{part}" for part in parts]
        addresses.append(f"/Analysis_result?load_id={done.upload_id}")

        assert {as_analyst.get(address).status_code for address in addresses} == {404}
        assert {as_admin.get(address).status_code for address in addresses} == {200}

    def test_gives_a_plot_in_every_form(self, page: FlaskClient, done: Run) -> None:
        begin = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "json": b"{", "tsv": b"sample"}

        for form, head in begin.items():
            answer = page.get(f"/analyses/runs/{done.id}/plots/cluster/scatter.{form}")
            assert answer.data.startswith(head), form
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'")
            # Safari shows no PDF in a sandbox.
            assert ("sandbox" in policy) is (form != "pdf")
        assert page.get(f"/analyses/runs/{done.id}/plots/cluster/x.svg").status_code == 404
        assert page.get(f"/analyses/runs/{done.id}/report.pdf").data.startswith(b"%PDF")

    def test_speaks_chinese(self, page: FlaskClient, done: Run) -> None:
        zh = {"Accept-Language": "zh-CN"}
        shown = page.get(f"/Analysis_result?load_id={done.upload_id}", headers=zh).text

        assert "已完成" in shown and "簇：密度图" in shown and "复现" in shown
        assert "主拷贝数" in shown and "major_copy_number" not in shown


class TestReveal:
    def test_shows_the_owner_for_a_noted_reason(
        self, page: FlaskClient, upload: Upload, done: Run
    ) -> None:
        shown = post(page, f"/analyses/{upload.id}/reveal", reason="call from the ward")

        assert NAME in shown.text and f"{NAME}_S1.tsv" in shown.text
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "analysis.reveal")
        ).one()
        assert entry.summary == "call from the ward"
        assert NAME not in page.get(f"/Analysis_result?load_id={upload.id}").text

    @pytest.mark.parametrize("reason", ["", "x", f"about {NAME}"])
    def test_wants_a_reason_without_the_name(
        self, page: FlaskClient, upload: Upload, done: Run, reason: str
    ) -> None:
        answer = post(page, f"/analyses/{upload.id}/reveal", reason=reason)

        assert answer.status_code == 302
        assert len(queries.list_reveals(upload.id)) == 0

    def test_is_refused_to_administrators(
        self, as_admin: FlaskClient, as_analyst: FlaskClient, upload: Upload
    ) -> None:
        path = f"/analyses/{upload.id}/reveal"

        assert post(as_admin, path, reason="curious today").status_code == 403
        assert post(as_analyst, path, reason="curious today").status_code == 404


class TestSharing:
    def test_shows_strangers_a_masked_result_until_it_is_taken_back(
        self, app: Flask, page: FlaskClient, client: FlaskClient, done: Run
    ) -> None:
        shown = post(page, f"/analyses/runs/{done.id}/share").text
        found = re.search(r"/shared/([\w-]{32})", shown)
        assert found
        address = found[0]

        seen = client.get(address)
        assert seen.status_code == 200
        assert "欧**娜" in seen.text and NAME not in seen.text and "second opinion" not in seen.text
        assert client.get(f"{address}/tables/loci.tsv").status_code == 200
        assert client.get(f"{address}/plots/loci/scatter.json").status_code == 200
        assert found[1] not in str(queries.list_links(done.id)[0].token_sha256)

        post(page, f"/analyses/links/{queries.list_links(done.id)[0].id}/revoke")
        assert client.get(address).status_code == 404
        assert client.get(f"{address}/tables/loci.tsv").status_code == 404

    def test_is_for_the_owner(self, as_admin: FlaskClient, done: Run) -> None:
        assert post(as_admin, f"/analyses/runs/{done.id}/share").status_code == 403


class TestCompare:
    def test_puts_two_runs_side_by_side(
        self,
        page: FlaskClient,
        done: Run,
        viewer: Viewer,
        finish: Callable[..., Run],
    ) -> None:
        other = finish(services.reproduce_analysis(done.id, viewer=viewer))

        shown = page.get(f"/analyses/compare?first={done.id}&second={other.id}").text

        assert "1.000" in shown
        assert "Major copy number" in shown and "major_copy_number" not in shown
        assert "Identical" in page.get(f"/Analysis_result?load_id={done.upload_id}").text


class TestSeen:
    def test_takes_the_mark_of_a_new_result_away(
        self, page: FlaskClient, as_admin: FlaskClient, done: Run, ana: User
    ) -> None:
        assert "Completed since you last looked: 1" in page.get("/workspace").text

        post(as_admin, f"/analyses/runs/{done.id}/seen")
        assert queries.count_unseen(ana.id) == 1
        post(page, f"/analyses/runs/{done.id}/seen")
        assert queries.count_unseen(ana.id) == 0


class TestNotice:
    def test_leads_to_the_result(self, page: FlaskClient, done: Run) -> None:
        answer = post(page, f"/notices/{done.job_id}")

        assert answer.location == f"/Analysis_result?load_id={done.upload_id}&run={done.id}"
        assert page.get(answer.location).status_code == 200


class TestSample:
    def test_is_ready_to_run(self, page: FlaskClient, viewer: Viewer) -> None:
        answer = post(page, "/upload/sample")

        entry = queries.page_of_entries(viewer).items[0]
        assert answer.location == f"/history_list?new={entry.upload.id}"
        assert entry.active and entry.upload.is_good and entry.upload.is_sample_data
        assert [sample["tumour_content"] for sample in entry.upload.samples] == [0.8, 0.65, 0.5]
        assert entry.upload.preflight is not None and entry.upload.preflight["n_warnings"] == 0
