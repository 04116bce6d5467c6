"""A portal that listens on a port, for tests that use it as a browser or a program does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from waitress import wasyncore
from waitress.server import create_server

from dashboard.accounts.models import User
from tests.factories import people

# Collected before any script of the page runs; read by `violations`.
COLLECT_VIOLATIONS = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


@contextmanager
def serving(app: Flask, *, port: int = 0) -> Iterator[str]:
    """Serve `app` on a (free) port of this machine; gives its address without a slash at the end."""
    server = create_server(app, host="127.0.0.1", port=port, threads=4)
    thread = threading.Thread(target=server.run, name="portal", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # First what still answers, then the sockets, by the thread that polls them: closed by another, they would
        # fail in it.
        server.task_dispatcher.shutdown()
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join(timeout=10)


class Visitor:
    """One person's browser at the portal: signed in or not, on a desk or a phone, light or dark."""

    def __init__(self, browser: Browser, app: Flask | None, address: str) -> None:
        self._browser, self._app, self.address = browser, app, address
        self._contexts: list[BrowserContext] = []

    def open(
        self,
        path: str = "/",
        *,
        user: User | None = None,
        width: int = 1280,
        height: int = 800,
        language: str = "en",
        dark: bool = False,
    ) -> Page:
        """A new page at `path`, in a browser profile of its own."""
        context = self._browser.new_context(
            base_url=self.address,
            viewport={"width": width, "height": height},
            locale={"en": "en-US", "zh": "zh-CN"}[language],
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        context.add_init_script(COLLECT_VIOLATIONS)
        if user is not None:
            context.add_cookies([self._session_cookie(user)])
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.console_errors = []  # type: ignore[attr-defined]
        page.on(
            "console",
            lambda message: message.type == "error" and page.console_errors.append(message.text),  # type: ignore[attr-defined]
        )
        page.on("pageerror", lambda error: page.console_errors.append(str(error)))  # type: ignore[attr-defined]
        page.goto(path)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _session_cookie(self, user: User) -> dict[str, str]:
        assert self._app is not None, "a portal in another process is signed in to by its form"
        client = people.signed_in_client(self._app, user)
        cookie = client.get_cookie("atrium_session")
        assert cookie is not None
        return {"name": cookie.key, "value": cookie.value, "url": self.address}


def sign_in(page: Page, identity: str, password: str) -> None:
    """Fill in the sign-in form that the page shows, and wait for what comes next."""
    page.locator("input[name=identity]").fill(identity)
    page.locator("input[type=password]").fill(password)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def violations(page: Page) -> list[str]:
    """What the page's content security policy refused so far."""
    return list(page.evaluate("() => window.violations"))
