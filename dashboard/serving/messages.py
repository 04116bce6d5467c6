"""What this domain queues."""

from dataclasses import dataclass

from jobs.messages import message


@message("serving.predict")
@dataclass(frozen=True)
class Predict:
    """Answer the records of a prediction task."""

    task_id: int


# A queue of its own: a file of a million rows must not hold up single predictions.
@message("serving.predict_batch", queue="serving_batch")
@dataclass(frozen=True)
class PredictBatch:
    """Answer the rows of a prediction task's file."""

    task_id: int


@message("serving.train")
@dataclass(frozen=True)
class TrainModel:
    """Learn a model from a table and add it to the registry."""

    training_id: int


@message("serving.tidy")
@dataclass(frozen=True)
class Tidy:
    """Remove expired prediction tasks and files that belong to no row."""
