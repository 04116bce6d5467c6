"""The portal with its demo data, running as `make run` starts it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

from tests.factories.portal import COLLECT_VIOLATIONS, sign_in
from tests.factories.processes import Portal, address_of, clean_environment, serving

TRAINED_S = 90


@dataclass(frozen=True)
class DemoPortal:
    """A running portal and how to sign in: role -> password (the username is the role's name)."""

    portal: Portal
    address: str
    passwords: dict[str, str]

    def context(self, browser: Browser, *, width: int, language: str, dark: bool) -> BrowserContext:
        """A browser profile that notes what the pages' security policy refuses."""
        context = browser.new_context(
            base_url=self.address,
            viewport={"width": width, "height": 800},
            locale={"en": "en-US", "zh": "zh-CN"}[language],
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.add_init_script(COLLECT_VIOLATIONS)
        context.set_default_timeout(15_000)
        return context

    def sign_in(self, page: Page, role: str) -> None:
        """Sign `page` in with the demo account of that role."""
        page.goto("/login")
        sign_in(page, role, self.passwords[role])


@contextmanager
def demo_portal(folder: Path, **settings: str) -> Iterator[DemoPortal]:
    """A portal with demo data whose first recommendations are trained; `settings` are environment variables."""
    environment = {
        **clean_environment(folder / "data"),
        **settings,
        "ATRIUM_ACCOUNTS__SIGN_IN_PER_MINUTE": "1000",
        "ATRIUM_ACCOUNTS__REGISTER_PER_HOUR": "1000",
    }
    with serving(environment) as portal:
        portal.wait_until_healthy()
        lines = (folder / "data" / "demo_accounts.txt").read_text(encoding="utf-8").splitlines()
        words = [line.split() for line in lines]
        passwords = {w[0]: w[-1] for w in words if w and w[0] in ("admin", "analyst", "learner")}
        _wait_for_training(folder / "data" / "recommendations")
        yield DemoPortal(portal, address_of(environment), passwords)


def _wait_for_training(artefacts: Path) -> None:
    deadline = time.monotonic() + TRAINED_S
    while not list(artefacts.glob("*.npz")):
        assert time.monotonic() < deadline, "the demo data's recommendations were not trained"
        time.sleep(0.2)
