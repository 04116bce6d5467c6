"""The job's page in a real browser: it follows the job without a reload."""

import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from dashboard.accounts.models import User
from dashboard.core import assets
from dashboard.core.database import db
from dashboard.job_queue.models import JobState
from dashboard.job_queue.store import SqlJobStore
from tests.conftest import ROOT
from tests.dashboard.job_queue.conftest import ended, silent_claim, state_of, wait_for
from tests.dashboard.job_queue.probe import Append
from tests.factories.portal import Visitor, serving, violations

AXE = ROOT / "static" / "node_modules" / "axe-core" / "axe.min.js"
Put = Callable[..., int]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not assets.is_built(), reason='the front-end is not built ("make assets")'),
]


def _set_hidden(page: Page, hidden: bool) -> None:
    """As when the tab goes behind another or the lid is shut."""
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


class TestJobPage:
    def test_follows_a_job_from_waiting_to_its_end(
        self,
        put: Put,
        working: Callable,
        make_user: Callable[..., User],
        visitor: Visitor,
        tmp_path: Path,
    ) -> None:
        owner = make_user()
        job_id = put(Append(path=str(tmp_path / "out"), line="seen", wait_s=3), owner_id=owner.id)
        page = visitor.open(f"/jobs/{job_id}", user=owner)
        expect(page.get_by_text("Position 1 in the queue")).to_be_visible()

        with working():
            expect(page.locator("#main .state-running")).to_be_visible()
            expect(page.locator("#main .state-done")).to_be_visible()

        expect(page.get_by_text("appended seen")).to_be_visible()
        expect(page.get_by_role("button", name="Cancel this job")).to_have_count(0)
        assert violations(page) == []
        assert page.console_errors == []  # type: ignore[attr-defined]

    def test_list_follows_too_and_cancels_by_the_button(
        self,
        put: Put,
        make_user: Callable[..., User],
        visitor: Visitor,
    ) -> None:
        owner = make_user()
        job_id = put(Append(path=os.devnull), owner_id=owner.id)
        listed = visitor.open("/jobs", user=owner)
        page = visitor.open(f"/jobs/{job_id}", user=owner, width=390)

        page.get_by_role("button", name="Cancel this job").click()
        page.get_by_role("button", name="Yes, go on").click()

        wait_for(lambda: state_of(job_id) is JobState.CANCELLED)
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        expect(listed.locator("tbody .state-cancelled")).to_be_visible()

    def test_asks_nothing_while_hidden_and_is_right_at_once_afterwards(
        self,
        put: Put,
        working: Callable,
        make_user: Callable[..., User],
        visitor: Visitor,
    ) -> None:
        owner = make_user()
        job_id = put(Append(path=os.devnull), owner_id=owner.id)
        page = visitor.open(f"/jobs/{job_id}", user=owner)
        expect(page.get_by_text("Position 1 in the queue")).to_be_visible()
        asked: list[str] = []
        _set_hidden(page, True)
        page.wait_for_timeout(500)  # what was under way has ended
        page.on("request", lambda request: asked.append(request.url))

        with working():
            ended(job_id)
        page.wait_for_timeout(2000)

        assert asked == []
        _set_hidden(page, False)
        expect(page.locator("#main .state-done")).to_be_visible()
        expect(page.get_by_text("Completed", exact=True).last).to_be_visible()

    def test_goes_on_when_the_server_was_away(
        self,
        app: Flask,
        browser: Browser,
        put: Put,
        working: Callable,
        make_user: Callable[..., User],
    ) -> None:
        owner = make_user()
        job_id = put(Append(path=os.devnull), owner_id=owner.id)
        with serving(app) as address:
            visitor = Visitor(browser, app, address)
            page = visitor.open(f"/jobs/{job_id}", user=owner)
            expect(page.get_by_text("Position 1 in the queue")).to_be_visible()
        with page.expect_event("requestfailed"):
            pass

        with working():
            ended(job_id)
        with serving(app, port=int(address.rpartition(":")[2])):
            expect(page.locator("#main .state-done")).to_be_visible(timeout=30_000)
        visitor.close()

    def test_follows_a_job_whose_worker_fell_silent(
        self, app: Flask, put: Put, make_user: Callable[..., User], visitor: Visitor
    ) -> None:
        owner = make_user()
        job_id = put(Append(path=os.devnull), owner_id=owner.id)
        silent_claim(job_id)

        page = visitor.open(f"/jobs/{job_id}", user=owner, width=390)

        expect(page.get_by_text("Its worker has not been heard of for")).to_be_visible()
        expect(page.get_by_text("another job runner queues the job once more")).to_be_visible()
        with contextlib.closing(SqlJobStore(db.engine)) as store:
            lease = store.list_doubtful(lease_s=1.5)[0]
            assert store.give_back(lease, max_deaths=3)
        expect(page.get_by_text("Worker lost, queued again")).to_be_visible()
        expect(page.get_by_text("Position 1 in the queue")).to_be_visible()

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    @pytest.mark.parametrize("width", [390, 1280])
    def test_axe_finds_nothing_serious(
        self, put: Put, make_user: Callable[..., User], visitor: Visitor, width: int, dark: bool
    ) -> None:
        owner = make_user("admin")
        job_id = put(Append(path=os.devnull), owner_id=owner.id)

        for path in ("/jobs", f"/jobs/{job_id}"):
            page = visitor.open(path, user=owner, width=width, dark=dark)
            page.evaluate(AXE.read_text())
            found = page.evaluate("() => axe.run().then((result) => result.violations)")
            assert [rule["id"] for rule in found if rule["impact"] in ("serious", "critical")] == []
            wide = page.evaluate("() => document.documentElement.scrollWidth")
            assert wide <= width


class TestNotices:
    def test_tell_of_a_job_that_ended_while_she_was_elsewhere(
        self, put: Put, working: Callable, make_user: Callable[..., User], visitor: Visitor
    ) -> None:
        owner = make_user()
        job_id = put(Append(path=os.devnull), owner_id=owner.id)
        page = visitor.open("/", user=owner)
        expect(page.get_by_role("button", name="Notices", exact=True)).to_be_visible()

        with working():
            expect(page.locator("[data-toasts]")).to_contain_text(f"#{job_id}: Completed")

        page.get_by_role("button", name="Notices, 1 unread").click()
        assert violations(page) == []
        page.get_by_role("button", name=f"#{job_id}").click()
        expect(page).to_have_url(re.compile(f"/jobs/{job_id}$"))
        expect(page.get_by_role("button", name="Notices", exact=True)).to_be_visible()
        assert page.console_errors == []  # type: ignore[attr-defined]
