"""An analyst from a table with faults to a result that she compares, reproduces, shares and takes back.

Domains: analyses, job queue, accounts.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.factories.analyses import NAME, make_tables
from tests.factories.demo import DemoPortal

# A run is a process of its own, and draws nine pictures.
RUN_MS = 60_000


@pytest.fixture
def desk(browser: Browser, demo: DemoPortal) -> Iterator[Page]:
    """The analyst's computer."""
    context = demo.context(browser, width=1280, language="en", dark=False)
    page = context.new_page()
    demo.sign_in(page, "analyst")
    yield page
    context.close()


@pytest.fixture
def stranger(browser: Browser, demo: DemoPortal) -> Iterator[Page]:
    """Somebody without an account, who was sent a link."""
    context = demo.context(browser, width=390, language="zh", dark=True)
    yield context.new_page()
    context.close()


def drop(page: Page, files: list[Path]) -> None:
    """Choose tables on the form of a new analysis, and wait for what the check says."""
    page.goto("/upload")
    page.locator(".drop input[type=file]").set_input_files(files)
    expect(page.locator("#report")).to_be_visible()


def open_when_done(page: Page) -> None:
    """Wait on the history for the end of the analysis on top, and open its result."""
    expect(page).to_have_url(re.compile("history_list"))
    top = page.get_by_role("table").get_by_role("row").nth(1)
    expect(top).to_contain_text("Completed", timeout=RUN_MS)
    top.get_by_role("link", name="Open").click()


def faulty_tables(folder: Path) -> list[Path]:
    """Two tables; a row of the second has more minor than major copies."""
    first, second = make_tables().values()
    lines = second.splitlines()
    cells = dict(zip(lines[0].split("\t"), lines[3].split("\t"), strict=True))
    lines[3] = "\t".join({**cells, "minor_cn": "9"}.values())
    paths = [folder / f"{NAME}_{number}.tsv" for number in (1, 2)]
    paths[0].write_text(first, encoding="utf-8")
    paths[1].write_text("\n".join([*lines, ""]), encoding="utf-8")
    return paths


def test_repairs_runs_compares_reproduces_and_shares(
    desk: Page, stranger: Page, tmp_path: Path
) -> None:
    drop(desk, faulty_tables(tmp_path))
    report = desk.locator("#report")
    expect(report.get_by_role("alert")).to_contain_text("1")
    expect(report.get_by_role("row").nth(1)).to_contain_text("minor_cn")
    with desk.expect_download() as download:
        report.get_by_role("link", name="Download repaired tables").click()
    zipfile.ZipFile(download.value.path()).extractall(tmp_path / "repaired")

    drop(desk, sorted((tmp_path / "repaired").glob("*.tsv")))
    expect(report).to_contain_text("19 of 19 mutations can be used")
    desk.get_by_label("Patient's name").fill(NAME)
    desk.get_by_text("Options of the engine").click()
    desk.get_by_label("Restarts").fill("1")
    desk.get_by_role("button", name="Start the analysis").click()
    open_when_done(desk)
    expect(desk.locator("[data-plot]")).to_have_count(9)
    expect(desk.get_by_role("main")).to_contain_text("欧**娜")
    expect(desk.get_by_role("main")).not_to_contain_text(NAME)

    desk.get_by_role("button", name="Reproduce").click()
    open_when_done(desk)
    expect(desk.get_by_text("Identical")).to_be_visible()
    desk.locator("#second").select_option(index=0)
    desk.get_by_role("button", name="Compare").click()
    expect(desk.get_by_role("main")).to_contain_text("1.000")

    desk.go_back()
    desk.get_by_role("button", name="Make a link").click()
    link = desk.locator("#share code").inner_text()
    assert stranger.goto(link).status == 200  # type: ignore[union-attr]
    expect(stranger.get_by_role("main")).to_contain_text("欧**娜")
    expect(stranger.get_by_role("main")).not_to_contain_text(NAME)
    desk.get_by_role("button", name="Take back").click()
    expect(desk.locator("#share")).to_contain_text("ended")
    assert stranger.goto(link).status == 404  # type: ignore[union-attr]
