"""The RabbitMQ broker."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

import pika

from jobs.rabbitmq.consumer import RabbitMQConsumer
from jobs.rabbitmq.relay import Relay
from jobs.rabbitmq.topology import FAULTS, Topology

log = logging.getLogger(__name__)


class RabbitMQBroker:
    """Rings workers through RabbitMQ."""

    def __init__(self, url: str, *, prefix: str) -> None:
        self._topology = Topology(url, prefix=prefix)
        self._relay = Relay(self._topology)

    def publish(self, job_id: int, *, queue: str) -> None:
        self._relay.publish(job_id, queue=queue)

    def consume(self, queues: Sequence[str], *, worker: str, slots: int) -> RabbitMQConsumer:
        return RabbitMQConsumer(self._topology, queues=queues, worker=worker, slots=slots)

    def depth(self, queue: str) -> int | None:
        name = self._topology.queue(queue)
        try:
            with contextlib.closing(pika.BlockingConnection(self._topology.parameters())) as there:
                answer = there.channel().queue_declare(name, passive=True)
        except FAULTS as error:
            log.warning("RabbitMQ does not tell the depth of %s: %r", name, error)
            return None
        return int(answer.method.message_count)

    def close(self) -> None:
        self._relay.close()
