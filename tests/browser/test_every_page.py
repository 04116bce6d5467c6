"""Every page of the portal with demo data: no policy refused, nothing serious for assistive technology, fits a phone."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.architecture.test_surfaces import address
from tests.browser.test_look import faults
from tests.factories.demo import DemoPortal
from tests.factories.portal import violations

# In the demo data: item 1 is a course, item 13 a position; each has a first video, job and run.
IDS = dict.fromkeys(
    (
        *("item_id", "job_id", "video_id", "run_id", "unit_id", "upload_id", "file_id", "link_id"),
        *("model_id", "number", "deployment_id", "training_id", "user_id"),
    ),
    1,
)
SIGNED_OUT = {"security.login", "security.register"}


@pytest.fixture(scope="module", params=["desk", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, demo: DemoPortal) -> Iterator[Page]:
    """An administrator's page: on a desk in English and light, or on a phone in Chinese and dark."""
    phone = request.param == "phone"
    context = demo.context(
        browser, width=360 if phone else 1280, language="zh" if phone else "en", dark=phone
    )
    page = context.new_page()
    demo.sign_in(page, "admin")
    yield page
    context.close()


def paths(app: Flask) -> list[str]:
    """The address of every route that answers GET."""
    rules = [r for r in app.url_map.iter_rules() if "GET" in r.methods]
    found = {address(rule, IDS, app) for rule in rules if rule.endpoint not in SIGNED_OUT}
    return sorted(
        path.replace("/details/", "/details/?id=1").replace("/edit/", "/edit/?id=1")
        for path in found
    )


# Some eighty pages, each loaded and looked over: minutes on a busy machine.
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_page_is_sound(page: Page, demo: DemoPortal, app: Flask) -> None:
    wrong, n_pages = [], 0
    for path in paths(app):
        answer = page.request.get(path, max_redirects=0)
        if answer.status >= 500:
            wrong.append(f"{path}: {answer.status}")
        if answer.status != 200 or not answer.headers["content-type"].startswith("text/html"):
            continue
        if "content-disposition" in answer.headers or "<html" not in answer.text():
            continue  # a fragment of a page
        n_pages += 1
        wrong += [f"{path}: {fault}" for fault in _faults_of(page, path)]

    assert not wrong
    assert n_pages > 35


def _faults_of(page: Page, path: str) -> list[str]:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path)
    page.wait_for_load_state("networkidle")
    wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    return [
        *errors,
        *[f"refused by policy: {each}" for each in violations(page)],
        *faults(page),
        *([f"{wide} px too wide"] if wide > 0 else []),
        *([] if page.locator("h1").count() == 1 else ["needs exactly one h1"]),
    ]
