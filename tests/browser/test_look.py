"""What every page has: languages, themes, keyboard, phone widths, messages."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ROOT
from tests.factories.portal import Visitor, violations

AXE = ROOT / "static" / "node_modules" / "axe-core" / "axe.min.js"
# Pages that anybody can open on an empty portal.
PUBLIC_PAGES = ("/", "/login", "/register", "/courses", "/nothing-here")
SERIOUS = ("serious", "critical")


def faults(page: Page) -> list[str]:
    """What axe finds serious, as rule and place."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run().then((result) => result.violations)")
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


class TestEveryPage:
    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    @pytest.mark.parametrize("path", PUBLIC_PAGES)
    def test_has_no_serious_fault_for_assistive_technology(
        self, visitor: Visitor, path: str, dark: bool
    ) -> None:
        page = visitor.open(path, dark=dark)

        assert faults(page) == []
        assert violations(page) == []

    @pytest.mark.parametrize("language", ["en", "zh"])
    @pytest.mark.parametrize("path", PUBLIC_PAGES)
    def test_fits_the_narrowest_phone(self, visitor: Visitor, path: str, language: str) -> None:
        page = visitor.open(path, width=320, height=640, language=language)

        too_wide = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

        assert too_wide == 0

    def test_lets_the_keyboard_skip_to_the_content(self, visitor: Visitor) -> None:
        page = visitor.open("/")

        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        assert page.evaluate("() => document.activeElement.id") == "main"


class TestTheme:
    def test_is_set_before_the_first_paint_and_remembered(self, visitor: Visitor) -> None:
        page = visitor.open("/")
        page.click("[popovertarget=prefs]")
        page.click("[data-theme-choice=dark]")

        page.goto("/login", wait_until="commit")

        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")

    def test_follows_the_device_until_one_is_chosen(self, visitor: Visitor) -> None:
        page = visitor.open("/", dark=True)

        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        page.emulate_media(color_scheme="light")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


class TestLanguage:
    def test_switch_keeps_the_page(self, visitor: Visitor) -> None:
        page = visitor.open("/login?next=/courses")
        page.click("[popovertarget=prefs]")
        page.click("#prefs button[lang=zh-Hans]")

        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        expect(page).to_have_url(re.compile(r"/login\?next=/courses$"))

    def test_is_the_browsers_at_first(self, visitor: Visitor) -> None:
        expect(visitor.open("/", language="zh").locator("html")).to_have_attribute(
            "lang", "zh-Hans"
        )


class TestPalette:
    def test_leads_to_a_page_by_keyboard_alone(self, visitor: Visitor) -> None:
        page = visitor.open("/")

        page.keyboard.press("Control+k")
        page.get_by_role("combobox").fill("sign in")
        expect(page.get_by_role("option")).to_have_count(1)
        page.keyboard.press("Enter")

        expect(page).to_have_url(re.compile("/login"))
        assert violations(page) == []

    def test_closes_with_escape(self, visitor: Visitor) -> None:
        page = visitor.open("/")
        page.keyboard.press("Control+k")
        expect(page.get_by_role("combobox")).to_be_focused()

        page.keyboard.press("Escape")

        expect(page.get_by_role("combobox")).to_be_hidden()


class TestSignIn:
    def test_names_the_fault_beside_the_field_and_above_the_form(self, visitor: Visitor) -> None:
        page = visitor.open("/login")
        page.fill("#identity", "nobody")
        page.fill("#password", "wrong password")
        page.click("form[name=login_user_form] button[type=submit]")

        expect(page.get_by_role("alert")).to_be_focused()
        assert faults(page) == []


class TestPhone:
    def test_menu_opens_from_the_button(self, visitor: Visitor) -> None:
        page = visitor.open("/", width=390)
        page.click("[popovertarget=menu]")

        expect(page.locator("#menu").get_by_role("link", name="Sign in")).to_be_visible()
