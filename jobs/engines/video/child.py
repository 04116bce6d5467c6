"""Runs the check in a process of its own: a hostile file may crash or hang that, and nothing else."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from jobs.engines.video.verdict import Fault, Verdict, VideoCheck

ROOT = Path(__file__).resolve().parents[3]
MEMORY_BYTES = 2 * 2**30
CPU_S = 60
# Hashing a large file takes processor time that says nothing against it.
BYTES_PER_CPU_S = 50 * 2**20
LOOK_EVERY_S = 0.1
MAX_ANSWER_BYTES = 64 * 2**10


def check_video(
    path: Path, *, poster: Path, check: Callable[[], None] = lambda: None
) -> VideoCheck:
    """The verdict on the file at `path`; always one, whatever the file does to its reader.

    Writes a JPEG to `poster` when there is a picture. `check` is called now and then and may raise to end it.
    """
    if not path.is_file():
        return VideoCheck(Verdict.FAILED, fault=Fault.MISSING_FILE)
    cpu_s = CPU_S + path.stat().st_size // BYTES_PER_CPU_S
    with tempfile.TemporaryFile() as answer:
        code = _run(path, poster, cpu_s=cpu_s, answer=answer.fileno(), check=check)
        answer.seek(0)
        text = answer.read(MAX_ANSWER_BYTES)
    if code != 0:
        # Killed at a limit, or crashed: both say that this file is not to be trusted with a browser.
        fault = Fault.CHECK_FAILED if code is None else Fault.BROKEN
        return VideoCheck(Verdict.FAILED, fault=fault)
    return VideoCheck.from_dict(json.loads(text))


def _run(
    path: Path, poster: Path, *, cpu_s: int, answer: int, check: Callable[[], None]
) -> int | None:
    """The exit code of the child; None when it took too long."""
    # Nothing of the portal's environment: secrets have no business near an unknown file.
    environment = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    process = subprocess.Popen(  # noqa: S603 - our own module, arguments as a list
        [
            *(sys.executable, "-m", "jobs.engines.video"),
            *(str(path), str(poster), str(MEMORY_BYTES), str(cpu_s)),
        ],
        stdin=subprocess.DEVNULL,
        stdout=answer,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=ROOT,
    )
    deadline = time.monotonic() + 4 * cpu_s
    try:
        while time.monotonic() < deadline:
            try:
                return process.wait(LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                check()
        return None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
