"""The preflight check as the portal stores and says it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from dashboard.accounts.models import User
from dashboard.analyses import labels, queries, services
from dashboard.analyses.models import Upload
from dashboard.analyses.services import checking
from dashboard.core.errors import Conflict, Invalid
from dashboard.job_queue.queries import Viewer
from jobs.engines import clonal
from jobs.engines.clonal import TEXTS
from jobs.engines.clonal.headers import GB_HINT, SEPARATOR_HINTS, UTF_16_HINT
from jobs.engines.clonal.similar_ids import CAUSES
from tests.factories.analyses import make_tables
from tests.factories.shared_data import shared_data

ACCEPTED = {
    *("ok_baseline", "extra_columns", "crlf", "utf8_bom", "float_count_100.0", "zero_depth"),
    *("alt_counts_header", "one_mutation", "html_in_id", "major_zero", "no_common_with_baseline"),
}


def invalid_files() -> list[str]:
    names = "ok_baseline extra_columns crlf utf8_bom float_count_100.0 float_count_100.5 text_count"
    names += " blank_count negative_var zero_depth duplicate_mutation minor_gt_major major_zero"
    names += " normal_zero missing_major_cn comma_separated alt_counts_header header_only empty"
    names += " one_mutation no_common_with_baseline html_in_id latin1 binary"
    return names.split()


class TestLabels:
    def test_are_the_sentences_of_the_engine(self, app: Flask) -> None:
        with app.test_request_context(headers={"Accept-Language": "en"}):
            ours = {rule: tuple(map(str, texts)) for rule, texts in labels.RULES.items()}

        assert ours == {rule: (text.message, text.fix) for rule, text in TEXTS.items()}

    def test_have_a_translation_for_every_part(self, app: Flask) -> None:
        engine = {*CAUSES, *SEPARATOR_HINTS.values(), UTF_16_HINT, GB_HINT}

        assert engine <= labels.PARTS.keys()

    def test_speak_chinese_to_the_end(
        self, app: Flask, ana: User, viewer: Viewer, put: Callable[..., None]
    ) -> None:
        upload = services.create_upload(owner_id=ana.id)
        put(upload, "a.tsv", "mutation_id,ref_counts\nm1,3\n")
        report = services.check_upload(upload.id, viewer=viewer).preflight or {}

        with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
            fix = labels.findings(report["problems"])[0].fix

        assert "逗号" in fix and "tabs" not in fix


class TestCheckUpload:
    def test_judges_every_malformed_file(
        self, ana: User, viewer: Viewer, put: Callable[..., None]
    ) -> None:
        for name in invalid_files():
            upload = services.create_upload(owner_id=ana.id)
            put(upload, f"{name}.tsv", shared_data(f"clonal/invalid/{name}.tsv").read_bytes())

            report = services.check_upload(upload.id, viewer=viewer).preflight

            assert report is not None
            assert report["good"] is (name in ACCEPTED), name
            if not report["good"]:
                first = labels.findings(report["problems"])[0]
                assert first.message and first.fix, name
                assert report["repairable"] is bool(services.repaired(upload).files), name
                with pytest.raises(Invalid):
                    services.start_analysis(upload.id, viewer=viewer, parameters={})
                assert queries.find_latest_run(upload.id) is None, name

    def test_says_why_samples_have_nothing_in_common(
        self, ana: User, viewer: Viewer, put: Callable[..., None]
    ) -> None:
        upload = services.create_upload(owner_id=ana.id)
        for name in ("ok_baseline", "no_common_with_baseline"):
            put(upload, f"{name}.tsv", shared_data(f"clonal/invalid/{name}.tsv").read_bytes())

        report = services.check_upload(upload.id, viewer=viewer).preflight

        assert report is not None
        assert [each["rule"] for each in report["problems"]] == ["no_common"]
        assert report["overlap"]["in_all"] == 0

    def test_names_no_file_by_what_its_sender_called_it(self, upload: Upload) -> None:
        assert "欧阳" not in str(upload.preflight)
        assert upload.labels == ["S1", "S2"]

    def test_calls_the_samples_of_one_table_neutrally(
        self, ana: User, viewer: Viewer, put: Callable[..., None]
    ) -> None:
        made = clonal.simulate(clonal.Experiment(n_mutations=10, n_samples=2, n_clusters=2))
        text = clonal.long_tsv(made.table).replace("\tS1\t", "\t张三\t")
        upload = services.create_upload(owner_id=ana.id)
        put(upload, "all.tsv", text)

        upload = services.check_upload(upload.id, viewer=viewer)

        assert upload.labels == ["S1", "S2"]
        assert upload.preflight is not None and upload.preflight["good"]
        assert "张三" not in str(upload.preflight) + str(upload.samples)

    def test_is_made_again_when_a_table_arrives_meanwhile(
        self,
        monkeypatch: pytest.MonkeyPatch,
        ana: User,
        viewer: Viewer,
        put: Callable[..., None],
    ) -> None:
        first, second = make_tables().values()
        upload = services.create_upload(owner_id=ana.id)
        put(upload, "a.tsv", first)
        look_into = checking.look_into

        def slow_look(upload: Upload, **options: Any) -> Any:
            checked = look_into(upload, **options)
            if len(upload.files) == 1:
                put(upload, "b.tsv", second)
            return checked

        monkeypatch.setattr(checking, "look_into", slow_look)

        upload = services.check_upload(upload.id, viewer=viewer)

        assert upload.labels == ["S1", "S2"]
        assert upload.preflight is not None
        assert upload.preflight["overlap"]["samples"] == ["S1", "S2"]

    @pytest.mark.parametrize("name", ["张三, 李四", "张三" * 60])
    def test_knows_a_sample_by_a_name_with_commas_or_cut_short(
        self, ana: User, viewer: Viewer, put: Callable[..., None], name: str
    ) -> None:
        head = "mutation_id\tsample_id\tref_counts\talt_counts\tmajor_cn\tminor_cn\tnormal_cn"
        row = f"m1\t{name}\t9\t1\t1\t1\t2\n"
        upload = services.create_upload(owner_id=ana.id)
        put(upload, "a.tsv", f"{head}\n{row}{row}m1\tother\t9\t1\t1\t1\t2\n")

        report = services.check_upload(upload.id, viewer=viewer).preflight

        assert report is not None
        assert report["problems"][0]["details"]["sample"] in report["overlap"]["samples"]
        assert "张三" not in str(report)

    def test_names_no_sample_of_a_table_in_what_is_stored(
        self, ana: User, viewer: Viewer, put: Callable[..., None]
    ) -> None:
        head = "mutation_id\tsample_id\tref_counts\talt_counts\tmajor_cn\tminor_cn\tnormal_cn"
        upload = services.create_upload(owner_id=ana.id)
        put(upload, "a.tsv", f"{head}\nm1\t张三\t9\t1\t0\t0\t2\nm1\t李四\t9\t1\t1\t1\t2\n")

        report = services.check_upload(upload.id, viewer=viewer).preflight

        assert report is not None
        assert "has none at all" in report["problems"][0]["details"]["cause"]
        assert "张三" not in str(report) and "李四" not in str(report)

    def test_wants_a_table(self, ana: User, viewer: Viewer) -> None:
        upload = services.create_upload(owner_id=ana.id)

        with pytest.raises(Conflict):
            services.check_upload(upload.id, viewer=viewer)

    def test_keeps_labels_when_a_table_is_added(
        self, upload: Upload, viewer: Viewer, put: Callable[..., None]
    ) -> None:
        services.describe_upload(
            upload.id,
            viewer=viewer,
            patient_name="",
            patient_age=None,
            note="",
            labels=["before", "after"],
        )
        put(upload, "third.tsv", Path(shared_data("clonal/invalid/ok_baseline.tsv")).read_bytes())

        assert services.check_upload(upload.id, viewer=viewer).labels == ["before", "after", "S1"]


class TestRepaired:
    def test_leaves_out_what_breaks_a_rule(
        self, ana: User, viewer: Viewer, put: Callable[..., None]
    ) -> None:
        upload = services.create_upload(owner_id=ana.id)
        put(
            upload,
            "x.tsv",
            shared_data("clonal/invalid/minor_gt_major.tsv").read_bytes(),
        )
        upload = services.check_upload(upload.id, viewer=viewer)

        files = services.repaired(upload).files

        assert list(files) == ["S1.tsv"]
        again = services.create_upload(owner_id=ana.id)
        put(again, "S1.tsv", files["S1.tsv"])
        assert services.check_upload(again.id, viewer=viewer).is_good
