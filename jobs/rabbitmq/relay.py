"""The relay: a thread that publishes to RabbitMQ on behalf of requests, with publisher confirms.

A request only appends to a list. When the broker is slow, blocked or gone the list waits, and when
it is full the rest is left to the sweeper. The first bell is sent at once; of those that follow on its
heels a few share a message, because a message costs the broker and both ends more than a row.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import threading
import time
from collections import OrderedDict, deque
from typing import Any, cast

import pika
from pika.channel import Channel
from pika.exceptions import AMQPError

from jobs.rabbitmq.topology import Topology, encode

log = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""More are dropped: their rows stay, and the sweeper rings for them when the broker is back."""
MAX_UNCONFIRMED = 1_000
REST_S = 0.006
"""How long a message keeps the next one waiting."""
BELLS_IN_MESSAGE = 4
"""Not more: a message wakes one worker, and the jobs that it has no slot for are then found late by others."""
BACK_OFF_S = (0.2, 10.0)
FLUSH_S = 2.0

Ring = tuple[int, str]
"""Job id and queue."""


class Relay:
    """Publishes in the background; one per process, started by the first publish."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._waiting: deque[Ring] = deque()
        self._lock = threading.Lock()
        self._pid = 0
        self._closed = False
        self._link: _Link | None = None
        self._thread: threading.Thread | None = None

    def publish(self, job_id: int, *, queue: str) -> None:
        """Publish soon; returns at once."""
        if len(self._waiting) >= MAX_WAITING:
            return
        self._waiting.append((job_id, queue))
        self._start()
        if self._link is not None:
            self._link.wake()

    def close(self) -> None:
        """Give what waits a moment to be confirmed, then stop."""
        until = time.monotonic() + FLUSH_S
        while self._unsettled() and time.monotonic() < until:
            time.sleep(0.01)
        self._closed = True
        if self._link is not None:
            self._link.close()
        if self._thread is not None:
            self._thread.join(timeout=FLUSH_S)

    def _unsettled(self) -> bool:
        link = self._link
        return bool(self._waiting or (link is not None and link.unconfirmed))

    def _start(self) -> None:
        # A forked process has no threads of its parent, so the pid decides.
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                name = "rabbitmq-relay"
                self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
                self._thread.start()

    def _loop(self) -> None:
        shortest, longest = BACK_OFF_S
        wait = shortest
        while not self._closed:
            link = self._link = _Link(self._topology, self._waiting)
            try:
                link.run()
            except Exception:
                log.exception("RabbitMQ relay")
            # Without a confirm nobody knows whether it arrived; twice does no harm.
            for rings in reversed(link.unconfirmed.values()):
                self._waiting.extendleft(reversed(rings))
            wait = shortest if link.was_open else min(longest, wait * 2)
            if not self._closed:
                time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads reconnects


class _Link:
    """One connection of the relay. Everything but `wake` and `close` runs on its own thread."""

    def __init__(self, topology: Topology, waiting: deque[Ring]) -> None:
        self._topology = topology
        self._waiting = waiting
        self._channel: Channel | None = None
        self._declared: set[str] = set()
        self._blocked = False
        self._woken = False
        self._sent_at = 0.0
        self._next_tag = 1
        self.unconfirmed: OrderedDict[int, list[Ring]] = OrderedDict()
        self.was_open = False
        self._connection = pika.SelectConnection(
            topology.parameters(name="publisher"),
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_end,
            on_close_callback=self._on_end,
        )

    def run(self) -> None:
        """Serve until the connection ends."""
        try:
            self._connection.ioloop.start()
        finally:
            self._connection.ioloop.close()

    def wake(self) -> None:
        """Look at what waits; from any thread."""
        if not self._woken:
            self._woken = True
            self._call(self._flush_rested)

    def close(self) -> None:
        """End the connection; from any thread."""
        self._call(self._end)

    def _call(self, function: Any) -> None:
        # Whatever a loop that has ended meanwhile raises: what waits is published by the next link.
        with contextlib.suppress(Exception):
            self._connection.ioloop.add_callback_threadsafe(function)

    def _end(self) -> None:
        if self._connection.is_open:
            self._connection.close()
        else:
            self._connection.ioloop.stop()

    def _on_open(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(lambda *_: self._block(True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._block(False))
        connection.channel(on_open_callback=self._on_channel)

    def _block(self, blocked: bool) -> None:
        self._blocked = blocked
        log.warning("RabbitMQ %s publishing", "blocks" if blocked else "allows")
        self._flush()

    def _on_channel(self, channel: Channel) -> None:
        channel.add_on_close_callback(lambda *_: self._close_quietly())
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm)
        channel.queue_declare(
            self._topology.dead, durable=True, callback=lambda _: self._on_ready(channel)
        )

    def _on_ready(self, channel: Channel) -> None:
        self._channel = channel
        self.was_open = True
        self._flush()

    def _flush_rested(self) -> None:
        rest_s = self._sent_at + REST_S - time.monotonic()
        if rest_s > 0:
            # `_woken` still stands: whoever publishes meanwhile need not wake this thread.
            self._connection.ioloop.call_later(rest_s, self._flush)
        else:
            self._flush()

    def _flush(self) -> None:
        self._woken = False
        if self._channel is None or not self._channel.is_open or self._blocked:
            return
        while self._waiting and len(self.unconfirmed) < MAX_UNCONFIRMED:
            queue = self._waiting[0][1]
            if queue not in self._declared:
                self._declare(queue)
                return
            rings = [self._waiting.popleft()]
            while len(rings) < BELLS_IN_MESSAGE and self._next_is_for(queue):
                rings.append(self._waiting.popleft())
            self._publish(rings, queue)

    def _next_is_for(self, queue: str) -> bool:
        return bool(self._waiting) and self._waiting[0][1] == queue

    def _declare(self, queue: str) -> None:
        def declared(_frame: Any) -> None:
            self._declared.add(queue)
            self._flush()

        cast(Channel, self._channel).queue_declare(
            self._topology.queue(queue),
            durable=True,
            arguments=self._topology.arguments(),
            callback=declared,
        )

    def _publish(self, rings: list[Ring], queue: str) -> None:
        cast(Channel, self._channel).basic_publish(
            "",
            self._topology.queue(queue),
            encode([job_id for job_id, _queue in rings]),
            pika.BasicProperties(delivery_mode=2, content_type="application/json", type=queue),
            mandatory=True,
        )
        self.unconfirmed[self._next_tag] = rings
        self._next_tag += 1
        self._sent_at = time.monotonic()

    def _on_confirm(self, frame: Any) -> None:
        tag = frame.method.delivery_tag
        tags = [tag]
        if frame.method.multiple:
            tags = [number for number in self.unconfirmed if number <= tag]
        refused = isinstance(frame.method, pika.spec.Basic.Nack)
        for number in tags:
            rings = self.unconfirmed.pop(number, None)
            if refused and rings is not None:
                log.warning("RabbitMQ refused the message of job %d", rings[0][0])
        if not self._woken:
            self._flush()

    def _on_return(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        # The queue was deleted: the job rings again through the sweeper, and the next publish
        # declares the queue first.
        self._declared.discard(properties.type)

    def _close_quietly(self) -> None:
        self._channel = None
        with contextlib.suppress(AMQPError):
            self._connection.close()

    def _on_end(self, _connection: Any, error: Any) -> None:
        if not self.was_open:
            log.warning("RabbitMQ cannot be reached: %r", error)
        self._channel = None
        self._connection.ioloop.stop()
