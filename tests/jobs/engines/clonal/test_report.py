"""The report as a PDF."""

import io

import pytest
from pypdf import PdfReader

from jobs.engines.clonal import Clustering, ClusteringConfig, canvas, cluster, report
from tests.jobs.engines.clonal.tables import make_table

RECIPE = {
    "engine": "builtin",
    "engine_version": "1.0",
    "inputs": [{"name": "S1.tsv", "sha256": "ab" * 32, "size_bytes": 9}],
    "parameters": {"clusters": 40, "seed": 1},
    "libraries": {"numpy": "2.4"},
}


@pytest.fixture(scope="module")
def result() -> Clustering:
    rows = [[(80, 20) if row % 2 else (55, 45)] * 2 for row in range(20)]
    return cluster(make_table(rows), ClusteringConfig(restarts=1, precision=200, clusters=4))


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


class TestReportPdf:
    def test_holds_summary_recipe_nine_plots_and_table(self, result: Clustering) -> None:
        pdf = report.report_pdf(result, RECIPE, facts=[("Patient", "王**")])

        found = pages(pdf)
        assert len(found) == 11
        assert "ab" * 20 in found[0].replace("\n", "").replace(" ", "")
        assert "clusters = 40" in found[0]
        assert "Loci: similarity matrix" in "".join(found)
        assert "Mean" in found[-1]

    @pytest.mark.skipif(canvas.chinese_font() is None, reason="no Chinese font is installed")
    def test_holds_chinese_that_can_be_read_out(self, result: Clustering) -> None:
        found = pages(report.report_pdf(result, RECIPE, language="zh", title="张** 的报告"))

        assert "张** 的报告" in found[0]
        assert "摘要" in found[0]
        assert "簇表" in found[-1]
