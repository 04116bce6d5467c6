"""The guard: a small process that outlives a killed worker just long enough to end its children.

Run as a script. It reads lines "+GROUP MARK" and "-GROUP MARK" from its standard input, whose other end only
the worker holds; at the end of input it ends what is left of those children. It imports nothing of ours,
so that it starts at once. What `find` cannot see (no /proc) is ended as a process group only.
"""

import contextlib
import os
import signal
import sys

MARK = "JOB_RUN"
"""The variable of the environment that tells all processes of one run from others."""
MAX_ROUNDS = 20


def find(group: int, mark: str) -> set[int]:
    """The living processes of a run, without this one: those of its group or session, those that bear its
    mark, and all below them. A session of its own and a cleared environment hide none of them."""
    wanted = f"{MARK}={mark}".encode()
    parents: dict[int, int] = {}
    found: set[int] = set()
    for name in filter(str.isdigit, _list("/proc")):
        fields = _read(f"/proc/{name}/stat").rpartition(b")")[2].split()
        if not fields or fields[0] == b"Z":
            continue  # it has ended
        parent, its_group, session = map(int, fields[1:4])
        parents[int(name)] = parent
        if group in (its_group, session) or wanted in _read(f"/proc/{name}/environ").split(b"\0"):
            found.add(int(name))
    while below := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= below
    return found - {os.getpid()}


def end(group: int, mark: str, *, spare_group: bool = False) -> None:
    """Kill the processes of a run; with `spare_group` only those that have left its group."""
    stopped: set[int] = set()
    for _ in range(MAX_ROUNDS):
        found = find(group, mark)
        if spare_group:
            found = {pid for pid in found if _group_of(pid) != group}
        if found <= stopped:
            break
        # Stopped first: what still runs could start another one between the look and the blow.
        _send(found - stopped, signal.SIGSTOP)
        stopped |= found
    _send(stopped, signal.SIGKILL)
    if not spare_group:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


def _send(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def _group_of(pid: int) -> int:
    with contextlib.suppress(OSError):
        return os.getpgid(pid)
    return 0


def _list(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        return os.listdir(folder)  # noqa: PTH208 - as below
    return []


def _read(path: str) -> bytes:
    # Ended meanwhile, or of another user.
    with contextlib.suppress(OSError), open(path, "rb") as file:  # noqa: PTH123 - pathlib takes long to import
        return file.read()
    return b""


def main() -> None:
    runs: set[tuple[int, str]] = set()
    for line in sys.stdin:
        group, mark = line[1:].split()
        if line[0] == "+":
            runs.add((int(group), mark))
        else:
            runs.discard((int(group), mark))
    for number, its_mark in runs:
        end(number, its_mark)


if __name__ == "__main__":
    main()
