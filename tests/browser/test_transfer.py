"""The bytes that a first visit really transfers: page, scripts, styles, pictures and fragments together."""

import pytest
from playwright.sync_api import Browser

from tests.factories.demo import DemoPortal

KB = 1000
# Page -> who opens it, and how much it may transfer in all; films are not counted.
BUDGETS = {
    "/": ("", 75),
    "/courses": ("", 75),
    "/login": ("", 75),
    "/courses/1": ("learner", 75),
    "/jobs": ("learner", 75),
    "/admin/courses/": ("admin", 90),
    "/workspace/recommendations": ("analyst", 560),
}


@pytest.mark.slow  # many pages, each with an empty cache
@pytest.mark.parametrize("path", BUDGETS)
def test_a_page_transfers_no_more_than_its_budget(
    browser: Browser, demo: DemoPortal, path: str
) -> None:
    role, budget_kb = BUDGETS[path]
    context = demo.context(browser, width=1280, language="en", dark=False)
    page = context.new_page()
    if role:
        demo.sign_in(page, role)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    media: set[str] = set()
    sizes: dict[str, float] = {}
    session.on(
        "Network.requestWillBeSent",
        lambda event: event.get("type") == "Media" and media.add(event["requestId"]),
    )
    session.on(
        "Network.loadingFinished",
        lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}),
    )

    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")

    transferred = sum(size for request, size in sizes.items() if request not in media)
    print(f"{path}: {transferred:.0f} B")
    assert 0 < transferred <= budget_kb * KB
    context.close()
