"""Charts and the API's page in a real browser: drawn, exported, within the content security policy."""

import os
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from dashboard.accounts.models import RoleName, User
from dashboard.core.database import db
from dashboard.recommendations import queries, services
from tests.browser.test_look import faults
from tests.factories.behaviour import add_event, make_item
from tests.factories.portal import Visitor, violations

pytestmark = pytest.mark.browser
# A folder for pictures of the pages, to look at; none are kept otherwise.
PICTURES = os.environ.get("ATRIUM_TEST_PICTURES", "")


LONGEST = {
    **{"window": 0.5, "together": 0.2, "linear": 0.3, "recency": 0.5, "floor": 1.0},
    **{"trend": {"power": 0.75, "half_life_days": 14.0}, "floor_days": 30.0},
}
RATINGS = {
    **{"n": 70, "rmse": {"item-knn": 1.111, "baseline": 1.234}},
    "rmse_intervals": {"item-knn": [1.011, 1.211], "baseline": [1.134, 1.334]},
}


@pytest.fixture
def ana(make_user: Callable[..., User]) -> User:
    """An analyst with a history in a trained portal."""
    items = [make_item(title) for title in ("Word", "Excel", "图表", "=Macros", "Soup")]
    for number in range(12):
        user = make_user()
        for step in range(4):
            add_event(user.id, items[(number + step) % 5].id, minute=10 * number + step)
    services.train(progress=lambda _fraction, _text: None)
    services.train(progress=lambda _fraction, _text: None)
    user = make_user(RoleName.LEARNER, RoleName.ANALYST)
    add_event(user.id, items[0].id, minute=900)
    return user


def look(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


class TestWorkspace:
    @pytest.mark.parametrize(("language", "dark"), [("en", False), ("zh", True)])
    def test_draws_every_chart(
        self, ana: User, visitor: Visitor, language: str, dark: bool
    ) -> None:
        page = visitor.open("/workspace/recommendations", user=ana, language=language, dark=dark)

        for chart in page.locator("[data-island=Chart]").all():
            chart.scroll_into_view_if_needed()
            expect(chart.locator(".main-svg").first).to_be_visible()

        look(page, f"workspace-{language}")
        assert violations(page) == []
        assert faults(page) == []

    def test_saves_a_drawing(self, ana: User, visitor: Visitor) -> None:
        page = visitor.open("/workspace/recommendations", user=ana)
        chart = page.locator("[data-island=Chart]").first
        expect(chart.locator(".main-svg").first).to_be_visible()

        with page.expect_download() as drawing:
            chart.get_by_role("button", name="SVG").click()

        text = Path(drawing.value.path()).read_text(encoding="utf-8")
        assert drawing.value.suggested_filename.endswith(".svg")
        assert text.startswith("<svg")
        root = ElementTree.fromstring(text)
        assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) > 5

    def test_saves_a_picture_and_the_data(self, ana: User, visitor: Visitor) -> None:
        page = visitor.open("/workspace/recommendations", user=ana)
        chart = page.locator("[data-island=Chart]").first
        expect(chart.locator(".main-svg").first).to_be_visible()

        with page.expect_download() as picture:
            chart.get_by_role("button", name="PNG").click()
        with page.expect_download() as table:
            page.get_by_role("link", name="CSV Popularity: the long tail").click()

        assert Path(picture.value.path()).read_bytes().startswith(b"\x89PNG")
        assert "'=Macros" in Path(table.value.path()).read_text(encoding="utf-8-sig")

    def test_fits_a_phone(self, ana: User, visitor: Visitor) -> None:
        page = visitor.open("/workspace/recommendations", user=ana, width=360, height=740)

        wide = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide == 0


class TestRuns:
    @pytest.mark.parametrize(
        ("language", "dark", "width"), [("en", False, 1280), ("zh", True, 390)]
    )
    def test_the_list_needs_no_scrolling_on_a_desk(
        self, ana: User, visitor: Visitor, language: str, dark: bool, width: int
    ) -> None:
        for run in queries.list_done_runs(limit=2):
            run.recipe = run.recipe | {"served": LONGEST, "ratings": RATINGS}
        db.session.commit()

        page = visitor.open(
            "/workspace/recommendations/runs",
            user=ana,
            language=language,
            dark=dark,
            width=width,
        )

        look(page, f"runs-{language}")
        assert faults(page) == []
        table = page.locator(".table-responsive").first
        if width > 1000:
            assert table.evaluate("each => each.scrollWidth - each.clientWidth") == 0


class TestWhy:
    def test_draws_the_contributions_and_dismisses(self, ana: User, visitor: Visitor) -> None:
        page = visitor.open("/recommendations", user=ana)
        look(page, "list")
        assert faults(page) == []
        title = page.locator("[data-card] h2").first.inner_text()

        page.get_by_role("link", name=f"Why this {title}").click()
        expect(page.locator("[data-island=Chart] .main-svg").first).to_be_visible()
        look(page, "why")
        assert violations(page) == []
        assert faults(page) == []
        page.get_by_role("button", name="Not interested").click()

        expect(page.get_by_role("button", name="Undo")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("button", name="Undo")).to_have_count(0)


class TestHome:
    def test_shows_recommendations_with_their_reason(self, ana: User, visitor: Visitor) -> None:
        page = visitor.open("/", user=ana)

        expect(page.get_by_role("heading", name="Recommended for you")).to_be_visible()
        expect(page.get_by_text("Because you viewed “Word”").first).to_be_visible()
        look(page, "home")
        assert violations(page) == []
        assert faults(page) == []


class TestApiDocs:
    @pytest.mark.parametrize(("language", "dark"), [("en", False), ("zh", True)])
    def test_opens_operations_within_the_policy(
        self, visitor: Visitor, language: str, dark: bool
    ) -> None:
        page = visitor.open("/api/v1/docs", language=language, dark=dark)

        for summary in page.locator("main summary").all():
            summary.click()

        look(page, f"docs-{language}")
        expect(page.get_by_text("curl -X GET").first).to_be_visible()
        assert violations(page) == []
        assert faults(page) == []

    def test_fits_a_phone(self, visitor: Visitor) -> None:
        page = visitor.open("/api/v1/docs", width=360, height=740)
        page.locator("main summary").first.click()

        wide = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide == 0
