"""The dashboard in a browser: it asks before it deletes, with and without scripts, and obeys the policy."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.accounts.models import User
from dashboard.catalogue import queries
from dashboard.catalogue.models import Item
from dashboard.core.database import session
from tests.browser.test_look import faults
from tests.factories.catalogue import make_item
from tests.factories.portal import Visitor, violations

pytestmark = pytest.mark.browser

# A folder for pictures of the pages, to look at; none are kept otherwise.
PICTURES = os.environ.get("ATRIUM_TEST_PICTURES", "")
# The words of the menu that stand on more than one line or stick out.
BROKEN_WORDS = """() => [...document.querySelectorAll(".dash-menu a, .dash-group")].flatMap((entry) => {
  const text = [...entry.childNodes].find((node) => node.nodeType === 3 && node.data.trim());
  return [...text.data.matchAll(/\\S+/g)].filter((word) => {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    const sticksOut = range.getBoundingClientRect().right > entry.getBoundingClientRect().right;
    return range.getClientRects().length > 1 || sticksOut;
  }).map((word) => word[0]);
})"""

PAGES = (
    *("/admin/", "/admin/users/", "/admin/users/new/", "/admin/users/edit/?id=1", "/admin/roles/"),
    *("/admin/courses/", "/admin/courses/edit/?id=1", "/admin/courses/details/?id=1"),
    *("/admin/positions/new/", "/admin/videos/", "/admin/jobs/", "/admin/audit/"),
    *("/admin/recommendations/", "/admin/users/?search=nobody"),
)


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user("learner", "admin", nickname="Ada")


@pytest.fixture
def courses(ada: User) -> list[Item]:
    return [make_item(title=title) for title in ("Algebra", "Biology", "Chemistry")]


def count_items() -> int:
    """How many there are now, whatever the session has seen before."""
    session.rollback()
    return session.query(Item).count()


class TestPages:
    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_have_no_serious_fault_and_break_no_policy(
        self, visitor: Visitor, ada: User, courses: list[Item], dark: bool
    ) -> None:
        page = visitor.open("/admin/", user=ada, dark=dark)

        for path in PAGES:
            page.goto(path)
            assert faults(page) == [], path
            assert violations(page) == [], path
            assert page.console_errors == [], path  # type: ignore[attr-defined]

    def test_fit_a_phone(self, visitor: Visitor, ada: User, courses: list[Item]) -> None:
        page = visitor.open("/admin/", user=ada, width=390, height=844)

        for path in PAGES:
            page.goto(path)
            over = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
            assert over <= 0, path


class TestMenu:
    @pytest.mark.parametrize("language", ["en", "zh"])
    @pytest.mark.parametrize("width", [1280, 1000, 390])
    def test_breaks_no_word(self, visitor: Visitor, ada: User, width: int, language: str) -> None:
        page = visitor.open("/admin/", user=ada, width=width, language=language)

        # A scroll bar, where one is drawn, takes this much of the menu.
        page.locator(".dash-menu").evaluate("(menu) => { menu.style.paddingRight = '15px'; }")

        assert page.evaluate(BROKEN_WORDS) == []
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"menu-{language}-{width}.png")


class TestDelete:
    def test_asks_and_keeps_what_was_not_confirmed(
        self, visitor: Visitor, ada: User, courses: list[Item]
    ) -> None:
        page = visitor.open("/admin/courses/", user=ada)

        page.get_by_role("button", name="Delete Biology").click()
        expect(page.get_by_role("heading", name="Do you want to delete this?")).to_be_visible()
        page.get_by_role("main").get_by_role("link", name="Cancel").click()

        expect(page.get_by_role("button", name="Delete Biology")).to_be_visible()
        assert count_items() == 3
        assert violations(page) == []

    def test_deletes_what_was_confirmed(
        self, visitor: Visitor, ada: User, courses: list[Item]
    ) -> None:
        page = visitor.open("/admin/courses/", user=ada)

        page.get_by_role("button", name="Delete Biology").click()
        page.get_by_role("button", name="Delete", exact=True).click()

        expect(page.get_by_text("successfully deleted")).to_be_visible()
        assert count_items() == 2
        assert violations(page) == []

    def test_works_without_scripts(self, visitor: Visitor, ada: User, courses: list[Item]) -> None:
        page = visitor.open("/admin/courses/", user=ada)
        page.route("**/*.js", lambda route: route.abort())
        page.reload()

        page.get_by_role("button", name="Delete Biology").click()
        asked = count_items()
        page.get_by_role("button", name="Delete", exact=True).click()
        page.wait_for_url("**/admin/courses/**")

        assert (asked, count_items()) == (3, 2)


class TestBulkDelete:
    def test_asks_with_all_rows_named(
        self, visitor: Visitor, ada: User, courses: list[Item]
    ) -> None:
        page = visitor.open("/admin/courses/", user=ada)

        page.get_by_label("Select all rows of this page").check()
        page.get_by_role("button", name="Delete", exact=True).click()

        expect(page.get_by_role("main").get_by_role("listitem")).to_contain_text(
            ["Courses", "Delete", "Algebra", "Biology", "Chemistry"]
        )
        assert count_items() == 3

    def test_deletes_once_it_is_confirmed(
        self, visitor: Visitor, ada: User, courses: list[Item]
    ) -> None:
        page = visitor.open("/admin/courses/", user=ada)

        page.get_by_label("Select Algebra").check()
        page.get_by_label("Select Chemistry").check()
        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("button", name="Delete", exact=True).click()

        expect(page.get_by_text("2 records were successfully deleted")).to_be_visible()
        assert count_items() == 1
        assert violations(page) == []


class TestPicker:
    def test_adds_and_orders_courses(
        self, visitor: Visitor, ada: User, courses: list[Item]
    ) -> None:
        position = make_item("position", title="Analyst")
        page = visitor.open(f"/admin/positions/edit/?id={position.id}", user=ada)

        for title in ("Algebra", "Chemistry"):
            _pick(page, title)
        page.get_by_role("button", name="Earlier").nth(1).click()
        page.get_by_role("button", name="Save", exact=True).click()

        expect(page.get_by_text("successfully saved")).to_be_visible()
        session.rollback()
        linked = [course.title for course in queries.list_courses_of(position.id)]
        assert linked == ["Chemistry", "Algebra"]
        assert violations(page) == []


def _pick(page: Page, title: str) -> None:
    field = page.get_by_label("Courses that lead here, in order")
    field.press_sequentially(title[:3])
    label = page.locator(f'datalist option[value^="{title}"]').get_attribute("value")
    assert label is not None
    field.fill(label)
