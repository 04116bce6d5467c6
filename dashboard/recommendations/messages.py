"""What this domain queues."""

from dataclasses import dataclass

from jobs.messages import message


@message("recommendations.train")
@dataclass(frozen=True)
class TrainRecommender:
    """Learn from all events and publish new lists."""

    requested_by: int | None = None
