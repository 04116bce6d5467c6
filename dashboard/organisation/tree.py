"""The organisation's tree as plain values: order, depth, and what a tree may not be.

Pure code without a database; services and imports decide by it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Node:
    """A unit with its place in the tree; `depth` counts from 0 at the top."""

    id: int
    parent_id: int | None
    ordinal: int
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    """All units by id, and each unit's children in their order (None: the top)."""

    nodes: Mapping[int, Node]
    children: Mapping[int | None, list[int]] = field(default_factory=dict)

    def below(self, unit_id: int) -> list[int]:
        """The unit and everything below it, depth first."""
        found = [unit_id]
        for child in self.children.get(unit_id, []):
            found += self.below(child)
        return found

    def walk(self, parent: int | None = None, depth: int = 0) -> Iterator[tuple[int, int]]:
        """(id, depth) of every unit from the top down, each before its children."""
        for unit_id in self.children.get(parent, []):
            yield unit_id, depth
            yield from self.walk(unit_id, depth + 1)

    def depth_of(self, unit_id: int | None) -> int:
        """How many units are above it and itself; 0 for the top."""
        depth = 0
        while unit_id is not None:
            depth, unit_id = depth + 1, self.nodes[unit_id].parent_id
        return depth

    def height_of(self, unit_id: int) -> int:
        """How many levels hang on it, its own included."""
        return 1 + max((self.height_of(c) for c in self.children.get(unit_id, [])), default=0)


def make_tree(rows: Iterable[tuple[int, int | None, int]]) -> Tree:
    """The tree of (id, parent_id, ordinal) rows, which hold no cycle (the database keeps none)."""
    nodes = {row[0]: Node(*row) for row in rows}
    children: dict[int | None, list[int]] = defaultdict(list)
    for node in sorted(nodes.values(), key=lambda n: (n.ordinal, n.id)):
        children[node.parent_id].append(node.id)
    return Tree(nodes, dict(children))


def fold(name: str) -> str:
    """The form under which siblings' names are unique: case and space do not tell them apart."""
    return " ".join(name.split()).casefold()


def in_cycles(parents: Mapping[str, str]) -> set[str]:
    """The codes that are above themselves. parents: code -> code of the unit above, "" at the top."""
    cyclic: set[str] = set()
    settled: set[str] = set()
    for start in parents:
        path: list[str] = []
        code = start
        while code and code in parents and code not in settled and code not in path:
            path.append(code)
            code = parents[code]
        if code in path:
            cyclic.update(path[path.index(code) :])
        settled.update(path)
    return cyclic
