"""The pages of jobs: whose they show, and what they offer."""

import os
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.job_queue.models import JobState
from tests.dashboard.job_queue.conftest import state_of
from tests.dashboard.job_queue.probe import Append

MESSAGE = Append(path=os.devnull)
Put = Callable[..., int]
SignIn = Callable[[User], FlaskClient]
MakeUser = Callable[..., User]


def post(client: FlaskClient, address: str, **fields: str) -> int:
    """A POST with the CSRF token of the page; its status."""
    page = client.get("/jobs").text
    token = page.split('name="csrf-token" content="')[1].split('"')[0]
    return client.post(address, data={"csrf_token": token, **fields}).status_code


class TestJobList:
    def test_shows_ones_own_jobs_only(
        self, app: Flask, put: Put, make_user: MakeUser, sign_in: SignIn
    ) -> None:
        owner, other = make_user(), make_user()
        mine, theirs = put(MESSAGE, owner_id=owner.id), put(MESSAGE, owner_id=other.id)

        page = sign_in(owner).get("/jobs").text

        assert f'id="job-{mine}"' in page
        assert f'id="job-{theirs}"' not in page

    def test_shows_all_to_administrators_by_state_and_kind(
        self, app: Flask, put: Put, make_user: MakeUser, as_admin: FlaskClient
    ) -> None:
        job_id = put(MESSAGE, owner_id=make_user(nickname="Ana").id)

        assert "Ana" in as_admin.get("/jobs?state=queued&kind=probe.append").text
        assert f'id="job-{job_id}"' not in as_admin.get("/jobs?state=done").text
        assert as_admin.get("/jobs?state=nonsense&page=0").status_code == 200

    def test_says_so_when_there_are_none(self, app: Flask, as_learner: FlaskClient) -> None:
        page = as_learner.get("/jobs").text

        assert "No jobs yet" in page
        assert 'name="state"' not in page

    def test_asks_visitors_to_sign_in(self, app: Flask, client: FlaskClient) -> None:
        assert client.get("/jobs").status_code == 302


class TestJob:
    def test_shows_state_timeline_and_place_in_the_queue(
        self, app: Flask, put: Put, make_user: MakeUser, sign_in: SignIn
    ) -> None:
        owner = make_user()
        put(MESSAGE)
        job_id = put(MESSAGE, owner_id=owner.id)

        page = sign_in(owner).get(f"/jobs/{job_id}").text

        assert "Position 2 in the queue" in page
        assert "Cancel this job" in page

    def test_is_not_found_by_others(
        self, app: Flask, put: Put, make_user: MakeUser, as_learner: FlaskClient
    ) -> None:
        job_id = put(MESSAGE, owner_id=make_user().id)

        assert as_learner.get(f"/jobs/{job_id}").status_code == 404
        assert post(as_learner, f"/jobs/{job_id}/cancel") == 404
        assert state_of(job_id) is JobState.QUEUED

    def test_is_cancelled_and_queued_again_by_its_owner(
        self, app: Flask, put: Put, make_user: MakeUser, sign_in: SignIn
    ) -> None:
        owner = make_user()
        job_id = put(MESSAGE, owner_id=owner.id)
        client = sign_in(owner)

        assert post(client, f"/jobs/{job_id}/cancel") == 302
        assert state_of(job_id) is JobState.CANCELLED
        assert "Try again" in client.get(f"/jobs/{job_id}").text
        assert post(client, f"/jobs/{job_id}/retry") == 302
        assert state_of(job_id) is JobState.QUEUED
        assert post(client, f"/jobs/{job_id}/retry") == 302
        assert "Only a job that failed" in client.get(f"/jobs/{job_id}").text

    def test_says_which_job_does_the_same_work(
        self, app: Flask, put: Put, as_admin: FlaskClient
    ) -> None:
        job_id = put(MESSAGE, unique_key="train")
        post(as_admin, f"/jobs/{job_id}/cancel")
        holder = put(MESSAGE, unique_key="train")

        assert post(as_admin, f"/jobs/{job_id}/retry") == 302

        assert f"waits or runs already, as job {holder}." in as_admin.get(f"/jobs/{job_id}").text
        assert state_of(job_id) is JobState.CANCELLED

    def test_clean_up_is_for_administrators(
        self, app: Flask, as_learner: FlaskClient, as_admin: FlaskClient
    ) -> None:
        assert post(as_learner, "/jobs/clean-up") == 403
        assert post(as_admin, "/jobs/clean-up") == 302
        assert post(as_admin, "/jobs/clean-up") == 302
        assert as_admin.get("/jobs").text.count('<tr id="job-') == 1
