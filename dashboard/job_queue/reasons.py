"""Why jobs failed, in the reader's language, where the runner itself says why.

It keeps its reasons in English, because it knows nothing of who reads them; what a task says is shown as it is.
"""

import re
from typing import Any

from dashboard.core.i18n import lazy

_REASONS: tuple[tuple[str, Any], ...] = (
    (r"timed out after (?P<s>\S+) s", lazy("timed out after %(s)s s")),
    (r"its worker died (?P<n>\d+) times", lazy("its worker died %(n)s times")),
    (r"out of memory", lazy("out of memory")),
    (r"unknown kind of job: (?P<kind>.*)", lazy("unknown kind of job: %(kind)s")),
    (
        r"its process was killed by the system, most likely because memory ran out",
        lazy("its process was killed by the system, most likely because memory ran out"),
    ),
    (
        r"it used more than (?P<s>\d+) s of processor time",
        lazy("it used more than %(s)s s of processor time"),
    ),
    (r"its process crashed \((?P<signal>\w+)\)", lazy("its process crashed (%(signal)s)")),
    (
        r"its process ended without an answer \(exit code (?P<code>\d+)\): (?P<last>.*)",
        lazy("its process ended without an answer (exit code %(code)s): %(last)s"),
    ),
    (
        r"the result is (?P<n>\d+) bytes long; large results belong in files",
        lazy("the result is %(n)s bytes long; large results belong in files"),
    ),
)
"""What jobs/runs.py, jobs/children.py and the job store write, and its text in the catalogue."""


def reason_of(error: str) -> str:
    """The reason of a failed job in the reader's language."""
    for pattern, text in _REASONS:
        found = re.fullmatch(pattern, error, re.DOTALL)
        if found is not None:
            values = found.groupdict()
            return str(text) % values if values else str(text)
    return error
