"""The job runner under faults of servers and hosts, by the bench that counts what they cost."""

import json
import os
import subprocess
import sys

import pytest

from tests.factories.processes import ROOT

# The rest of the table takes the bench itself, which runs for half an hour.
FAULTS = (
    "kill -9 of a worker with children",
    "RabbitMQ: kill -9 and restart",
    "PostgreSQL: immediate stop",
)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_fault_loses_a_job_or_completes_one_twice() -> None:
    command = [sys.executable, "bench/job_faults.py", "--json", "--jobs", "40", "--only", *FAULTS]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    if done.returncode == 2 and not os.environ.get("CI"):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(done.stdout.splitlines()[-1])["rows"]
    assert len(rows) >= len(FAULTS)
    assert all(row["jobs"] >= 4 and row["times"] for row in rows)
    assert [row for row in rows if row["lost"] or row["completed_twice"]] == []
