"""A real RabbitMQ for tests, where one listens."""

import os
import socket
from urllib.parse import urlsplit

import pytest

URL = os.environ.get("ATRIUM_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672/")


def rabbitmq() -> str:
    """Its address; skips the test with the reason where none listens, but fails it in CI."""
    parts = urlsplit(URL)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 5672), timeout=2).close()
    except OSError as error:
        reason = f"no RabbitMQ at {parts.hostname}:{parts.port}: {error}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return URL
