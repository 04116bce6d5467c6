"""A run by a foreign program: in the job's folder, with limits, its lines in the job's log."""

import contextlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from flask import current_app

from dashboard.analyses.services import engines, places
from dashboard.core.errors import Conflict
from dashboard.core.i18n import _
from jobs.engines.clonal import Clustering, ClusteringConfig, MutationTable
from jobs.engines.clonal.originals import OriginalFailed, Program, run_original
from jobs.engines.clonal.program_run import Limits

LOG = "program.log"
# A program that prints a line for each of ten thousand iterations must not fill the job's log.
LINE_EVERY_S = 1.0


def run_foreign(
    program: Program,
    table: MutationTable,
    config: ClusteringConfig,
    *,
    folder: Path,
    progress: Callable[[float, str], None],
    log: Callable[[str], None],
) -> tuple[Clustering, str]:
    """The clusters that a program finds, and its version.

    progress may raise to stop it; its own log stays in `folder`. Raises Invalid when it is not offered any
    more, Conflict with its last words when it fails."""
    work = folder / "program"
    settings = places.settings()
    limits = Limits(
        seconds=settings.program_hours * 3600,
        memory_bytes=current_app.config["ATRIUM"].jobs.child_memory_bytes,
    )
    try:
        original = run_original(
            program,
            engines.executable_of(program),
            table,
            config,
            work,
            limits=limits,
            progress=progress,
            say=_now_and_then(log),
        )
    except OriginalFailed as error:
        raise Conflict(
            _("%(program)s failed: %(why)s", program=program.value, why=error)
        ) from error
    finally:
        with contextlib.suppress(OSError):
            (work / LOG).replace(folder / LOG)
        shutil.rmtree(work, ignore_errors=True)
    for warning in original.warnings:
        log(warning)
    return original.result, original.version


def _now_and_then(log: Callable[[str], None]) -> Callable[[str], None]:
    last = -LINE_EVERY_S

    def say(line: str) -> None:
        nonlocal last
        if line.strip() and time.monotonic() - last >= LINE_EVERY_S:
            last = time.monotonic()
            log(line)

    return say
