"""The consumer: a thread with a connection of its own that hears for one worker."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pika
from pika.adapters.blocking_connection import BlockingChannel

from jobs.broker import Delivery
from jobs.rabbitmq.topology import FAULTS, Topology, decode

log = logging.getLogger(__name__)

BACK_OFF_S = (0.5, 15.0)
IDLE_S = 1.0
"""How long the consumer thread sleeps when nothing comes: it is woken for everything else."""
PAUSE_AFTER_S = 2.0
"""A worker that has taken nothing for this long is busy: what was prefetched goes back to others."""


@dataclass(frozen=True, slots=True)
class _Tag:
    epoch: int
    """Delivery tags count anew on each connection: one of an old connection must not be used."""
    number: int


class _Gone(Exception):
    """The channel or the consumer was closed by the broker."""


class RabbitMQConsumer:
    """One worker's ear, on a thread and a connection of its own that are made anew when lost."""

    def __init__(
        self, topology: Topology, *, queues: Sequence[str], worker: str, slots: int
    ) -> None:
        self._topology = topology
        self._queues = list(queues)
        self._worker = worker
        self._prefetch = max(2, slots * 2)
        self._changed = threading.Condition()
        self._buffer: deque[Delivery] = deque()
        self._closed = False
        self._asked_at = time.monotonic()
        self._epoch = 0
        self._connection: pika.BlockingConnection | None = None
        self._channel: BlockingChannel | None = None
        self._consuming: list[str] = []
        self._cancelled = False
        self._thread = threading.Thread(target=self._loop, name="rabbitmq-consumer", daemon=True)
        self._thread.start()

    # Called by the worker

    def get(self, *, limit: int, timeout_s: float) -> list[Delivery]:
        with self._changed:
            self._asked_at = time.monotonic()
            if not self._buffer:
                self._wake()
                self._changed.wait_for(lambda: self._buffer or self._closed, timeout_s)
            self._asked_at = time.monotonic()
            return [self._buffer.popleft() for _ in range(min(limit, len(self._buffer)))]

    def ack(self, delivery: Delivery) -> None:
        self._settle(delivery, lambda channel, tag: channel.basic_ack(tag))

    def nack(self, delivery: Delivery) -> None:
        self._settle(delivery, lambda channel, tag: channel.basic_nack(tag, requeue=True))

    def close(self) -> None:
        self._closed = True
        self._wake()
        self._thread.join(timeout=5.0)

    def _settle(self, delivery: Delivery, answer: Callable[[BlockingChannel, int], None]) -> None:
        tag: _Tag = delivery.tag

        def settle() -> None:
            if tag.epoch == self._epoch and self._channel is not None and self._channel.is_open:
                answer(self._channel, tag.number)

        self._wake(settle)

    def _wake(self, callback: Callable[[], None] = lambda: None) -> None:
        connection = self._connection
        # A lost connection is no fault here: the broker delivers again and the claim refuses doubles.
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
        """Take messages while the worker asks for them, and give them back while it is busy."""
        busy = time.monotonic() - self._asked_at > PAUSE_AFTER_S
        if busy and self._consuming:
            self._pause()
        elif not busy and not self._consuming:
            channel = cast(BlockingChannel, self._channel)
            self._consuming = [
                channel.basic_consume(self._topology.queue(queue), self._on_message)
                for queue in self._queues
            ]

    def _pause(self) -> None:
        channel = cast(BlockingChannel, self._channel)
        for tag in self._consuming:
            channel.basic_cancel(tag)
        self._consuming = []
        with self._changed:
            held, self._buffer = list(self._buffer), deque()
        for delivery in held:
            channel.basic_nack(delivery.tag.number, requeue=True)

    def _on_message(self, channel: BlockingChannel, method: Any, _header: Any, body: bytes) -> None:
        job_id = decode(body)
        if job_id is None:
            log.error("not a message of ours: dead-lettered (%d bytes)", len(body))
            channel.basic_reject(method.delivery_tag, requeue=False)
            return
        delivery = Delivery(job_id=job_id, tag=_Tag(self._epoch, method.delivery_tag))
        with self._changed:
            self._buffer.append(delivery)
            self._changed.notify_all()

    def _forget(self) -> None:
        """Drop what came over a connection that is gone; the broker delivers it again."""
        with self._changed:
            self._buffer.clear()
        self._epoch += 1
        self._consuming = []
        self._connection = self._channel = None
