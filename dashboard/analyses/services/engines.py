"""The engines that may be chosen here: our own, and foreign programs that whoever runs the portal allowed."""

from pathlib import Path

from dashboard.analyses.services import places
from dashboard.core.errors import Invalid, Problem
from dashboard.core.i18n import _
from jobs.engines import clonal
from jobs.engines.clonal.originals import Program, find_program


def offered_engines() -> list[str]:
    """The names of the engines, ours first; a program is among them when it is allowed and found."""
    return [clonal.ENGINE, *(program.value for program in Program if _path_of(program))]


def require_engine(name: str) -> str:
    """The name again. Raises Invalid for an engine that is not offered here."""
    if name not in offered_engines():
        message = _("This engine is not offered here.")
        raise Invalid(message, problems=[Problem("engine", message)])
    return name


def executable_of(program: Program) -> Path:
    """Where a program is. Raises Invalid when it is not allowed, or no longer there."""
    path = _path_of(program)
    if path is None:
        message = _("This engine is not offered here.")
        raise Invalid(message, problems=[Problem("engine", message)])
    return path


def _path_of(program: Program) -> Path | None:
    settings = places.settings()
    named = {Program.PYCLONE: settings.pyclone, Program.PYCLONE_VI: settings.pyclone_vi}[program]
    # Nothing named is "off", even where the program is on PATH.
    return find_program(program, named) if named else None
