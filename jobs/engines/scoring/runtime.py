"""What a model format must offer: one file in `formats/` each, listed in `formats/__init__.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from jobs.engines.scoring.description import ModelDescription

Record = dict[str, Any]


class Runtime(Protocol):
    """A loaded model. One thread at a time."""

    description: ModelDescription

    def predict(self, records: Sequence[Record], *, timeout_s: float | None = None) -> list[Record]:
        """Outputs of each record, in order; the records have passed `Checker.convert`.

        Raises PredictionFailed, OutOfTime, OutOfMemory.
        """

    def interrupt(self) -> None:
        """Called from another thread: make `predict` raise OutOfTime soon, if the engine can be stopped at all."""

    def close(self) -> None:
        """Let go of the engine."""


class Format(Protocol):
    """A kind of model file."""

    NAME: str

    def claims(self, head: bytes) -> bool:
        """Whether the first kilobytes look like this format; decided by content, never by name."""

    def check(self, path: Path) -> None:
        """Raise RefusedModel for what must not reach the engine; runs nothing of the file."""

    def load(self, path: Path, *, memory_bytes: int) -> Runtime:
        """Load a checked file. Raises RefusedModel. `memory_bytes` bounds what the engine may take."""
