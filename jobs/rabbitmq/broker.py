"""The RabbitMQ broker."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel

from jobs.broker import BrokerUnavailable, DeadLetter
from jobs.rabbitmq.consumer import RabbitMQConsumer
from jobs.rabbitmq.relay import Relay
from jobs.rabbitmq.topology import FAULTS, Topology

log = logging.getLogger(__name__)


class RabbitMQBroker:
    """Rings workers through RabbitMQ."""

    def __init__(self, url: str, *, prefix: str, quorum: bool = False) -> None:
        self._topology = Topology(url, prefix=prefix, quorum=quorum)
        self._relay = Relay(self._topology)

    def publish(self, job_id: int, *, queue: str) -> None:
        self._relay.publish(job_id, queue=queue)

    def consume(
        self, queues: Sequence[str], *, worker: str, slots: int, ring: Callable[[], None]
    ) -> RabbitMQConsumer:
        return RabbitMQConsumer(
            self._topology, queues=queues, worker=worker, slots=slots, ring=ring
        )

    def depth(self, queue: str) -> int | None:
        name = self._topology.queue(queue)
        try:
            with contextlib.closing(pika.BlockingConnection(self._topology.parameters())) as there:
                answer = there.channel().queue_declare(name, passive=True)
        except FAULTS as error:
            log.warning("RabbitMQ does not tell the depth of %s: %r", name, error)
            return None
        return int(answer.method.message_count)

    def dead_letters(self, *, limit: int) -> list[DeadLetter]:
        with self._channel() as channel:
            found = [_dead_letter(*each) for each in self._take_dead(channel, limit)]
            channel.basic_nack(0, multiple=True, requeue=True) if found else None
        return found

    def requeue_dead_letters(self) -> int:
        n_sent = 0
        with self._channel() as channel:
            channel.confirm_delivery()
            # As many as there are now: one that is unreadable comes back while this goes on.
            count = channel.queue_declare(self._topology.dead, durable=True).method.message_count
            for method, properties, body in self._take_dead(channel, count):
                queue = _dead_letter(method, properties, body).queue
                if queue:
                    channel.basic_publish("", queue, body, properties, mandatory=True)
                    channel.basic_ack(method.delivery_tag)
                    n_sent += 1
        return n_sent

    def purge_dead_letters(self) -> int:
        with self._channel() as channel:
            channel.queue_declare(self._topology.dead, durable=True)
            return int(channel.queue_purge(self._topology.dead).method.message_count)

    def close(self) -> None:
        self._relay.close()

    @contextlib.contextmanager
    def _channel(self) -> Iterator[BlockingChannel]:
        try:
            parameters = self._topology.parameters(name="dead letters")
            with contextlib.closing(pika.BlockingConnection(parameters)) as connection:
                yield connection.channel()
        except FAULTS as error:
            raise BrokerUnavailable(repr(error)) from error

    def _take_dead(self, channel: BlockingChannel, limit: int) -> Iterator[tuple[Any, Any, bytes]]:
        channel.queue_declare(self._topology.dead, durable=True)
        for _ in range(limit):
            method, properties, body = channel.basic_get(self._topology.dead)
            if method is None:
                return
            yield method, properties, body


def _dead_letter(_method: Any, properties: Any, body: bytes) -> DeadLetter:
    deaths = (properties.headers or {}).get("x-death") or [{}]
    return DeadLetter(queue=str(deaths[0].get("queue", "")), body=body)
