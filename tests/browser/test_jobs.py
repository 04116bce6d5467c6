"""The pages of whoever runs the jobs."""

from collections.abc import Callable

from flask import Flask
from playwright.sync_api import expect

from dashboard.accounts.models import RoleName, User
from dashboard.core.database import db
from dashboard.job_queue.store import SqlJobStore
from jobs.store import WorkerStatus
from tests.factories.portal import Visitor, violations

LONGER_THAN_A_LOOK_MS = 6000


class TestWorkers:
    def test_are_drained_and_resumed_however_long_the_question_is_read(
        self, app: Flask, visitor: Visitor, make_user: Callable[..., User]
    ) -> None:
        store = SqlJobStore(db.engine)
        status = WorkerStatus("w-1", "host", 1, ["probe"], slots=1, running=[], draining=False)
        store.report_worker(status)
        page = visitor.open("/jobs/workers", user=make_user(RoleName.ADMIN))

        page.get_by_role("button", name="Drain").click()
        # The list would be taken anew meanwhile, for it tells when the worker was heard of.
        page.wait_for_timeout(LONGER_THAN_A_LOOK_MS // 2)
        store.report_worker(status)
        page.wait_for_timeout(LONGER_THAN_A_LOOK_MS // 2)
        page.get_by_role("dialog").get_by_role("button").last.click()

        expect(page.get_by_role("main")).to_contain_text("takes no jobs until it is resumed")
        expect(page.get_by_role("row").last).to_contain_text("draining")
        assert store.report_worker(status)

        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("row").last).to_contain_text("alive")
        assert not store.report_worker(status)
        assert violations(page) == []
