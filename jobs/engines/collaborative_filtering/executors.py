"""Where blocks of rows are made: here, in a pool of processes, under dask or under Spark.

dask and Spark are optional extras. Their workers must see the folder of `shared_folder` and have this
code; each reads the matrix from there once."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

_POOL = re.compile(r"pool:([1-9]\d{0,2})\Z")
KINDS = "local, pool:N, dask:ADDRESS or spark:MASTER"


class NoEngine(ValueError):
    """The engine asked for is not known or not installed."""


class SparkExecutor(Executor):
    """`map` of concurrent.futures as one Spark job, a task for every part. Results in order."""

    def __init__(self, context: Any) -> None:
        self.context = context

    def map(
        self, fn: Callable[..., Any], *iterables: Iterable[Any], **_options: Any
    ) -> Iterator[Any]:
        parts = list(zip(*iterables, strict=True))
        if not parts:
            return iter(())
        spread = self.context.parallelize(parts, len(parts))
        return iter(spread.map(lambda part: fn(*part)).collect())


@contextmanager
def engine_of(text: str) -> Iterator[tuple[Executor | None, int]]:
    """The executor of a name such as "pool:4", and how many blocks suit it; None is this process.

    Raises NoEngine."""
    kind, _, address = text.partition(":")
    if text == "local":
        yield None, 1
    elif pool := _POOL.match(text):
        workers = int(pool[1])
        # Spawned: a fork would copy the threads of BLAS in whatever state they are.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
            yield executor, 4 * workers
    elif kind == "dask" and address:
        client = _import("distributed", "dask").Client(address)
        try:
            yield client.get_executor(), 4 * max(1, sum(client.nthreads().values()))
        finally:
            client.close()
    elif kind == "spark" and address:
        session = _import("pyspark.sql", "spark").SparkSession
        built = session.builder.master(address).appName("recommendations").getOrCreate()
        context = built.sparkContext
        try:
            yield SparkExecutor(context), 4 * context.defaultParallelism
        finally:
            built.stop()
    else:
        raise NoEngine(f"unknown engine {text!r}; there are {KINDS}")


def shared_folder() -> Path | None:
    """Where matrices are laid down for all workers; None: the system's place for such files."""
    path = os.environ.get("ATRIUM_SHARED_FOLDER")
    return Path(path) if path else None


def _import(module: str, extra: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise NoEngine(f"{extra} is not installed: pip install the extra {extra!r}") from error
