"""Counts are exact: across processes, kills and restarts."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient

from dashboard.core.database import session
from dashboard.serving import journal, monitoring, queries, services
from dashboard.serving.journal import Answer, Journal
from dashboard.serving.models import Deployment
from dashboard.serving.services.counting import N_FAULTS, journal_folder
from tests.conftest import ROOT

Deployed = tuple[Deployment, str]


class TestQuantile:
    @pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
    def test_is_right_within_a_quarter(self, share: float) -> None:
        times = [0.1 * n for n in range(1, 1001)]
        counts: dict[int, int] = {}
        for ms in times:
            bucket = journal.bucket_of(ms)
            counts[bucket] = counts.get(bucket, 0) + 1

        found = journal.quantile(counts, share)

        assert found == pytest.approx(times[int(share * 1000) - 1], rel=0.25)

    def test_of_nothing_is_nothing(self) -> None:
        assert journal.quantile({}, 0.5) is None

    @pytest.mark.parametrize("ms", [0.0, 1e-9, 5.0, 1e9])
    def test_every_time_has_a_bucket(self, ms: float) -> None:
        assert 0 <= journal.bucket_of(ms) < journal.N_BUCKETS


class TestCountAll:
    def test_adds_every_answer_once(self, deployed: Deployed) -> None:
        deployment = deployed[0]
        for number in range(10):
            code = "invalid_input" if number < 3 else ""
            services.record(Answer(deployment.id, "sync", 2, code, ms={"total": 1.0 + number}))

        services.count_all()
        services.count_all()

        span = monitoring.total(queries.list_hours(deployment.id, hours=1))
        assert (span.n_requests, span.n_errors, span.n_records) == (10, 3, 20)
        assert (span.min_ms, span.max_ms, span.mean_ms) == (1.0, 10.0, 5.5)
        assert span.errors == {"invalid_input": 3}

    def test_a_killed_process_loses_nothing(self, deployed: Deployed) -> None:
        deployment = deployed[0]
        script = (
            "import sys, time\n"
            "from pathlib import Path\n"
            "from dashboard.serving.journal import Answer, Journal\n"
            "journal = Journal(Path(sys.argv[1]))\n"
            f"for n in range(500): journal.write(Answer({deployment.id}, 'sync', ms={{'total': 1.0}}))\n"
            "print('written', flush=True)\n"
            "time.sleep(60)\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(journal_folder())],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"

        services.count_all()
        before = monitoring.total(queries.list_hours(deployment.id, hours=1)).n_requests
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        services.count_all()

        # A journal that is written to is left alone.
        assert before == 0
        assert monitoring.total(queries.list_hours(deployment.id, hours=1)).n_requests == 500

    def test_a_crash_before_the_removal_counts_nothing_twice(self, deployed: Deployed) -> None:
        deployment = deployed[0]
        own = Journal(journal_folder())
        own.write(Answer(deployment.id, "sync"))
        own.rotate()
        path = next(journal.finished(journal_folder()))
        content = path.read_bytes()
        services.count_all()
        path.write_bytes(content)

        services.count_all()

        assert monitoring.total(queries.list_hours(deployment.id, hours=1)).n_requests == 1
        assert not path.exists()

    def test_threads_may_share_a_journal(self, deployed: Deployed) -> None:
        own, number = Journal(journal_folder()), deployed[0].id
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _n: own.write(Answer(number, "sync")), range(400)))
        own.rotate()

        services.count_all()

        assert monitoring.total(queries.list_hours(deployed[0].id, hours=1)).n_requests == 400

    def test_keeps_the_last_errors_only(self, deployed: Deployed) -> None:
        for number in range(N_FAULTS + 5):
            services.record(
                Answer(deployed[0].id, "sync", 1, "invalid_input", message=f"m{number}")
            )
            if number == 10:
                services.count_all()

        services.count_all()

        faults = queries.list_faults(deployed[0].id)
        assert len(faults) == N_FAULTS
        assert faults[0].message == f"m{N_FAULTS + 4}"

    def test_passes_over_lines_cut_short_and_unknown_deployments(self, deployed: Deployed) -> None:
        folder = journal_folder()
        folder.mkdir(parents=True, exist_ok=True)
        good = json.dumps([deployed[0].id, time.time(), "sync", 1, "", {}])
        gone = json.dumps([9999, time.time(), "sync", 1, "", {}])
        (folder / "1-1-x.jsonl").write_text(f"{good}\n{gone}\n{good[:10]}")

        services.count_all()

        assert monitoring.total(queries.list_hours(deployed[0].id, hours=1)).n_requests == 1
        session.rollback()


def test_prometheus_shows_the_sums(deployed: Deployed, as_admin: FlaskClient) -> None:
    services.record(Answer(deployed[0].id, "sync", 3, ms={"total": 2.0}))
    services.count_all()

    text = as_admin.get("/metrics").text

    assert f'atrium_predictions_total{{deployment="{deployed[0].name}"}} 1.0' in text
    assert f'atrium_prediction_records_total{{deployment="{deployed[0].name}"}} 3.0' in text
