"""A model in a real browser, on the demo portal with its real replicas and jobs: from the file to the monitor.

On a phone, in Chinese and dark; every page on the way is looked over.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.test_look import faults
from tests.factories.demo import DemoPortal
from tests.factories.models import TREE
from tests.factories.portal import violations
from tests.factories.processes import ROOT

pytestmark = pytest.mark.browser
# A folder for pictures of the pages, to look at; none are kept otherwise.
PICTURES = os.environ.get("ATRIUM_TEST_PICTURES", "")
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
ROWS = "hours_a_week,years_of_practice,level\n5,3,beginner\nmany,3,beginner\n1,3,beginner\n"
# A JVM starts, tries a record, and answers; on a busy machine.
LOADED_MS = 60_000


@pytest.fixture
def page(browser: Browser, demo: DemoPortal) -> Iterator[Page]:
    context = demo.context(browser, width=360, language="zh", dark=True)
    page = context.new_page()
    demo.sign_in(page, "analyst")
    yield page
    context.close()


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    return path


def sound(page: Page, name: str) -> None:
    """Asserts what every page owes its readers."""
    page.wait_for_load_state("networkidle")
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
    assert violations(page) == []
    assert faults(page) == []
    assert page.evaluate(TOO_WIDE) == 0


@pytest.mark.timeout(300)
def test_from_a_file_to_the_monitor(page: Page, rows: Path) -> None:
    # Upload: the file goes ahead in pieces, the form waits for it.
    page.goto("/models/new")
    page.set_input_files("[data-island=Upload] input[type=file]", TREE)
    page.fill("[name=name]", "适合度")
    page.click("main form [type=submit]")
    page.wait_for_url(re.compile(r"/models/\d+$"), timeout=LOADED_MS)
    expect(page.locator("#inputs ~ * table, section:has(#inputs) table")).to_contain_text("[0, 40]")
    expect(page.locator("section:has(#baseline)")).to_contain_text("模型文件")
    sound(page, "model")

    # Test: the browser refuses what is out of range; so does the server when it does not.
    model = page.url
    page.goto(f"{model}/test")
    hours = page.locator("#form [name=field-0]")
    hours.fill("41")
    assert hours.evaluate("(field) => field.validity.rangeOverflow")
    page.eval_on_selector("#form form", "(form) => { form.noValidate = true; }")
    page.click("#form [type=submit]")
    expect(page.locator(".summary")).to_contain_text("hours_a_week", timeout=LOADED_MS)
    expect(page.locator(".summary")).to_contain_text("[0, 40]")
    page.fill("#form [name=field-0]", "5")
    page.click("#form [type=submit]")
    expect(page.locator("section:has(#answer) table")).to_be_visible(timeout=LOADED_MS)
    sound(page, "test")

    # Deploy: the token is shown, the state follows by itself.
    page.goto(f"{model}/deploy")
    page.fill("[name=name]", "phone-fit")
    page.fill("[name=cpus]", "0.1")
    page.fill("[name=memory_mb]", "256")
    page.click("main form [type=submit]")
    page.wait_for_url(re.compile(r"/deployments/\d+$"))
    deployment = page.url
    expect(page.locator("code", has_text="atd_")).to_be_visible()
    expect(page.locator("[data-live*=deployments] .state-done")).to_be_visible(timeout=LOADED_MS)
    sound(page, "deployment-new")

    # Call it: at once, as a task, with a file that has a bad row.
    page.goto(f"{deployment}/test")
    sound(page, "call")
    page.click("#form [type=submit]:not([name=later])")
    expect(page.locator("section:has(#answer) table")).to_be_visible()
    page.click("#form [name=later]")
    page.wait_for_url(re.compile("/predictions/"))
    expect(page.locator("a[download]")).to_be_visible(timeout=LOADED_MS)
    page.goto(f"{deployment}/test")
    page.set_input_files("#batch input[type=file]", rows)
    page.click("#batch [type=submit]")
    page.wait_for_url(re.compile("/predictions/"))
    expect(page.locator("a[download]")).to_be_visible(timeout=LOADED_MS)
    expect(page.locator("section:has(#bad) tbody th")).to_have_text("2")
    sound(page, "task")
    with page.expect_download() as download:
        page.click("a[download]")
    assert len(Path(download.value.path()).read_text().splitlines()) == 4

    # The monitor has counted every call, and draws.
    page.goto(deployment)
    page.locator("[data-island=Chart]").first.scroll_into_view_if_needed()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page.locator("section:has(#monitor) .facts")).to_contain_text("3")
    sound(page, "monitor")


@pytest.mark.timeout(200)
def test_a_training_ends_with_its_charts(page: Page, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    lines = [f"{n},{n % 7},{'yes' if n % 7 > 3 else 'no'}" for n in range(70)]
    table.write_text("\n".join(["number,day,open", *lines]))

    page.goto("/models/train")
    page.set_input_files("[data-island=Upload] input[type=file]", table)
    expect(page.locator("#target-columns option")).to_have_count(3, timeout=LOADED_MS)
    page.fill("[name=target]", "open")
    page.fill("[name=name]", "开放日")
    page.locator("[name=algorithms][value=random_forest]").uncheck()
    page.locator("[name=algorithms][value=gradient_boosting]").uncheck()
    page.click("main form [type=submit]")
    page.wait_for_url(re.compile(r"/trainings/\d+$"))

    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=LOADED_MS)
    sound(page, "training")


def test_offers_the_columns_of_a_file_that_was_chosen_before_the_script_came(
    page: Page, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("number,day,open\n1,2,yes\n")
    held = hold(page, "src/entries/live.js")

    page.goto("/models/train", wait_until="commit")
    page.set_input_files("[data-island=Upload] input[type=file]", table)
    expect(page.locator("[data-island=Upload] strong")).to_have_text("table.csv", timeout=LOADED_MS)
    held.pop().continue_()

    expect(page.locator("#target-columns option")).to_have_count(3, timeout=LOADED_MS)


def test_sends_a_file_that_is_chosen_while_the_plain_form_is_replaced(page: Page) -> None:
    """A window for choosing stays open although the field that opened it is taken away."""
    held = hold(page, "src/islands/Upload.js")
    page.goto("/models/train", wait_until="commit")
    plain = page.locator("[data-island=Upload] input[type=file]").element_handle()
    while not held:
        page.wait_for_timeout(50)
    held.pop().continue_()
    expect(page.locator("[data-island=Upload][data-ready]")).to_be_visible(timeout=LOADED_MS)

    plain.evaluate(CHOOSE, "late.csv")

    expect(page.locator("[data-island=Upload] strong")).to_have_text("late.csv", timeout=LOADED_MS)
    expect(page.locator("#target-columns option")).to_have_count(2)


CHOOSE = """(field, name) => {
  const files = new DataTransfer();
  files.items.add(new File(["a,b\\n1,2\\n"], name));
  field.files = files.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}"""


def hold(page: Page, module: str) -> list[Route]:
    """Keeps a module of ours back; what was asked for until it is let go."""
    held: list[Route] = []
    manifest = json.loads((ROOT / "static/dist/manifest.json").read_text())

    def keep(route: Route) -> None:
        held.append(route)

    page.route(f"**/{manifest[module]['file']}", keep)
    return held


class TestSnippets:
    """The calls that the pages show, run as they are shown: only the token is put in."""

    def test_of_a_deployment(self, page: Page, rows: Path) -> None:
        page.goto("/deployments/1/test")
        texts = snippets(page)
        page.goto("/deployments/1")
        page.on("dialog", lambda dialog: dialog.accept())
        page.click("section:has(#token) [type=submit]")
        confirm(page)
        token = page.locator("code", has_text="atd_").inner_text()

        said = [run(text, token, rows.parent) for text in texts]

        once_curl, once_python, task, batch, large, protocol = said
        for answer in (once_curl, once_python, task):
            assert "predicted_fit" in answer
        assert '"state":"queued"' in batch.replace(" ", "")
        assert re.fullmatch(r"[0-9a-f]{32}\n", large)
        assert '"hours_a_week"' in protocol

    def test_of_a_version(self, page: Page, demo: DemoPortal, tmp_path: Path) -> None:
        page.goto("/models/1/test")
        texts = snippets(page)
        who = {"identity": "analyst", "password": demo.passwords["analyst"]}
        request = urllib.request.Request(
            f"{demo.address}/api/v1/tokens",
            json.dumps(who).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            token = json.load(answer)["token"]

        for text in texts:
            assert "predicted_fit" in run(text, token, tmp_path)


def snippets(page: Page) -> list[str]:
    """What the copy buttons copy."""
    section = page.locator("section:has(#snippets)")
    return [html.unescape(pre.text_content() or "") for pre in section.locator("pre").all()]


def confirm(page: Page) -> None:
    """Say yes in the portal's own dialog, when it asks."""
    page.locator("dialog[open] .btn-primary, dialog[open] .btn-danger").click()


def run(text: str, token: str, folder: Path) -> str:
    """What a snippet prints: a shell's or Python's."""
    text = text.replace("YOUR_TOKEN", token)
    if text.startswith("curl") and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    command = ["sh", "-c", text.replace("curl", "curl -sS --fail-with-body", 1)]
    if not text.startswith("curl"):
        command = [sys.executable, "-c", text]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout
