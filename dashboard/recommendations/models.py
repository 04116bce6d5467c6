"""Training runs and what they listed; what administrators rule; what was shown and clicked."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.activity.models import BigId
from dashboard.core.database import UTCDateTime, db, utcnow
from dashboard.core.i18n import lazy


class RunState(StrEnum):
    """How a training run stands."""

    RUNNING = "running"
    DONE = "done"  # published; the newest of these is the current one
    REFUSED = "refused"  # too few interactions: nothing was published
    HELD = "held"  # worse than the run before: kept aside, that one is still shown
    FAILED = "failed"  # the job ended before the run did


STATE_LABELS = {
    RunState.RUNNING: lazy("Running"),
    RunState.DONE: lazy("Completed"),
    RunState.REFUSED: lazy("Too little data"),
    RunState.HELD: lazy("Held back"),
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
    # File name below data_dir/recommendations; "" before the run is published. A refresh writes another.
    artefact: Mapped[str] = mapped_column(String(80), default="")
    # When the file last took in new events, and up to which event.
    refreshed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_event_id: Mapped[int | None] = mapped_column(BigInteger)

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


class RuleEffect(StrEnum):
    """What an administrator's rule does with an item."""

    PIN = "pin"  # first in the lists of its audience
    EXCLUDE = "exclude"  # in no list of its audience


class RecommendationRule(db.Model):  # type: ignore[name-defined,misc]
    """An item that administrators put first or leave out, for everybody or for some."""

    __tablename__ = "recommendation_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    effect: Mapped[str] = mapped_column(String(20))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    # "" is everybody; otherwise only who has the role, or reads in the language.
    audience: Mapped[str] = mapped_column(String(20), default="")
    language: Mapped[str] = mapped_column(String(5), default="")
    # From then on the rule holds no longer.
    ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    note: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)


class ListSettings(db.Model):  # type: ignore[name-defined,misc]
    """How lists are made, as administrators last set it: one row, number 1."""

    __tablename__ = "recommendation_settings"
    __table_args__ = (
        CheckConstraint("diversity BETWEEN 0 AND 1", name="diversity"),
        CheckConstraint("penalty BETWEEN 0 AND 1", name="penalty"),
        CheckConstraint("content BETWEEN 0 AND 1", name="content"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # See ListRules of the engine.
    diversity: Mapped[float] = mapped_column(Float, default=0.1)
    penalty: Mapped[float] = mapped_column(Float, default=0.0)
    content: Mapped[float] = mapped_column(Float, default=0.2)
    # Whether items of the reader's languages come first.
    own_language_first: Mapped[bool] = mapped_column(Boolean, default=True)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)


class Experiment(db.Model):  # type: ignore[name-defined,misc]
    """Two runs side by side: who gets which is drawn once for each learner."""

    __tablename__ = "experiment"
    __table_args__ = (CheckConstraint("share_b > 0 AND share_b < 1", name="share_b"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # True or NULL, so that the database allows a single running experiment.
    is_running: Mapped[bool | None] = mapped_column(Boolean, unique=True)
    run_a_id: Mapped[int] = mapped_column(
        ForeignKey("training_run.id", ondelete="CASCADE"), index=True
    )
    run_b_id: Mapped[int] = mapped_column(
        ForeignKey("training_run.id", ondelete="CASCADE"), index=True
    )
    share_b: Mapped[float] = mapped_column(Float, default=0.5)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Source(StrEnum):
    """Where a recommendation was shown."""

    HOME = "home"  # the part of the home page
    LIST = "list"  # "Recommended for you"
    RELATED = "related"  # beside another item


class Impression(db.Model):  # type: ignore[name-defined,misc]
    """An item shown to a learner in one place on one day, and whether she opened it from there.

    Every experiment begins its own counts, also on a day on which the item was shown before."""

    __tablename__ = "impression"
    __table_args__ = (
        UniqueConstraint(
            "user_id", "day", "source", "item_id", "series", name="uq_impression_user_id_series"
        ),
        Index("ix_impression_run_source", "run_id", "source"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    # NULL once the run is gone, and for what was popular before the first run.
    run_id: Mapped[int | None] = mapped_column(ForeignKey("training_run.id", ondelete="SET NULL"))
    experiment_id: Mapped[int | None] = mapped_column(
        ForeignKey("experiment.id", ondelete="SET NULL"), index=True
    )
    # The number of the experiment, 0 outside of one. For the key: NULLs never equal each other there,
    # and experiment_id becomes NULL with the experiment.
    series: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    source: Mapped[str] = mapped_column(String(20))
    # "behaviour", "content", "popular" or "pin": what spoke for the item.
    ground: Mapped[str] = mapped_column(String(20))
    place: Mapped[int] = mapped_column(Integer)  # from 1
    day: Mapped[int] = mapped_column(Integer)  # days since 1970, UTC
    shown_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    clicked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Set with the click: a video of the item watched before then counts as a watch after it.
    watched_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
