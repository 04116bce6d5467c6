"""An administrator makes a course with a film, takes it away again, and finds both in the audit log; an analyst
retrains the recommendations and follows the job.

Domains: catalogue, audit, job_queue, recommendations.
"""

import re
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.factories.demo import DemoPortal
from tests.factories.videos import HTML, make_video

TITLE = "Reading gels after dark"
CHECKED_S = 60


def create_course(page: Page) -> None:
    """A published course, made in the dashboard."""
    page.goto("/admin/courses/new/")
    page.get_by_label("Title").fill(TITLE)
    page.get_by_label("Content").fill("## Why\n\n**Because** gels <script>alert(1)</script> fade.")
    page.get_by_label("Status").select_option("published")
    page.get_by_role("button", name="Save", exact=True).click()


def upload(page: Page, film: Path) -> None:
    """Send a file on the upload page of the course and wait until it stands in the list."""
    page.locator("input[type=file]").set_input_files(film)
    expect(page.get_by_role("heading", name=film.stem)).to_be_visible(timeout=30_000)


def wait_for_state(page: Page, state: str) -> None:
    """Look again until the check has come to its end."""
    deadline = time.monotonic() + CHECKED_S
    while not page.get_by_text(state, exact=True).count():
        assert time.monotonic() < deadline, f"the film never became {state}"
        page.wait_for_timeout(300)
        page.reload()


def test_makes_a_course_with_a_film_and_deletes_it(
    desk: Page, phone: Page, stack: DemoPortal, tmp_path: Path
) -> None:
    stack.sign_in(desk, "admin")
    create_course(desk)
    row = desk.get_by_role("row", name=re.compile(TITLE)).first
    row.get_by_role("link", name="Preview").click()
    expect(desk.locator("h1")).to_have_text(TITLE)
    course = desk.url
    expect(desk.get_by_text("Because", exact=True)).to_be_visible()

    desk.get_by_role("main").get_by_role("link", name="Videos").click()
    upload(desk, make_video(tmp_path / "gel electrophoresis.mp4", seconds=3))
    wait_for_state(desk, "Ready")

    stack.sign_in(phone, "learner")
    phone.goto(course)
    phone.wait_for_function("() => document.querySelector('video').readyState >= 1")
    with phone.expect_download() as download:
        phone.get_by_role("link", name=re.compile("^Download")).click()
    assert download.value.suggested_filename == "gel electrophoresis.mp4"

    desk.goto("/admin/courses/")
    desk.get_by_role("button", name=f"Delete {TITLE}").click()
    expect(desk.get_by_role("main")).to_contain_text(TITLE)
    desk.get_by_role("button", name="Delete", exact=True).click()
    desk.wait_for_url("**/admin/courses/**")
    assert desk.request.get(course).status == 404

    desk.goto("/admin/audit/")
    expect(desk.get_by_role("main")).to_contain_text(TITLE)


def test_is_told_why_a_file_is_no_film(desk: Page, stack: DemoPortal, tmp_path: Path) -> None:
    pretender = tmp_path / "lecture.mp4"
    pretender.write_bytes(HTML)
    stack.sign_in(desk, "admin")
    desk.goto("/videos/upload?item=1")

    desk.locator("input[type=file]").set_input_files(pretender)

    expect(desk.get_by_role("main")).to_contain_text(
        re.compile("not a video|web page", re.IGNORECASE)
    )
    assert not desk.get_by_role("heading", name="lecture").count()


def test_analyst_retrains_the_recommendations_and_follows_the_job(
    desk: Page, stack: DemoPortal
) -> None:
    stack.sign_in(desk, "analyst")
    desk.goto("/workspace/recommendations")

    desk.get_by_role("button", name="Train now").click()

    expect(desk).to_have_url(re.compile(r"/jobs/\d+"))
    expect(desk.get_by_role("main").get_by_text("Completed", exact=True).first).to_be_visible(
        timeout=90_000
    )
    expect(desk.get_by_role("heading", name="Timeline")).to_be_visible()
    desk.goto("/workspace/recommendations")
    desk.wait_for_function("() => document.querySelectorAll('.plotly, .js-plotly-plot').length > 0")
