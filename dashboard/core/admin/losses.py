"""What goes with a row when it is deleted: each domain tells about its own tables.

A domain cannot ask those above it what they hold, so they register a counter here:
`@goes_with("item") def count_events(ids): ...`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

# Row ids -> for each id that loses something, what that is, such as "12 videos".
Counter = Callable[[Sequence[int]], Mapping[int, str]]
C = TypeVar("C", bound=Counter)

_counters: dict[str, dict[str, Counter]] = defaultdict(dict)


def goes_with(table: str) -> Callable[[C], C]:
    """Register a function that counts what is lost with rows of `table`."""

    def register(counter: C) -> C:
        _counters[table][f"{counter.__module__}.{counter.__qualname__}"] = counter
        return counter

    return register


def lost_with(table: str, ids: Sequence[int]) -> dict[int, list[str]]:
    """For each id all that is lost with it, in words."""
    lost: dict[int, list[str]] = {id: [] for id in ids}
    for found in _counted(table, ids):
        for id, words in found.items():
            lost[id].append(words)
    return lost


def _counted(table: str, ids: Sequence[int]) -> Iterable[Mapping[int, str]]:
    return [counter(ids) for counter in _counters[table].values()]
