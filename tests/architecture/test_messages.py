"""Every kind of queued work has exactly one task that does it, and every task stands on the map."""

from collections import Counter

from dashboard import surfaces
from jobs.messages import registered_kinds


def test_every_message_has_exactly_one_task() -> None:
    tasks = Counter(task.kind for task in surfaces.TASKS)

    # Other tests register kinds of their own.
    kinds = {kind for kind in registered_kinds() if kind.type.__module__.startswith("dashboard.")}
    assert set(tasks) == kinds
    assert not [kind for kind, n in tasks.items() if n != 1]
