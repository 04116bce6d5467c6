"""Brokers: how a worker hears that a job waits. The row is the truth; a message is only the bell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jobs.store import ClaimedJob


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for a consumer."""

    job_id: int
    job: ClaimedJob | None = None
    """Set when the broker has claimed the job already."""
    tag: Any = None
    """The broker's own handle for ack and nack."""


class Consumer(Protocol):
    """One worker's ear. `get` is called by one thread; everything else by any."""

    def get(self, *, limit: int, timeout_s: float) -> Sequence[Delivery]:
        """Up to `limit` deliveries, waiting at most `timeout_s` for the first."""
        ...

    def ack(self, delivery: Delivery) -> None: ...

    def nack(self, delivery: Delivery) -> None:
        """Give a delivery back for another worker."""
        ...

    def close(self) -> None: ...


class Broker(Protocol):
    """A way to ring workers."""

    def publish(self, job_id: int, *, queue: str) -> None:
        """Ring for a committed job. Never blocks and never raises: the sweeper repairs what is lost."""
        ...

    def consume(self, queues: Sequence[str], *, worker: str, slots: int) -> Consumer: ...

    def depth(self, queue: str) -> int | None:
        """Messages that wait for a consumer; None when there are none to count or no answer."""
        ...

    def close(self) -> None: ...
