"""The RabbitMQ broker, against a real one."""

import contextlib
import time
from collections.abc import Callable, Iterator

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, NackError

from jobs.broker import DeadLetter
from jobs.rabbitmq import RabbitMQBroker
from jobs.rabbitmq.consumer import PAUSE_AFTER_S, RabbitMQConsumer
from jobs.rabbitmq.topology import Topology

NOBODY = "amqp://guest:guest@127.0.0.1:8119/"


@pytest.fixture
def broker(topology: Topology) -> Iterator[RabbitMQBroker]:
    with contextlib.closing(RabbitMQBroker(topology._url, prefix=topology._prefix)) as broker:
        yield broker


@pytest.fixture
def consumer(broker: RabbitMQBroker) -> Iterator[RabbitMQConsumer]:
    with contextlib.closing(
        broker.consume(["a"], worker="w", slots=50, ring=lambda: None)
    ) as consumer:
        yield consumer


@pytest.fixture
def channel(topology: Topology) -> Iterator[BlockingChannel]:
    """A channel beside the broker under test."""
    with contextlib.closing(pika.BlockingConnection(topology.parameters())) as connection:
        channel = connection.channel()
        topology.declare(channel, ["a"])
        yield channel


def hear(consumer: RabbitMQConsumer, *, limit: int = 10) -> list[int]:
    """The jobs whose bells come next, answered."""
    wait_for(consumer.heard)
    heard = consumer.heard()[:limit]
    consumer.settle(len(heard), all_heard=False)
    return heard


def consume(broker: RabbitMQBroker) -> RabbitMQConsumer:
    return broker.consume(["a"], worker="other", slots=1, ring=lambda: None)


def wait_for(condition: Callable[[], object], *, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "this did not happen in time"
        time.sleep(0.05)


class TestRabbitMQBroker:
    def test_delivers_each_message_once(
        self, broker: RabbitMQBroker, consumer: RabbitMQConsumer
    ) -> None:
        for job_id in range(1, 101):
            broker.publish(job_id, queue="a")
            broker.publish(-job_id, queue="b")

        heard: list[int] = []
        wait_for(lambda: heard.extend(hear(consumer)) or len(heard) >= 100)

        assert heard == list(range(1, 101))
        wait_for(lambda: broker.depth("a") == 0)
        wait_for(lambda: not broker._relay._unsettled())
        assert 25 <= (broker.depth("b") or 0) <= 100

    def test_delivers_again_what_was_given_back(
        self, broker: RabbitMQBroker, consumer: RabbitMQConsumer
    ) -> None:
        broker.publish(7, queue="a")
        wait_for(consumer.heard)

        consumer.close()

        with contextlib.closing(consume(broker)) as other:
            assert hear(other) == [7]

    def test_gives_back_what_a_busy_worker_does_not_take(
        self, broker: RabbitMQBroker, consumer: RabbitMQConsumer
    ) -> None:
        for job_id in (1, 2, 3):
            broker.publish(job_id, queue="a")
            wait_for(lambda number=job_id: number in consumer.heard())  # a message of its own
        assert hear(consumer, limit=1) == [1]

        time.sleep(PAUSE_AFTER_S + 2)

        with contextlib.closing(consume(broker)) as other:
            wait_for(lambda: other.heard() == [2, 3])

    def test_goes_on_when_its_queue_was_deleted(
        self,
        broker: RabbitMQBroker,
        consumer: RabbitMQConsumer,
        channel: BlockingChannel,
        topology: Topology,
    ) -> None:
        broker.publish(1, queue="a")
        assert hear(consumer) == [1]

        channel.queue_delete(topology.queue("a"))
        wait_for(lambda: broker.depth("a") is not None)
        broker.publish(2, queue="a")

        assert hear(consumer) == [2]

    def test_goes_on_when_its_connections_are_closed(
        self, broker: RabbitMQBroker, consumer: RabbitMQConsumer
    ) -> None:
        broker.publish(1, queue="a")
        assert hear(consumer) == [1]
        link, connection = broker._relay._link, consumer._connection
        assert link is not None
        assert connection is not None

        link.close()
        connection.add_callback_threadsafe(connection.close)
        wait_for(lambda: broker._relay._link is not link)
        broker.publish(2, queue="a")

        # The first one too, when its answer was still on its way.
        wait_for(lambda: 2 in consumer.heard())

    def test_rings_for_a_few_jobs_with_one_message(
        self, broker: RabbitMQBroker, consumer: RabbitMQConsumer
    ) -> None:
        for job_id in range(1, 11):  # before there is a connection
            broker.publish(job_id, queue="b")
        wait_for(lambda: broker.depth("b") == 3)

    def test_gives_back_a_message_that_is_answered_in_part(
        self, broker: RabbitMQBroker, consumer: RabbitMQConsumer
    ) -> None:
        for job_id in (1, 2, 3):  # before there is a connection: one message
            broker.publish(job_id, queue="a")
        assert hear(consumer, limit=1) == [1]

        consumer.close()

        with contextlib.closing(consume(broker)) as other:
            wait_for(lambda: other.heard() == [1, 2, 3])

    @pytest.mark.parametrize(
        "body", [b"", b"\xff\xfe", b"[]", b'{"v": 2, "jobs": [1]}', b'{"v": 1, "jobs": ["1"]}']
    )
    def test_dead_letters_what_it_cannot_read(
        self,
        broker: RabbitMQBroker,
        consumer: RabbitMQConsumer,
        channel: BlockingChannel,
        topology: Topology,
        body: bytes,
    ) -> None:
        channel.basic_publish("", topology.queue("a"), body)
        broker.publish(5, queue="a")

        assert hear(consumer) == [5]
        wait_for(lambda: broker.depth("dead") == 1)
        assert broker.dead_letters(limit=5) == [DeadLetter(topology.queue("a"), body)]
        assert broker.requeue_dead_letters() == 1
        wait_for(lambda: broker.dead_letters(limit=5))
        assert broker.purge_dead_letters() == 1
        assert broker.dead_letters(limit=5) == []


class TestUnreachable:
    def test_publish_returns_at_once(self) -> None:
        broker = RabbitMQBroker(NOBODY, prefix="atrium_test")

        started = time.monotonic()
        for job_id in range(20_000):
            broker.publish(job_id, queue="a")
        took_s = time.monotonic() - started

        assert took_s < 2.0
        assert broker.depth("a") is None
        broker.close()

    def test_consumer_keeps_trying(self) -> None:
        consumer = consume(RabbitMQBroker(NOBODY, prefix="atrium_test"))

        consumer.settle(1, all_heard=True)

        assert consumer.heard() == []
        consumer.close()


class TestQuorumQueues:
    def test_deliver_give_back_and_dead_letter(self, topology: Topology) -> None:
        url, prefix = topology._url, topology._prefix
        quorum = Topology(url, prefix=prefix, quorum=True)
        with (
            contextlib.closing(pika.BlockingConnection(topology.parameters())) as connection,
            contextlib.closing(RabbitMQBroker(url, prefix=prefix, quorum=True)) as broker,
        ):
            channel = connection.channel()
            channel.confirm_delivery()
            quorum.declare(channel, ["a"])
            wait_for(lambda: is_taken(channel, queue=topology.queue("a"), body=b"nonsense"))
            with contextlib.closing(consume(broker)) as first:
                broker.publish(1, queue="a")
                wait_for(lambda: first.heard() == [1])
                wait_for(lambda: broker.depth("dead") == 1)
            with contextlib.closing(consume(broker)) as second:
                assert hear(second) == [1]

            assert broker.requeue_dead_letters() == 1
            wait_for(lambda: broker.depth("a") == 1)
            with pytest.raises(ChannelClosedByBroker, match="PRECONDITION"):
                topology.declare(channel, ["a"])  # as a classic queue


def is_taken(channel: BlockingChannel, *, queue: str, body: bytes) -> bool:
    """Whether a message was kept: a quorum queue refuses them until it has a leader."""
    try:
        channel.basic_publish("", queue, body)
    except NackError:
        return False
    return True
