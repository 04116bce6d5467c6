"""What this domain queues."""

from dataclasses import dataclass

from jobs.messages import message


@message("recommendations.train")
@dataclass(frozen=True)
class TrainRecommender:
    """Learn from all events and publish new lists."""

    requested_by: int | None = None
    model: str = ""
    """What to serve, by the engine's name; "" is the configured one."""


@message("recommendations.refresh")
@dataclass(frozen=True)
class RefreshRecommender:
    """Take the newest events and items into the runs that are shown."""
