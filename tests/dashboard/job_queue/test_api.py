"""Jobs over the API."""

import os
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.core.database import session, transaction
from dashboard.job_queue import queries
from dashboard.job_queue.models import Job, JobState
from tests.dashboard.job_queue.conftest import silent_claim, state_of
from tests.dashboard.job_queue.probe import Append

MESSAGE = Append(path=os.devnull)
API = "/api/v1/jobs"
Put = Callable[..., int]


@pytest.fixture
def owner(make_user: Callable[..., User]) -> User:
    return make_user()


@pytest.fixture
def own(owner: User, sign_in: Callable[[User], FlaskClient]) -> FlaskClient:
    return sign_in(owner)


@pytest.fixture
def csrf(own: FlaskClient) -> dict[str, str]:
    page = own.get("/jobs").text
    return {"X-CSRFToken": page.split('name="csrf-token" content="')[1].split('"')[0]}


class TestJobs:
    def test_lists_ones_own_with_state_and_label(
        self, app: Flask, put: Put, owner: User, own: FlaskClient
    ) -> None:
        job_id = put(MESSAGE, owner_id=owner.id)
        put(MESSAGE)

        answer = own.get(f"{API}?state=queued").get_json()

        assert answer["total"] == 1
        found = answer["items"][0]
        assert (found["id"], found["state"], found["state_label"]) == (job_id, "queued", "Queued")
        assert found["created_at"].endswith("+00:00")

    def test_refuses_visitors(self, app: Flask, client: FlaskClient) -> None:
        assert client.get(API).status_code == 401


class TestJobsStatus:
    def test_answers_304_until_something_changes(
        self, app: Flask, put: Put, owner: User, own: FlaskClient
    ) -> None:
        job_id, foreign = put(MESSAGE, owner_id=owner.id), put(MESSAGE)
        address = f"{API}/status?ids={job_id},{foreign}"

        first = own.get(address)
        same = own.get(address, headers={"If-None-Match": first.headers["ETag"]})
        with transaction():
            session.get_one(Job, job_id).state = JobState.DONE
        changed = own.get(address, headers={"If-None-Match": first.headers["ETag"]})

        assert [item["id"] for item in first.get_json()["items"]] == [job_id]
        assert (same.status_code, changed.status_code) == (304, 200)
        assert first.get_json()["poll_s"] < changed.get_json()["poll_s"]
        assert first.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("ids", ["", "x", "0", "1,,2", ",".join(["1"] * 101), "9" * 30])
    def test_refuses_what_are_no_ids(self, app: Flask, own: FlaskClient, ids: str) -> None:
        assert own.get(f"{API}/status?ids={ids}").status_code == 422

    def test_says_when_a_worker_fell_silent(
        self, each_database: str, app: Flask, put: Put, owner: User, own: FlaskClient
    ) -> None:
        job_id = put(MESSAGE, owner_id=owner.id)
        silent_claim(job_id, for_s=60)

        (item,) = own.get(f"{API}/status?ids={job_id}").get_json()["items"]

        assert item["state"] == "running"
        assert 61 <= item["silent_s"] < 90
        assert item["text"].startswith("Its worker has not been heard of for 6")


class TestJobById:
    def test_has_timeline_progress_and_log(
        self, app: Flask, put: Put, owner: User, own: FlaskClient
    ) -> None:
        job_id = put(MESSAGE, owner_id=owner.id)
        folder = queries.runs_dir() / str(job_id) / "0"
        folder.mkdir(parents=True)
        (folder / "log.txt").write_text("first\nsecond\nhalf a li")

        detail = own.get(f"{API}/{job_id}").get_json()
        log = own.get(f"{API}/{job_id}/log?offset=6").get_json()

        assert [event["kind"] for event in detail["events"]] == ["queued"]
        assert detail["queue_position"] == 1
        assert own.get(f"{API}/{job_id}/progress.json").get_json()["active"] is True
        assert log == {"text": "second\n", "next_offset": 13, "attempt": 0}

    def test_is_not_found_by_others(self, app: Flask, put: Put, own: FlaskClient) -> None:
        job_id = put(MESSAGE)

        for part in ("", "/progress.json", "/log"):
            assert own.get(f"{API}/{job_id}{part}").status_code == 404


class TestCancelAndRetry:
    def test_change_the_state(
        self, app: Flask, put: Put, owner: User, own: FlaskClient, csrf: dict[str, str]
    ) -> None:
        job_id = put(MESSAGE, owner_id=owner.id)

        assert own.post(f"{API}/{job_id}/cancel", headers=csrf).status_code == 202
        assert own.post(f"{API}/{job_id}/cancel", headers=csrf).status_code == 409
        assert own.post(f"{API}/{job_id}/retry", headers=csrf).status_code == 202
        assert state_of(job_id) is JobState.QUEUED

    def test_say_which_job_does_the_same_work(
        self, app: Flask, put: Put, owner: User, own: FlaskClient, csrf: dict[str, str]
    ) -> None:
        job_id = put(MESSAGE, owner_id=owner.id, unique_key="train")
        own.post(f"{API}/{job_id}/cancel", headers=csrf)
        holder = put(MESSAGE, owner_id=owner.id, unique_key="train")

        answer = own.post(f"{API}/{job_id}/retry", headers=csrf)

        assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
        assert f"The same work waits or runs already, as job {holder}." in answer.text
        assert state_of(job_id) is JobState.CANCELLED

    def test_need_a_csrf_token(self, app: Flask, put: Put, owner: User, own: FlaskClient) -> None:
        job_id = put(MESSAGE, owner_id=owner.id)

        assert own.post(f"{API}/{job_id}/cancel").status_code == 400
        assert state_of(job_id) is JobState.QUEUED
