"""A RabbitMQ of this test's own queues."""

import contextlib
import secrets
from collections.abc import Iterator

import pika
import pytest

from jobs.rabbitmq.topology import Topology


@pytest.fixture
def topology(rabbitmq_url: str) -> Iterator[Topology]:
    """Queues with a prefix of their own, removed afterwards."""
    topology = Topology(rabbitmq_url, prefix=f"atrium_test_{secrets.token_hex(4)}")
    yield topology
    with contextlib.closing(pika.BlockingConnection(topology.parameters())) as connection:
        for name in (topology.queue("a"), topology.queue("b"), topology.dead):
            connection.channel().queue_delete(name)
