"""Brokers: how a worker hears that a job waits. The row is the truth; a message is only the bell.

A bell says that something waits, not what: the worker then claims what is next by priority and turn.
So a bell may be lost, doubled or late. An idle worker looks by itself now and then, which is what
a lost bell costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class BrokerUnavailable(Exception):
    """The broker cannot be reached just now."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that is not one of ours."""

    queue: str
    """Where it was found; empty when the broker does not say."""
    body: bytes


class Consumer(Protocol):
    """One worker's ear; thread-safe. It calls the worker's `ring` from a thread of its own."""

    def settle(self, n_claimed: int, *, all_heard: bool) -> None:
        """Answer for the bells heard so far: as many as jobs were claimed, or all when no job is left."""
        ...

    def close(self) -> None: ...


class Broker(Protocol):
    """A way to ring workers."""

    def publish(self, job_id: int, *, queue: str) -> None:
        """Ring for a committed job. Never blocks and never raises."""
        ...

    def consume(
        self, queues: Sequence[str], *, worker: str, slots: int, ring: Callable[[], None]
    ) -> Consumer: ...

    def depth(self, queue: str) -> int | None:
        """Messages that wait for a consumer; None when there are none to count or no answer."""
        ...

    def dead_letters(self, *, limit: int) -> list[DeadLetter]:
        """The oldest messages that nobody could read; they stay."""
        ...

    def requeue_dead_letters(self) -> int:
        """Send them once more to where they were found; how many."""
        ...

    def purge_dead_letters(self) -> int:
        """Remove them; how many they were."""
        ...

    def close(self) -> None: ...
