"""How our queues look in RabbitMQ, and what a message looks like."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

FAULTS = (AMQPError, OSError)
"""What a lost or refused connection raises."""
VERSION = 1
HEARTBEAT_S = 15
CONNECT_S = 5


class Topology:
    """Names and arguments of the queues under one prefix."""

    def __init__(self, url: str, *, prefix: str, quorum: bool = False) -> None:
        self._url = url
        self._prefix = prefix
        self._quorum = quorum

    def parameters(self, *, name: str = "atrium") -> pika.URLParameters:
        """How to connect; `name` is what RabbitMQ's own tools show."""
        parameters = pika.URLParameters(self._url)
        if "heartbeat" not in self._url:
            parameters.heartbeat = HEARTBEAT_S
        parameters.socket_timeout = parameters.stack_timeout = CONNECT_S
        parameters.client_properties = {"connection_name": name}
        return parameters

    def queue(self, queue: str) -> str:
        """The name of a queue of jobs."""
        return f"{self._prefix}.{queue}"

    @property
    def dead(self) -> str:
        """The queue of messages that nobody could read."""
        return f"{self._prefix}.dead"

    def arguments(self) -> dict[str, Any]:
        """The arguments of every queue of jobs."""
        arguments: dict[str, Any] = {
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": self.dead,
        }
        if self._quorum:
            # Bells are given back while workers are busy; RabbitMQ 4 would drop one at the 20th time.
            arguments |= {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}
        return arguments

    def declare(self, channel: BlockingChannel, queues: Iterable[str]) -> None:
        """Make the queues unless they are there."""
        channel.queue_declare(self.dead, durable=True)
        for queue in queues:
            channel.queue_declare(self.queue(queue), durable=True, arguments=self.arguments())


def encode(job_ids: Sequence[int]) -> bytes:
    """The body of a message that rings for jobs of one queue."""
    return json.dumps({"v": VERSION, "jobs": list(job_ids)}).encode()


def decode(body: bytes) -> list[int] | None:
    """The jobs of a message, or None when it is not one of ours."""
    try:
        content = json.loads(body)
        jobs = content["jobs"]
        fits = content["v"] == VERSION and type(jobs) is list and len(jobs) > 0
        fits = fits and all(type(job) is int for job in jobs)
    except (ValueError, TypeError, KeyError):
        return None
    return jobs if fits else None
