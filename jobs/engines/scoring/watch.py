"""What watches a replica from inside: a thread that ends the process when it must."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable

from jobs.engines.scoring.limits import BASE_BYTES

EXIT_HUNG, EXIT_MEMORY = 70, 71
HANG_GRACE_S = 1.0
"""After its deadline a request gets this long to end by itself, then the process ends."""
WATCH_EVERY_S = 0.2


class Watch:
    """Ends the process when its parent has gone, when a request hangs, or when it holds too much memory."""

    def __init__(self, parent: int, *, memory_bytes: int) -> None:
        self._parent, self._memory_bytes = parent, memory_bytes
        self.deadline: float | None = None
        """When the request that is worked on must have ended (time.monotonic)."""
        self.interrupt: Callable[[], None] = lambda: None
        """Asks the engine to stop."""

    def start(self) -> None:
        threading.Thread(target=self._watch, name="watch", daemon=True).start()

    def _watch(self) -> None:
        while True:
            ready, _, _ = select.select([self._parent], [], [], WATCH_EVERY_S)
            if ready and not os.read(self._parent, 4096):
                os._exit(0)
            deadline = self.deadline
            late_s = 0.0 if deadline is None else time.monotonic() - deadline
            if late_s > HANG_GRACE_S:
                os._exit(EXIT_HUNG)
            if late_s > 0:
                self.interrupt()
            if resident_bytes() > self._memory_bytes + BASE_BYTES:
                os._exit(EXIT_MEMORY)


def resident_bytes(pid: int | str = "self") -> int:
    """Memory that a process holds."""
    with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123 - read many times a second
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
