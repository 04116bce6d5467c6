"""Limits of a process that opens a model, set by the process itself before it opens anything."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MAX_FILE_BYTES = 2**30
MAX_OPEN_FILES = 256
# What the interpreter and the engine's libraries hold before any model is loaded.
BASE_BYTES = 96 * 2**20


def limit_process(*, memory_bytes: int, cpu_s: int | None = None) -> None:
    """Bound the memory that this process may write to, its files, and its CPU time.

    The address space is no measure of a JVM, which reserves far more than it uses: RLIMIT_DATA counts what may be
    written to.
    """
    data = memory_bytes + BASE_BYTES
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for what, value in (
        (resource.RLIMIT_DATA, data),
        (resource.RLIMIT_FSIZE, MAX_FILE_BYTES),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
    ):
        with contextlib.suppress(ValueError, OSError):  # a lower hard limit holds already
            resource.setrlimit(what, (value, value))
    if cpu_s is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 2))


def clean_environment() -> dict[str, str]:
    """What a process that opens a model gets to see: no secret, no option of Java or Python from outside."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LANG", "LC_ALL", "TMPDIR")
        if name in os.environ
    }
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        # Threads that wait for each other cost more than they do here, and each takes memory.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def child_command(module: str, *arguments: str) -> list[str]:
    """The command line of a module of ours in a process of its own."""
    return [sys.executable, "-m", f"jobs.engines.scoring.{module}", *arguments]
