"""Why jobs failed, told to readers of Chinese."""

import os
from collections.abc import Callable

import pytest
from flask import Flask

from dashboard.accounts.models import User
from dashboard.core.database import session, transaction, utcnow
from dashboard.job_queue.models import Job, JobState
from dashboard.job_queue.reasons import reason_of
from jobs.messages import BadMessage
from jobs.retry import NEVER
from jobs.runs import Stop, checked, judge
from jobs.store import ClaimedJob
from jobs.tasks import TaskRegistry, TimedOut
from tests.dashboard.job_queue.probe import Append

JOB = ClaimedJob(id=1, kind="k", args={}, owner_id=None, attempt=1, failures=0)
CHINESE = {"Accept-Language": "zh-CN"}


def too_large() -> ValueError:
    with pytest.raises(ValueError, match="bytes long") as caught:
        checked({"x": "y" * 2**20})
    return caught.value


def unknown() -> BadMessage:
    with pytest.raises(BadMessage) as caught:
        TaskRegistry([]).get("gone")
    return caught.value


class TestReasonOf:
    @pytest.mark.parametrize(
        ("error", "stop", "text"),
        [
            (TimedOut(), Stop.TIMEOUT, "超过 1.5 秒的时限"),
            (MemoryError(), None, "内存不足"),
            (unknown(), None, "未知的任务类型：gone"),
            (too_large(), None, "结果长达 1048585 字节；较大的结果应存为文件"),
            (RuntimeError("boom"), None, "boom"),
        ],
    )
    def test_translates_what_a_run_says(
        self, app: Flask, error: BaseException, stop: Stop | None, text: str
    ) -> None:
        outcome = judge(JOB, NEVER, error, stop=stop, timeout_s=1.5)

        with app.test_request_context(headers=CHINESE):
            assert reason_of(outcome.error) == text

    def test_is_the_same_in_english(self, app: Flask) -> None:
        with app.test_request_context(headers={"Accept-Language": "en"}):
            assert reason_of("timed out after 1.5 s") == "timed out after 1.5 s"

    @pytest.mark.parametrize(
        ("error", "text"),
        [
            ("its worker died 3 times", "执行它的进程已意外终止 3 次"),
            (
                "its process was killed by the system, most likely because memory ran out",
                "其进程被系统终止，很可能是内存耗尽",
            ),
            ("it used more than 2 s of processor time", "占用处理器超过 2 秒"),
            ("its process crashed (SIGSEGV)", "其进程崩溃（SIGSEGV）"),
            (
                "its process ended without an answer (exit code 7): 100 %(x)s",
                "其进程没有返回结果就结束了（退出码 7）：100 %(x)s",
            ),
        ],
    )
    def test_translates_what_became_of_its_process(self, app: Flask, error: str, text: str) -> None:
        with app.test_request_context(headers=CHINESE):
            assert reason_of(error) == text

    def test_is_read_on_the_pages(
        self,
        app: Flask,
        put: Callable[..., int],
        make_user: Callable[..., User],
        sign_in: Callable,
    ) -> None:
        owner = make_user()
        job_id = put(Append(path=os.devnull), owner_id=owner.id)
        with transaction():
            job = session.get_one(Job, job_id)
            job.state, job.ready, job.finished_at = JobState.FAILED, False, utcnow()
            job.error = "timed out after 60 s"
        client = sign_in(owner)

        for address in ("/jobs", f"/jobs/{job_id}"):
            assert "超过 60 秒的时限" in client.get(address, headers=CHINESE).text
