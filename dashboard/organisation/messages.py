"""The organisation's queued work."""

from dataclasses import dataclass

from jobs.messages import message


@message("organisation.tidy_files")
@dataclass(frozen=True)
class TidyFiles:
    """Remove the floor plans and building models that a crash left behind."""
