"""Models that nobody here wrote give the outputs that were published with them, or another engine's."""

import json
import subprocess
import sys

import pytest

from tests.factories.shared_data import ROOT, shared_data


@pytest.mark.parametrize(("folder", "n_files"), [("pmml", 22), ("onnx", 7)])
def test_every_sample_file_gives_its_expected_outputs(folder: str, n_files: int) -> None:
    command = [sys.executable, "-m", "tests.jobs.engines.scoring.score_all"]
    done = subprocess.run(
        [*command, str(shared_data(f"models/{folder}"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found) == n_files
    assert {name: fault for name, fault in found.items() if fault} == {}
