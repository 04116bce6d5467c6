"""A new analysis in a real browser: tables dropped and checked on a phone."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.accounts.models import RoleName, User
from tests.browser.test_look import faults
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
