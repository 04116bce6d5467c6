"""Counts that are exact: every answer is a line in a journal, and every journal is added to the sums once.

A process that answers predictions appends to a journal of its own; the line is in the kernel's hands before the
answer leaves, so that a killed process loses none. A journal is held locked while it is written to. Whoever finds
one that nobody holds adds it to the sums in one transaction with its name (`CountedJournal`), then removes it: a
crash in between leaves a journal that is known to be counted.
"""

import fcntl
import os
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

SUFFIX = ".jsonl"
# A journal is let go of after this long, so that its answers can be counted.
KEEP_S = 1.0
STEPS = ("validate", "prepare", "predict", "total")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered request, or one finished batch."""

    deployment_id: int
    face: str
    """How it was called: sync, task, batch or v2."""
    n_records: int = 1
    code: str = ""
    """Empty when it went well, else the code of the error."""
    at_s: float = 0.0
    """When it ended, seconds since 1970; 0 is now."""
    ms: dict[str, float] = field(default_factory=dict)
    """Milliseconds of the steps validate, prepare and predict, and of all (total)."""
    message: str = ""
    """What went wrong, without any value that the caller sent."""
    request_id: str = ""
    bins: dict[str, list[int]] = field(default_factory=dict)
    """Of the inputs with a baseline: how many values fell into each bin."""


class Journal:
    """Where one process writes its answers. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._handle: int | None = None

    def write(self, answer: Answer) -> None:
        """Add a line."""
        line = [
            answer.deployment_id,
            round(answer.at_s or time.time(), 3),
            answer.face,
            answer.n_records,
            answer.code,
            {name: round(value, 4) for name, value in answer.ms.items()},
        ]
        if answer.message or answer.request_id or answer.bins:
            # What cannot be UTF-8 may stand in a name that a caller made up.
            message = answer.message.encode("utf-8", "replace").decode()
            line += [message, answer.request_id if answer.code else "", answer.bins]
        data = orjson.dumps(line) + b"\n"
        with self._lock:
            if self._handle is None:
                self._handle = self._open()
            os.write(self._handle, data)

    def rotate(self) -> bool:
        """Let go of the present journal, so that it can be counted; whether there was one."""
        with self._lock:
            if self._handle is None:
                return False
            os.close(self._handle)
            self._handle = None
            return True

    def _open(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{int(time.time())}-{os.getpid()}-{secrets.token_hex(6)}"
        # Made and locked under a name that nobody counts: it must never be seen unlocked.
        hidden = self._folder / f".{name}"
        handle = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        hidden.rename(self._folder / f"{name}{SUFFIX}")
        timer = threading.Timer(KEEP_S, self.rotate)
        timer.daemon = True
        timer.start()
        return handle


def finished(folder: Path) -> Iterator[Path]:
    """The journals that nobody writes to any more, oldest first; each is locked while it is looked at."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            file = path.open("rb")
        except FileNotFoundError:
            continue  # counted by somebody else meanwhile
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if path.exists():
                yield path


def read(path: Path) -> Iterator[Answer]:
    """The answers in a journal. A line cut short (the disk was full) is left out."""
    with path.open("rb") as file:
        for line in file:
            try:
                values = orjson.loads(line)
                rest = values[6:] or ["", "", {}]
                yield Answer(
                    deployment_id=int(values[0]),
                    at_s=float(values[1]),
                    face=str(values[2]),
                    n_records=int(values[3]),
                    code=str(values[4]),
                    ms=values[5],
                    message=rest[0],
                    request_id=rest[1],
                    bins=rest[2],
                )
            except (ValueError, IndexError, TypeError):
                continue


# ------------------------------------------------------------------------------------------- histograms

# Each bucket is a quarter wider than the one before: a quantile is right within an eighth.
FIRST_MS, FACTOR, N_BUCKETS = 0.01, 1.25, 80
EDGES_MS = tuple(FIRST_MS * FACTOR**place for place in range(N_BUCKETS))
"""Upper ends of the buckets, milliseconds; what is longer than the last one counts there (7.5 minutes)."""


def bucket_of(ms: float) -> int:
    """The number of the bucket that a time falls into."""
    low, high = 0, N_BUCKETS - 1
    while low < high:
        middle = (low + high) // 2
        if ms <= EDGES_MS[middle]:
            high = middle
        else:
            low = middle + 1
    return low


def quantile(counts: dict[int, int], share: float) -> float | None:
    """The time that `share` of the counted ones do not exceed, milliseconds; None when nothing was counted.

    Within the bucket it is taken as evenly spread.
    """
    total = sum(counts.values())
    if not total:
        return None
    wanted, before = share * total, 0
    for number in sorted(counts):
        if before + counts[number] >= wanted:
            low = EDGES_MS[number - 1] if number else 0.0
            inside = (wanted - before) / counts[number]
            return low + (EDGES_MS[number] - low) * inside
        before += counts[number]
    return EDGES_MS[max(counts)]


@dataclass(slots=True)
class Sums:
    """What many answers add up to."""

    n_requests: int = 0
    n_errors: int = 0
    n_records: int = 0
    total_ms: float = 0.0
    min_ms: float | None = None
    max_ms: float | None = None
    steps: dict[str, dict[int, int]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)

    def add(self, answer: Answer) -> None:
        """Count one more."""
        self.n_requests += 1
        self.n_records += answer.n_records
        if answer.code:
            self.n_errors += 1
            self.errors[answer.code] = self.errors.get(answer.code, 0) + 1
        for step, ms in answer.ms.items():
            counts = self.steps.setdefault(step, {})
            number = bucket_of(ms)
            counts[number] = counts.get(number, 0) + 1
        total = answer.ms.get("total")
        if total is not None:
            self.total_ms += total
            self.min_ms = total if self.min_ms is None else min(self.min_ms, total)
            self.max_ms = total if self.max_ms is None else max(self.max_ms, total)


def sums_by_hour(answers: Iterable[Answer]) -> dict[tuple[int, int, str], Sums]:
    """The sums of each (deployment id, hour, face)."""
    found: dict[tuple[int, int, str], Sums] = {}
    for answer in answers:
        key = (answer.deployment_id, int(answer.at_s // 3600), answer.face)
        found.setdefault(key, Sums()).add(answer)
    return found
