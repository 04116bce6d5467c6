"""The embedded broker: no server, the job store itself is the queue.

A consumer claims as many waiting jobs as its worker has free slots. It is woken by a datagram of
the process that enqueued, and looks by itself every `poll_s` for jobs whose time has come.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from jobs.broker import Delivery
from jobs.store import Claims
from jobs.wakeup import Listener, wake, wake_folder


class EmbeddedBroker:
    """Rings the workers on this host; workers elsewhere find the job when they look."""

    def __init__(self, store: Claims, *, data_dir: Path, lease_s: float, poll_s: float) -> None:
        self._store = store
        self._folder = wake_folder(data_dir)
        self._lease_s = lease_s
        self._poll_s = poll_s

    def publish(self, job_id: int, *, queue: str) -> None:
        wake(self._folder)

    def consume(self, queues: Sequence[str], *, worker: str, slots: int) -> EmbeddedConsumer:
        return EmbeddedConsumer(
            self._store,
            queues=queues,
            worker=worker,
            listener=Listener(self._folder),
            lease_s=self._lease_s,
            poll_s=self._poll_s,
        )

    def depth(self, queue: str) -> int | None:
        return None  # there are no messages to lose

    def close(self) -> None:
        pass


class EmbeddedConsumer:
    """Claims waiting jobs for one worker."""

    def __init__(
        self,
        store: Claims,
        *,
        queues: Sequence[str],
        worker: str,
        listener: Listener,
        lease_s: float,
        poll_s: float,
    ) -> None:
        self._store = store
        self._queues = list(queues)
        self._worker = worker
        self._listener = listener
        self._lease_s = lease_s
        self._poll_s = poll_s
        self._closed = threading.Event()

    def get(self, *, limit: int, timeout_s: float) -> list[Delivery]:
        until = time.monotonic() + timeout_s
        while not self._closed.is_set():
            found = self._claim(limit)
            if found:
                return found
            self._listener.wait(min(until - time.monotonic(), self._poll_s))
            if time.monotonic() >= until:
                break  # the next call looks at once
        return []

    def _claim(self, limit: int) -> list[Delivery]:
        jobs = self._store.claim_next(
            queues=self._queues, worker=self._worker, lease_s=self._lease_s, limit=limit
        )
        return [Delivery(job_id=job.id, job=job) for job in jobs]

    def ack(self, delivery: Delivery) -> None:
        pass  # the claim was the acknowledgement

    def nack(self, delivery: Delivery) -> None:
        pass

    def close(self) -> None:
        self._closed.set()
        self._listener.close()
