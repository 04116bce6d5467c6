"""A process beside this one, started again when it ends."""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Sequence

log = logging.getLogger(__name__)

RESTART_DELAY_S = 2.0
"""One that failed is started again after this long, so that a broken one does not spin."""


class Supervised:
    """Keeps a process running until `stop`; the end of its standard input tells it when this one was killed."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = list(argv)
        self._stopping = threading.Event()
        # Held while a process starts: `stop` finds it started, or it is never started.
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start it, and watch it from a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end by SIGTERM, and wait until it has."""
        with self._starting:
            self._stopping.set()
        if self._process and self._process.poll() is None:
            self._process.terminate()
        self._thread.join()

    def _watch(self) -> None:
        while (process := self._begin()) is not None:
            with process:
                code = process.wait()
            if not self._stopping.wait(RESTART_DELAY_S if code else 0):
                log.warning("%s ended (%s): starting it again", self._argv[-2], code)

    def _begin(self) -> subprocess.Popen[bytes] | None:
        with self._starting:
            if self._stopping.is_set():
                return None
            # A session of its own: Ctrl-C in a terminal reaches this process only, which then asks.
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._argv, stdin=subprocess.PIPE, start_new_session=True
            )
            return self._process
