"""The consumer: a thread with a connection of its own that hears for one worker."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pika
from pika.adapters.blocking_connection import BlockingChannel

from jobs.rabbitmq.topology import FAULTS, Topology, decode

log = logging.getLogger(__name__)

BACK_OFF_S = (0.5, 15.0)
IDLE_S = 1.0
"""How long the consumer thread sleeps when nothing comes: it is woken for everything else."""
ACK_EVERY_S = 0.5
PAUSE_AFTER_S = 2.0
"""A worker that has taken nothing for this long is busy: what was prefetched goes back to others."""


@dataclass(frozen=True, slots=True)
class _Bell:
    job_id: int
    tag: int
    last: bool
    """Whether it is the last one of its message, which may then be answered."""
    epoch: int
    """Delivery tags count anew on each connection: one of an old connection must not be used."""
    at: float
    """When it was heard, on the monotonic clock."""


class _Gone(Exception):
    """The channel or the consumer was closed by the broker."""


class RabbitMQConsumer:
    """One worker's ear, on a thread and a connection of its own that are made anew when lost."""

    def __init__(
        self,
        topology: Topology,
        *,
        queues: Sequence[str],
        worker: str,
        slots: int,
        ring: Callable[[], None],
    ) -> None:
        self._topology = topology
        self._queues = list(queues)
        self._worker = worker
        self._ring = ring
        self._prefetch = max(2, slots * 2)
        self._answered: list[_Bell] = []
        """The last bells of messages that the broker may forget."""
        self._acked_at = 0.0
        self._lock = threading.Lock()
        self._heard: deque[_Bell] = deque()
        self._closed = False
        self._settled_at = time.monotonic()
        self._paused_at = 0.0
        self._epoch = 0
        self._connection: pika.BlockingConnection | None = None
        self._channel: BlockingChannel | None = None
        self._consuming: list[str] = []
        self._cancelled = False
        self._thread = threading.Thread(target=self._loop, name="rabbitmq-consumer", daemon=True)
        self._thread.start()

    # Called by the worker

    def heard(self) -> list[int]:
        """The jobs whose bells are not answered yet, oldest first."""
        with self._lock:
            return [bell.job_id for bell in self._heard]

    def settle(self, n_claimed: int, *, all_heard: bool) -> None:
        with self._lock:
            self._settled_at = time.monotonic()
            n_answered = len(self._heard) if all_heard else min(n_claimed, len(self._heard))
            bells = [self._heard.popleft() for _ in range(n_answered)]
            self._answered += [bell for bell in bells if bell.last]
            # Waking the connection's thread costs more than a message: it answers by itself soon.
            due = len(self._answered) >= self._prefetch // 2
        if due or not self._consuming:
            self._call(self._ack)

    def close(self) -> None:
        self._closed = True
        self._call(lambda: None)
        self._thread.join(timeout=5.0)

    def _call(self, callback: Callable[[], None]) -> None:
        connection = self._connection
        # A lost connection is no fault here: the broker rings again, which does no harm.
        with contextlib.suppress(*FAULTS):
            if connection is not None:
                connection.add_callback_threadsafe(callback)

    # The thread of the connection: pika objects are used nowhere else

    def _loop(self) -> None:
        shortest, longest = BACK_OFF_S
        wait = shortest
        while not self._closed:
            started = time.monotonic()
            try:
                self._serve()
            except (*FAULTS, _Gone) as error:
                log.warning("connection to RabbitMQ lost: %r", error)
            except Exception:
                log.exception("RabbitMQ consumer")
            self._forget()
            wait = shortest if time.monotonic() - started > longest else min(longest, wait * 2)
            self._rest(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads reconnects

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._closed and time.monotonic() < until:
            time.sleep(0.1)

    def _serve(self) -> None:
        parameters = self._topology.parameters(name=f"worker {self._worker}")
        with contextlib.closing(pika.BlockingConnection(parameters)) as connection:
            self._open(connection)
            while not self._closed:
                connection.process_data_events(time_limit=IDLE_S)
                # process_data_events does not raise when only the channel was closed (pika 1.4.4):
                # without this look the consumer would sit there deaf.
                if self._cancelled or self._channel is None or not self._channel.is_open:
                    raise _Gone("the broker closed the channel or the queue")
                self._pace()
            self._pause()

    def _open(self, connection: pika.BlockingConnection) -> None:
        channel = connection.channel()
        self._topology.declare(channel, self._queues)
        channel.basic_qos(prefetch_count=self._prefetch)
        channel.add_on_cancel_callback(self._on_cancel)
        self._epoch += 1
        self._channel, self._connection, self._cancelled = channel, connection, False
        log.info("connected to RabbitMQ")

    def _on_cancel(self, _frame: Any) -> None:
        self._cancelled = True

    def _pace(self) -> None:
        """Answer, hear bells while the worker claims jobs, and give them back while it is busy."""
        if time.monotonic() - self._acked_at > ACK_EVERY_S:
            self._ack()
        if self._consuming:
            if self._unanswered_s() > PAUSE_AFTER_S:
                self._pause()
                self._paused_at = time.monotonic()
        elif self._settled_at >= self._paused_at:
            channel = cast(BlockingChannel, self._channel)
            self._consuming = [
                channel.basic_consume(self._topology.queue(queue), self._on_message)
                for queue in self._queues
            ]

    def _ack(self) -> None:
        with self._lock:
            tags = [bell.tag for bell in self._answered if bell.epoch == self._epoch]
            self._answered.clear()
        self._acked_at = time.monotonic()
        channel = self._channel
        if tags and channel is not None and channel.is_open:
            # Messages are answered in the order they came, so one answer does for all up to the last.
            channel.basic_ack(tags[-1], multiple=True)

    def _unanswered_s(self) -> float:
        """How long the worker has left the oldest bell alone."""
        with self._lock:
            if not self._heard:
                return 0.0
            return time.monotonic() - max(self._settled_at, self._heard[0].at)

    def _pause(self) -> None:
        channel = cast(BlockingChannel, self._channel)
        for tag in self._consuming:
            channel.basic_cancel(tag)
        self._consuming = []
        self._ack()
        with self._lock:
            held = [bell.tag for bell in self._heard if bell.last]
            self._heard.clear()
        for number in held:
            # One by one: what the worker answers meanwhile is not among them.
            channel.basic_nack(number, requeue=True)

    def _on_message(self, channel: BlockingChannel, method: Any, _header: Any, body: bytes) -> None:
        job_ids = decode(body)
        if job_ids is None:
            log.error("not a message of ours: dead-lettered (%d bytes)", len(body))
            channel.basic_reject(method.delivery_tag, requeue=False)
            return
        tag, epoch, now = method.delivery_tag, self._epoch, time.monotonic()
        bells = [_Bell(job_id, tag, False, epoch, now) for job_id in job_ids]
        bells[-1] = replace(bells[-1], last=True)
        with self._lock:
            self._heard.extend(bells)
        self._ring()

    def _forget(self) -> None:
        """Drop what came over a connection that is gone; the broker delivers it again."""
        with self._lock:
            self._heard.clear()
            self._answered.clear()
        self._epoch += 1
        self._paused_at = 0.0
        self._consuming = []
        self._connection = self._channel = None
