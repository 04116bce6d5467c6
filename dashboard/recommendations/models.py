"""Training runs, and the list that the current one made for every learner."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, Float, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.core.database import UTCDateTime, db, utcnow
from dashboard.core.i18n import lazy


class RunState(StrEnum):
    """How a training run stands."""

    RUNNING = "running"
    DONE = "done"  # published; the newest of these is the current one
    REFUSED = "refused"  # too few interactions: nothing was published
    FAILED = "failed"  # the job ended before the run did


STATE_LABELS = {
    RunState.RUNNING: lazy("Running"),
    RunState.DONE: lazy("Completed"),
    RunState.REFUSED: lazy("Too little data"),
    RunState.FAILED: lazy("Failed"),
}


class TrainingRun(db.Model):  # type: ignore[name-defined,misc]
    """One training: what went in (recipe), how good it is (metrics) and the file it made."""

    __tablename__ = "training_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(20), default=RunState.RUNNING.value, index=True)
    # True or NULL, never False: so the database itself allows a single current run.
    is_current: Mapped[bool | None] = mapped_column(Boolean, unique=True)
    job_id: Mapped[int | None] = mapped_column(
        ForeignKey("job.id", ondelete="SET NULL"), index=True
    )
    requested_by: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    message: Mapped[str] = mapped_column(String(500), default="")
    # The data's window, size and hash, parameters, seed, versions: enough to train the same again.
    recipe: Mapped[dict[str, Any]] = mapped_column(db.JSON, default=dict)
    # One object per model and split, the popularity baselines among them.
    metrics: Mapped[list[dict[str, Any]]] = mapped_column(db.JSON, default=list)
    # File name below data_dir/recommendations; "" before the run is published.
    artefact: Mapped[str] = mapped_column(String(80), default="")

    def __str__(self) -> str:
        return f"#{self.id}"


class RecommendedItem(db.Model):  # type: ignore[name-defined,misc]
    """A place in a learner's list as the current run made it: the answer when its file cannot be read."""

    __tablename__ = "recommended_item"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)  # from 1
    run_id: Mapped[int] = mapped_column(
        ForeignKey("training_run.id", ondelete="CASCADE"), index=True
    )
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    score: Mapped[float] = mapped_column(Float)
    # The item of her history that says most; NULL when the item is there because it is popular.
    reason_item_id: Mapped[int | None] = mapped_column(
        ForeignKey("item.id", ondelete="SET NULL"), index=True
    )
    # `n_both` of the `n_people` who met the reason item met this one too.
    n_both: Mapped[int] = mapped_column(Integer, default=0)
    n_people: Mapped[int] = mapped_column(Integer, default=0)
