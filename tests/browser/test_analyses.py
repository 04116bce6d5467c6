"""Analyses in a real browser: tables dropped and checked, nine plots drawn and linked."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from dashboard.accounts.models import RoleName, User
from dashboard.analyses.models import Run, Upload
from dashboard.core.database import session
from jobs.engines.clonal import figures
from tests.browser.test_look import faults
from tests.factories import analyses
from tests.factories.analyses import NAME, make_tables
from tests.factories.portal import Visitor, violations

pytestmark = pytest.mark.browser
# A folder for pictures of the pages, to look at; none are kept otherwise.
PICTURES = os.environ.get("ATRIUM_TEST_PICTURES", "")
DROP = """([zone, files]) => {
  const transfer = new DataTransfer();
  for (const [name, text] of files) transfer.items.add(new File([text], name));
  zone.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""
# Traces of the plots by cluster; the matrix's own trace belongs to none.
TRACES = """[...document.querySelectorAll('[data-plot]')].flatMap((plot) => plot.data)
  .filter((trace) => trace.meta?.cluster !== undefined)"""
ONLY_SHOWN = f"""(cluster) => {TRACES}
  .every((trace) => (trace.meta.cluster === cluster) === ((trace.opacity ?? 1) > 0.07))"""
ALL_SHOWN = f"() => {TRACES}.every((trace) => (trace.opacity ?? 1) > 0.07)"
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def ana(make_user: Callable[..., User]) -> User:
    return make_user(RoleName.LEARNER, RoleName.ANALYST)


@pytest.fixture
def page(visitor: Visitor) -> Callable[..., Page]:
    """Opens pages on the narrowest phone, in Chinese and dark."""
    phone = {"width": 360, "height": 740, "language": "zh", "dark": True}
    return lambda path, user: visitor.open(path, user=user, **phone)  # type: ignore[arg-type]


def sound(page: Page, name: str) -> None:
    """Asserts what every page owes its readers."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
    assert violations(page) == []
    assert faults(page) == []
    assert page.evaluate(TOO_WIDE) == 0
    assert page.console_errors == []  # type: ignore[attr-defined]


class TestUpload:
    def test_sends_what_is_dropped_and_says_what_is_wrong(
        self, page: Callable[..., Page], ana: User
    ) -> None:
        opened = page("/upload", ana)
        zone = opened.locator(".drop")
        expect(zone).to_be_visible()
        sound(opened, "upload-empty")
        first, second = make_tables().values()
        files = [[f"{NAME}1.tsv", first], [f"{NAME}2.tsv", second.replace("minor_cn", "minor")]]

        with opened.expect_navigation(url="**/upload?load_id=*"):
            opened.evaluate(DROP, [zone.element_handle(), files])

        report = opened.locator("#report")
        expect(report.get_by_role("alert")).to_be_visible()
        expect(report).to_contain_text("minor_cn")
        expect(opened.locator("#analysis-form")).not_to_contain_text(NAME)
        sound(opened, "upload-checked")

    def test_starts_when_the_last_table_has_arrived(self, visitor: Visitor, ana: User) -> None:
        opened = visitor.open("/upload", user=ana)
        opened.route("**/analyses/files/*", lambda route: (time.sleep(0.3), route.continue_()))
        files = [[f"{NAME}{name}.tsv", text] for name, text in make_tables(n_samples=3).items()]

        opened.evaluate(DROP, [opened.locator(".drop").element_handle(), files])
        opened.get_by_role("button", name="Start the analysis").click()

        expect(opened.get_by_text("It goes on by itself")).to_be_visible()
        opened.wait_for_url("**/history_list?new=*")
        session.rollback()
        run = session.scalars(select(Run)).one()
        assert [sample["label"] for sample in run.samples] == ["S1", "S2", "S3"]
        assert len(session.get_one(Upload, run.upload_id).files) == 3


@pytest.fixture
def done(ana: User, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished run, without the pictures that this page does not show."""
    monkeypatch.setattr(figures, "write_figures", lambda *_arguments, **_options: [])
    return analyses.finish_run(analyses.start_run(analyses.make_upload(ana)))


def draw_all(page: Page) -> None:
    """Brings each of the nine into view and waits for it."""
    plots = page.locator("[data-plot]")
    expect(plots).to_have_count(9)
    for place in range(9):
        plots.nth(place).scroll_into_view_if_needed()
        expect(plots.nth(place).locator(".main-svg").first).to_be_visible()


class TestResult:
    def test_draws_nine_plots_on_a_phone_in_chinese_and_dark(
        self, page: Callable[..., Page], ana: User, done: Run
    ) -> None:
        opened = page(f"/Analysis_result?load_id={done.upload_id}", ana)

        draw_all(opened)

        expect(opened.get_by_role("main")).to_contain_text("簇：密度图")
        expect(opened.get_by_role("main")).not_to_contain_text(NAME)
        sound(opened, "result")

    def test_brings_out_one_cluster_in_every_plot(
        self, visitor: Visitor, ana: User, done: Run
    ) -> None:
        opened = visitor.open(f"/Analysis_result?load_id={done.upload_id}", user=ana)
        draw_all(opened)

        opened.get_by_role("button", name="Cluster 1").click()

        expect(opened.locator("[data-cluster='1']")).to_have_attribute("aria-pressed", "true")
        opened.wait_for_function(ONLY_SHOWN, arg=1)
        opened.get_by_role("button", name="All clusters").click()
        opened.wait_for_function(ALL_SHOWN)
        sound(opened, "result-desk")

    def test_sorts_the_clusters(self, visitor: Visitor, ana: User, done: Run) -> None:
        opened = visitor.open(f"/Analysis_result?load_id={done.upload_id}", user=ana)
        table = opened.locator("table[data-sortable]")
        means = table.locator("tbody tr td:nth-child(4)")
        heading = table.get_by_role("columnheader", name="Mean prevalence")

        def shown() -> list[float]:
            return [float(text) for text in means.all_inner_texts()]

        heading.get_by_role("button").click()
        expect(heading).to_have_attribute("aria-sort", re.compile("ascending|descending"))
        first = shown()
        heading.get_by_role("button").click()

        assert len(first) > 2
        assert first in (sorted(first), sorted(first, reverse=True))
        assert shown() == first[::-1]
