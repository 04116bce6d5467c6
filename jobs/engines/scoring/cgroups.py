"""Control groups (version 2) for replicas, where the system lets us make them; elsewhere rlimits alone hold.

A group that holds processes cannot divide CPU and memory among groups below it, so those of the replicas are made beside
ours: systemd puts a service there with `Delegate=cpu memory` and `DelegateSubgroup=`.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
PERIOD_US = 100_000
CONTROLLERS = {"cpu", "memory"}


@dataclass(frozen=True, slots=True)
class Group:
    """A control group of ours."""

    path: Path

    def remove(self) -> None:
        """Remove it; its process has ended."""
        with contextlib.suppress(OSError):
            self.path.rmdir()


def confine(
    pid: int, *, name: str, cpus: float, memory_bytes: int, root: Path = ROOT
) -> Group | None:
    """Bound the CPU time and memory of a process by a group of its own; None where that is not permitted."""
    own = _own(root)
    parents = [] if own is None else [own.parent, own] if own != root else [own]
    parent = next((each for each in parents if _divides(each)), None)
    if parent is None:
        return None
    path = parent / f"atrium-{name}"
    try:
        path.mkdir()
        (path / "cpu.max").write_text(f"{max(1000, int(cpus * PERIOD_US))} {PERIOD_US}")
        # Half as much again: the limits inside the process speak first, with a message.
        (path / "memory.max").write_text(str(memory_bytes * 3 // 2))
        (path / "cgroup.procs").write_text(str(pid))
    except OSError:
        Group(path).remove()
        return None
    return Group(path)


def _own(root: Path) -> Path | None:
    """The group of this process, when the system has version 2."""
    if not (root / "cgroup.controllers").exists():
        return None
    with contextlib.suppress(OSError):
        for line in OWN.read_text().splitlines():
            if line.startswith("0::"):
                return root / line[3:].lstrip("/")
    return None


def _divides(group: Path) -> bool:
    """Whether groups of ours below this one may be given CPU and memory."""
    if not os.access(group, os.W_OK):
        return False
    control = group / "cgroup.subtree_control"
    try:
        if not set(control.read_text().split()) >= CONTROLLERS:
            control.write_text("+cpu +memory")
        return set(control.read_text().replace("+", "").split()) >= CONTROLLERS
    except OSError:
        return False
