"""Retry policy: whether a job that raised is run again, and when."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential back-off with jitter."""

    max_failures: int = 3
    """The job is failed at this many failures; 1 means it is never tried again."""
    base_s: float = 2.0
    """Wait after the first failure; doubled after each further one."""
    cap_s: float = 600.0
    """The longest wait."""
    jitter: float = 0.25
    """Each wait is spread by this fraction, so that jobs that failed together do not return together."""
    fatal: tuple[type[BaseException], ...] = ()
    """Errors that another try cannot mend."""

    def delay_s(self, *, failures: int, spread: Callable[[], float] = random.random) -> float:
        """Seconds to wait after the given number of failures; `spread` returns 0 to 1."""
        # The exponent is bounded because 2.0 ** 2000 overflows.
        wait = min(self.cap_s, self.base_s * 2.0 ** min(failures - 1, 32))
        return wait * (1.0 + self.jitter * (2.0 * spread() - 1.0))


NEVER = Retry(max_failures=1)
"""The policy of work that must not be tried again by itself."""
