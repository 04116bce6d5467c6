"""The embedded broker: no server, the job table itself is the queue.

A worker is woken by a datagram of the process that enqueued; one on another host finds the job when
it looks by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from jobs.broker import DeadLetter
from jobs.wakeup import Listener, Waker, wake_folder

HEAR_S = 5.0
"""How long the listener sleeps before it looks whether it was closed."""

STREAM_S, REST_S = 0.005, 0.002
"""When one datagram follows another within so many seconds, the listener rests after it."""


class EmbeddedBroker:
    """Rings the workers on this host."""

    def __init__(self, *, data_dir: Path) -> None:
        self._folder = wake_folder(data_dir)
        self._waker = Waker(self._folder)

    def publish(self, job_id: int, *, queue: str) -> None:
        self._waker.wake()

    def consume(
        self, queues: Sequence[str], *, worker: str, slots: int, ring: Callable[[], None]
    ) -> EmbeddedConsumer:
        return EmbeddedConsumer(Listener(self._folder), ring=ring)

    def depth(self, queue: str) -> int | None:
        return None  # there are no messages to lose

    def dead_letters(self, *, limit: int) -> list[DeadLetter]:
        return []

    def requeue_dead_letters(self) -> int:
        return 0

    def purge_dead_letters(self) -> int:
        return 0

    def close(self) -> None:
        pass


class EmbeddedConsumer:
    """Hears datagrams on a thread."""

    def __init__(self, listener: Listener, *, ring: Callable[[], None]) -> None:
        self._listener = listener
        self._ring = ring
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="job-listener", daemon=True)
        self._thread.start()

    def settle(self, n_claimed: int, *, all_heard: bool) -> None:
        pass  # a datagram asks for no answer

    def close(self) -> None:
        self._closed = True
        self._listener.nudge()
        self._thread.join(timeout=2.0)
        self._listener.close()

    def _loop(self) -> None:
        heard_at = 0.0
        while not self._closed:
            if self._listener.wait(HEAR_S):
                self._ring()
                if time.monotonic() - heard_at < STREAM_S:
                    # A sender pays for waking this thread, not for a datagram to one that sleeps.
                    time.sleep(REST_S)
                heard_at = time.monotonic()
