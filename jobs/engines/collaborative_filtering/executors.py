"""Where blocks of rows are made: here, in a pool of processes, or by the workers of a dask cluster.

dask is an optional extra. Its workers must have this code and see the folder that the environment
variable ATRIUM_SHARED_FOLDER names, from which each reads the matrix once."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from jobs.engines.collaborative_filtering.blocks import Place

_KNOWN = re.compile(r"(local|pool:[1-9]\d{0,2}|dask:\S+)\Z")
KINDS = "local, pool:N or dask:ADDRESS"
# More blocks than workers, so that nobody waits long for the last one; each costs a pass over the matrix.
BLOCKS_PER_WORKER = 2
# Nobody answers at a wrong address.
CONNECT_S = 10


class NoEngine(ValueError):
    """The engine asked for is not known, not installed or does not answer."""


@contextmanager
def engine_of(text: str) -> Iterator[Place | None]:
    """The place of a name such as "pool:4"; None is this process. Raises NoEngine."""
    if not _KNOWN.match(text):
        raise NoEngine(f"unknown engine {text!r}; there are {KINDS}")
    kind, _, rest = text.partition(":")
    if kind == "pool":
        # Spawned: a fork would copy the threads of BLAS in whatever state they are.
        with ProcessPoolExecutor(int(rest), mp_context=get_context("spawn")) as executor:
            yield Place(executor, BLOCKS_PER_WORKER * int(rest))
    elif kind == "dask":
        client = _connected(rest)
        try:
            workers = max(1, sum(client.nthreads().values()))
            yield Place(client.get_executor(), BLOCKS_PER_WORKER * workers, _shared_folder())
        finally:
            client.close()
    else:
        yield None


def _connected(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise NoEngine("dask is not installed: install the extra 'dask'") from error
    try:
        return Client(address, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise NoEngine(f"no dask scheduler answers at {address}") from error


def _shared_folder() -> Path | None:
    """Where matrices are laid down for all workers; None: the system's place for such files."""
    path = os.environ.get("ATRIUM_SHARED_FOLDER")
    return Path(path) if path else None
