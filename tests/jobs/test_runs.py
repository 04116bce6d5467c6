import threading
from pathlib import Path
from typing import Any

import pytest

from jobs import runs
from jobs.messages import BadMessage, kind_of
from jobs.retry import NEVER, Retry
from jobs.runs import ChildFailed, RemoteError, Run, Stop, checked, judge, one_line
from jobs.store import ClaimedJob, Outcome, Verdict
from jobs.tasks import Cancelled, Task, TimedOut
from tests.jobs.test_messages import Greet

JOB = ClaimedJob(id=1, kind="sample.greet", args={}, owner_id=None, attempt=1, failures=0)
STEADY = Retry(max_failures=3, base_s=4.0, jitter=0.0)


def make_run(folder: Path, written: list[Any]) -> Run:
    task = Task(
        kind=kind_of(Greet),
        function=lambda message, ctx: None,
        isolate=False,
        retry=NEVER,
        timeout_s=60,
    )
    return Run(
        JOB, task, folder=folder, write_progress=lambda job, *progress: written.append(progress)
    )


class TestJudge:
    @pytest.mark.parametrize(
        ("error", "stop", "verdict", "reason"),
        [
            (ValueError("bad"), None, Verdict.RETRY, "bad"),
            (ValueError("bad"), Stop.CANCEL, Verdict.CANCELLED, ""),
            (Cancelled(), Stop.RELEASE, Verdict.RELEASED, ""),
            (Cancelled(), Stop.TIMEOUT, Verdict.FAILED, "timed out after 9 s"),
            (Cancelled(), None, Verdict.CANCELLED, ""),
            (TimedOut(), None, Verdict.FAILED, "timed out after 9 s"),
            (ChildFailed("crashed"), None, Verdict.FAILED, "crashed"),
            (MemoryError(), None, Verdict.FAILED, "out of memory"),
            (BadMessage("no such field"), None, Verdict.FAILED, "no such field"),
            (RemoteError("x", traceback="t", fatal=True), None, Verdict.FAILED, "x"),
            (RemoteError("x", traceback="t", fatal=False), None, Verdict.RETRY, "x"),
        ],
    )
    def test_tells_ends_apart(
        self, error: BaseException, stop: Stop | None, verdict: Verdict, reason: str
    ) -> None:
        outcome = judge(JOB, STEADY, error, stop=stop, timeout_s=9)

        assert (outcome.verdict, outcome.error) == (verdict, reason)

    def test_lets_the_job_override_how_often(self) -> None:
        once = ClaimedJob(**{**_fields(JOB), "max_failures": 1})

        assert judge(once, STEADY, ValueError(), stop=None, timeout_s=None) == Outcome(
            Verdict.FAILED, error="ValueError", traceback="ValueError\n"
        )

    def test_is_final_for_fatal_errors(self) -> None:
        outcome = judge(JOB, Retry(fatal=(LookupError,)), KeyError("k"), stop=None, timeout_s=None)

        assert (outcome.verdict, outcome.error) == (Verdict.FAILED, "missing key 'k'")


class TestOneLine:
    def test_is_one_short_line(self) -> None:
        assert one_line(ValueError("a\n  b" + "c" * 900)) == "a b" + "c" * 497

    def test_has_nothing_that_a_database_refuses(self) -> None:
        assert one_line(ValueError("a\0b\ud800c")) == "ab?c"


class TestChecked:
    @pytest.mark.parametrize("result", [{"x": {1}}, {"x": float("nan")}, {"x": "y" * 300_000}])
    def test_refuses_what_does_not_fit_into_the_row(self, result: Any) -> None:
        with pytest.raises((TypeError, ValueError)):
            checked(result)

    def test_takes_plain_values(self) -> None:
        assert checked({"x": [1, "二", None]}) == {"x": [1, "二", None]}


class TestRun:
    def test_writes_progress_now_and_then(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written: list[Any] = []
        run = make_run(tmp_path, written)

        for percent in range(100):
            run.progress(percent / 100, "x")
        monkeypatch.setattr(runs, "PROGRESS_EVERY_S", 0.0)
        run.flush_progress()

        assert written == [(0.0, "x"), (0.99, "x")]

    def test_cuts_a_log_that_floods(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(runs, "MAX_LOG_BYTES", 1000)
        run = make_run(tmp_path, [])

        for _ in range(1000):
            run.log("0123456789" * 3)
        run.close()
        run.log("after the end")

        text = (tmp_path / "log.txt").read_text()
        assert len(text) < 1100
        assert text.endswith("... the log is cut here\n")

    def test_stays_lost_whatever_is_asked_later(self, tmp_path: Path) -> None:
        run = make_run(tmp_path, [])

        for reason in (Stop.CANCEL, Stop.LOST, Stop.RELEASE):
            run.ask_to_stop(reason)

        assert run.stop is Stop.LOST

    def test_logs_from_many_threads_in_whole_lines(self, tmp_path: Path) -> None:
        run = make_run(tmp_path, [])
        threads = [
            threading.Thread(target=lambda: [run.log("y" * 50) for _ in range(50)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        run.close()

        lines = (tmp_path / "log.txt").read_text().splitlines()
        assert len(lines) == 200
        assert {line.split(" ", 2)[2] for line in lines} == {"y" * 50}


def _fields(job: ClaimedJob) -> dict[str, Any]:
    return {name: getattr(job, name) for name in ClaimedJob.__slots__}
