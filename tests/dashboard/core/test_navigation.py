"""The menu, and where it is safe to send a visitor back to."""

import pytest
from flask import Flask

from dashboard.core import navigation
from dashboard.core.navigation import LINKS_IN_HEADER, Entry, menu, safe_target


class TestSafeTarget:
    @pytest.mark.parametrize("target", ["/", "/courses?page=2", "/courses/3#videos", "/课程"])
    def test_accepts_paths_of_this_portal(self, target: str) -> None:
        assert safe_target(target) == target

    @pytest.mark.parametrize(
        "target",
        [None, "", "courses", "//e", "https:e", "https://e", "\\\\e", "/\\e", "/\t/e", "/\n//e"],
    )
    def test_refuses_what_may_lead_elsewhere(self, target: str | None) -> None:
        assert safe_target(target) is None


class TestMenu:
    @pytest.mark.parametrize(("extra", "behind_more"), [(0, []), (1, ["Rare"])])
    def test_puts_less_used_links_behind_more_only_when_the_header_is_full(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch, extra: int, behind_more: list[str]
    ) -> None:
        monkeypatch.setattr(navigation, "may_open", lambda endpoint: True)
        often = [Entry("catalogue.home", f"Page {n}") for n in range(LINKS_IN_HEADER + extra)]

        with app.test_request_context("/"):
            lines = menu([*often, Entry("catalogue.course_list", "Rare", less_used=True)])

        assert [line["label"] for line in lines if line["more"]] == behind_more
        assert len(lines) == LINKS_IN_HEADER + extra + 1
