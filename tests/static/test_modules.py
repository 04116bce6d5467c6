"""Runs the tests of the browser's modules (*.test.mjs beside this file) with Node's own runner."""

import shutil
import subprocess

import pytest

from tests.conftest import ROOT


def test_the_modules_do_what_they_promise() -> None:
    node = shutil.which("node") or shutil.which("node", path=str(ROOT / ".venv" / "bin"))
    if node is None:
        pytest.fail('no Node on this machine; "make setup" installs one')

    files = sorted(str(path) for path in (ROOT / "tests" / "static").glob("*.test.mjs"))
    run = subprocess.run(
        [node, "--test", *files], capture_output=True, text=True, timeout=120, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr
