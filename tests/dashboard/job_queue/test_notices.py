"""Notices in the header: who is told of which job, and how they become read."""

import os
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.core.database import session, transaction, utcnow
from dashboard.job_queue import notices, result_pages, services
from dashboard.job_queue.models import Job, JobState
from dashboard.job_queue.queries import Viewer
from tests.dashboard.job_queue.probe import Append

MESSAGE = Append(path=os.devnull)
SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def end(app: Flask, put: Callable[..., int]) -> Callable[..., int]:
    """A job of an owner that has ended."""

    def end(owner: User, state: JobState = JobState.DONE, *, days_ago: int = 0) -> int:
        job_id = put(MESSAGE, owner_id=owner.id)
        set_end(job_id, state, days_ago=days_ago)
        return job_id

    return end


def go(client: FlaskClient, address: str, *, came_from: str = "/") -> str | None:
    """Press a button of the bell on a page; where it leads."""
    token = client.get("/jobs").text.split('name="csrf-token" content="')[1].split('"')[0]
    headers = {"Referer": f"http://localhost{came_from}"}
    return client.post(address, data={"csrf_token": token}, headers=headers).location


def set_end(job_id: int, state: JobState, *, days_ago: int = 0) -> None:
    with transaction():
        job = session.get_one(Job, job_id, populate_existing=True)
        job.state, job.ready = state, False
        job.finished_at = utcnow() - timedelta(days=days_ago)
        job.attempt += 1


class TestNotices:
    def test_tell_the_owner_on_every_page(
        self, each_database: str, end: Callable[..., int], make_user: Callable, sign_in: SignIn
    ) -> None:
        owner, other = make_user(), make_user()
        done, failed = end(owner), end(owner, JobState.FAILED)
        end(other)

        page = sign_in(owner).get("/").text

        assert "Notices, 2 unread" in page
        for job_id in (done, failed):
            assert f'action="/notices/{job_id}" data-notice="{job_id}-1" data-unread' in page
        assert page.count("data-notice=") == 2

    def test_leave_out_what_is_no_news(
        self, app: Flask, end: Callable[..., int], make_user: Callable
    ) -> None:
        owner = make_user()
        end(owner, JobState.CANCELLED)
        end(owner, days_ago=notices.KEEP_DAYS + 1)

        assert notices.list_notices(owner.id) == notices.Notices([], 0, any_active=False)

    def test_lead_to_what_the_job_made_and_are_read_then(
        self,
        end: Callable[..., int],
        make_user: Callable,
        sign_in: SignIn,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setitem(result_pages._pages, "probe.append", lambda job: f"/made/{job.id}")
        owner = make_user()
        done, failed, client = end(owner), end(owner, JobState.FAILED), sign_in(owner)
        assert f'href="/made/{done}"' in client.get(f"/jobs/{done}").text

        assert go(client, f"/notices/{done}") == f"/made/{done}"
        assert go(client, f"/notices/{failed}") == f"/jobs/{failed}"

        assert notices.list_notices(owner.id).n_unread == 0

    def test_stay_new_when_an_administrator_looks(
        self, end: Callable[..., int], make_user: Callable, as_admin: FlaskClient
    ) -> None:
        owner = make_user()
        job_id = end(owner)

        assert go(as_admin, f"/notices/{job_id}") == f"/jobs/{job_id}"

        assert notices.list_notices(owner.id).n_unread == 1

    def test_are_new_again_when_a_job_ends_again(
        self, each_database: str, end: Callable[..., int], make_user: Callable
    ) -> None:
        owner = make_user()
        job_id = end(owner, JobState.FAILED)
        notices.mark_read(job_id, owner_id=owner.id)
        services.retry_job(job_id, viewer=Viewer(user_id=owner.id))
        assert notices.list_notices(owner.id) == notices.Notices([], 0, any_active=True)

        set_end(job_id, JobState.DONE)

        assert [each.key for each in notices.list_notices(owner.id).shown] == [f"{job_id}-2"]
        assert notices.list_notices(owner.id).n_unread == 1

    def test_are_read_also_when_the_clock_of_the_database_is_ahead(
        self, end: Callable[..., int], make_user: Callable
    ) -> None:
        owner = make_user()
        job_id = end(owner, days_ago=-1)

        notices.mark_read(job_id, owner_id=owner.id)

        assert notices.list_notices(owner.id).n_unread == 0

    def test_are_all_read_by_one_button(
        self, each_database: str, end: Callable[..., int], make_user: Callable, sign_in: SignIn
    ) -> None:
        owner, other = make_user(), make_user()
        for _ in range(notices.SHOWN + 3):
            end(owner)
        end(other)
        assert notices.list_notices(owner.id).n_unread == notices.SHOWN + 3

        assert go(sign_in(owner), "/notices/read", came_from="/courses?page=2") == "/courses?page=2"

        assert notices.list_notices(owner.id).n_unread == 0
        assert notices.list_notices(other.id).n_unread == 1

    def test_of_others_are_not_found(
        self, end: Callable[..., int], make_user: Callable, sign_in: SignIn
    ) -> None:
        owner = make_user()
        job_id = end(owner)

        assert go(sign_in(make_user()), f"/notices/{job_id}") is None
        assert notices.list_notices(owner.id).n_unread == 1

    def test_ask_visitors_to_sign_in(self, app: Flask, client: FlaskClient) -> None:
        assert client.get("/notices").status_code == 302
        assert "data-notices" not in client.get("/").text
