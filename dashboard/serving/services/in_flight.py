"""How many calls this process is answering at the moment, by deployment."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_present: Counter[int] = Counter()


@contextmanager
def under_way(deployment_id: int) -> Iterator[None]:
    """A call of a deployment, from its beginning to its end."""
    with _lock:
        _present[deployment_id] += 1
    try:
        yield
    finally:
        with _lock:
            _present[deployment_id] -= 1


def in_flight(deployment_id: int) -> int:
    """The calls that are being answered now."""
    return _present[deployment_id]
