"""The guard: a small process that outlives a killed worker just long enough to end its children.

Run as a script. It reads lines "+GROUP" and "-GROUP" from its standard input, whose other end only
the worker holds; at the end of input it kills the process groups that are left. It imports nothing
of ours, so that it starts at once.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line[1:])
        if line[0] == "+":
            groups.add(number)
        else:
            groups.discard(number)
    for number in groups:
        with contextlib.suppress(OSError):
            os.killpg(number, signal.SIGKILL)


if __name__ == "__main__":
    main()
