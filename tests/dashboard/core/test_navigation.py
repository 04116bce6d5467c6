"""Where it is safe to send a visitor back to."""

import pytest

from dashboard.core.navigation import safe_target


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
