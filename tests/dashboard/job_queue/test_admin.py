"""Jobs in the dashboard."""

from collections.abc import Callable

import pytest
from flask import Flask

from dashboard.accounts.models import User
from dashboard.core.database import session
from dashboard.job_queue.models import Job, JobState
from tests.factories.dashboard import Desk, rows_of

MakeJob = Callable[..., Job]


@pytest.fixture
def make_job(app: Flask) -> MakeJob:
    def make_job(state: JobState = JobState.QUEUED, **fields: object) -> Job:
        job = Job(
            **{"kind": "job_queue.clean_up", "queue": "default", "args": {}, **fields}, state=state
        )
        session.add(job)
        session.commit()
        return job

    return make_job


class TestList:
    def test_shows_everybodys_jobs_with_their_owner(
        self, desk: Desk, make_user: Callable[..., User], make_job: MakeJob
    ) -> None:
        make_job(owner_id=make_user(nickname="Ana").id)
        make_job(JobState.DONE)

        rows = rows_of(desk.get("/jobs/"))

        assert "Completed" in rows[0]
        assert "the portal" in rows[0]
        assert "Queued" in rows[1]
        assert "Ana" in rows[1]

    def test_filters_by_state_and_kind(self, desk: Desk, make_job: MakeJob) -> None:
        failed = make_job(JobState.FAILED)
        make_job(JobState.DONE, kind="recommendations.train")

        for query in ("flt_state=failed", "flt_kind=job_queue.clean_up"):
            rows = rows_of(desk.get(f"/jobs/?{query}"))
            assert [row.split()[0] for row in rows] == [f"#{failed.id}"], query

    def test_leads_to_the_page_of_a_job(self, desk: Desk, make_job: MakeJob) -> None:
        assert f'href="/jobs/{make_job().id}"' in desk.get("/jobs/").text

    def test_costs_a_fixed_number_of_queries(
        self,
        desk: Desk,
        make_user: Callable[..., User],
        make_job: MakeJob,
        count_queries: Callable[..., int],
    ) -> None:
        make_job(owner_id=make_user().id)
        desk.get("/jobs/")
        few = count_queries(lambda: desk.get("/jobs/"))
        for _number in range(10):
            make_job(owner_id=make_user().id)

        assert count_queries(lambda: desk.get("/jobs/")) == few


class TestDetails:
    def test_say_why_a_job_failed(self, desk: Desk, make_job: MakeJob) -> None:
        job = make_job(JobState.FAILED, error="the disk is full", args={"n": 1})

        text = desk.get(f"/jobs/details/?id={job.id}").text

        assert "the disk is full" in text
        assert "n=1" in text


class TestCancel:
    def test_asks_first(self, desk: Desk, make_job: MakeJob) -> None:
        job = make_job()

        response = desk.post("/jobs/action/", action="cancel", rowid=job.id)

        assert "Do you want to cancel these jobs?" in response.text
        assert session.get_one(Job, job.id).state is JobState.QUEUED

    def test_cancels_what_waits_and_asks_what_runs_to_stop(
        self, desk: Desk, make_job: MakeJob
    ) -> None:
        waiting, running = make_job(), make_job(JobState.RUNNING)

        desk.post("/jobs/action/", action="cancel", rowid=[waiting.id, running.id], confirm="yes")

        assert session.get_one(Job, waiting.id).state is JobState.CANCELLED
        assert session.get_one(Job, running.id).cancel_requested

    def test_changes_none_when_one_is_over(self, desk: Desk, make_job: MakeJob) -> None:
        waiting, over = make_job(), make_job(JobState.DONE)

        response = desk.post(
            "/jobs/action/", action="cancel", rowid=[waiting.id, over.id], confirm="yes"
        )

        assert "Only a job that waits or runs can be cancelled." in response.text
        assert session.get_one(Job, waiting.id).state is JobState.QUEUED


class TestRetry:
    def test_queues_failed_jobs_again(self, desk: Desk, make_job: MakeJob) -> None:
        job = make_job(JobState.FAILED, error="x", failures=3)

        response = desk.post("/jobs/action/", action="retry", rowid=job.id)

        assert "Jobs queued again: 1" in response.text
        assert session.get_one(Job, job.id).state is JobState.QUEUED


class TestChanges:
    @pytest.mark.parametrize("page", ["new", "edit"])
    def test_by_form_are_not_possible(self, desk: Desk, make_job: MakeJob, page: str) -> None:
        assert desk.client.get(f"/admin/jobs/{page}/?id={make_job().id}").status_code == 302

    def test_delete_nothing(self, desk: Desk, make_job: MakeJob) -> None:
        job = make_job()

        assert desk.post("/jobs/delete/", id=job.id, confirm="yes").status_code == 403
        assert desk.post("/jobs/action/", action="delete", rowid=job.id).status_code == 404
