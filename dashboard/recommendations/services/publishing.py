"""Which run is shown: a worse one is held back, an older one comes back by one click."""

from typing import Any

from sqlalchemy import delete, update

from dashboard.audit import services as audit
from dashboard.core.database import session, transaction
from dashboard.core.errors import Conflict
from dashboard.core.i18n import _, lazy
from dashboard.recommendations import queries
from dashboard.recommendations.models import RecommendedItem, RunState, TrainingRun
from dashboard.recommendations.services import artefacts

# What is served, and what it must not lose to, by the engine's names.
SERVED, BASELINE = "blend with trend", "popularity"
SPLIT_LABELS = {
    "leave-last-out": lazy("Last item of everybody"),
    "by-time": lazy("Everything after a moment"),
}
# Of fewer people resampling says too little: where none of five is served well, it is certain of nought.
FEWEST_JUDGED = 30

Metrics = list[dict[str, Any]]


def objection(metrics: Metrics, current: TrainingRun | None, *, max_drop: float) -> str:
    """Why a run with these metrics must not be shown; "" when it may.

    It must not when on either split its NDCG is lower than the current run's by more than `max_drop`, a share,
    and lies below it with its whole interval; nor when it is certainly worse than plain popularity on the same
    data, be there a current run or not. A split that judged few people has nothing to say."""
    found: list[str] = []
    for split in SPLIT_LABELS:
        new = _ndcg(metrics, SERVED, split)
        if new is not None:
            if current is not None:
                found.append(_fallen(new, split, current, max_drop=max_drop))
            found.append(_below_popularity(new, split, _ndcg(metrics, BASELINE, split)))
    return " ".join(filter(None, found))


def use_run(run_id: int, *, actor_id: int) -> TrainingRun:
    """Show the lists of this run from now on, an older or a held-back one. Raises NotFound, Conflict."""
    run = queries.get_run(run_id)
    if run.state not in (RunState.DONE, RunState.HELD) or not artefacts.has_file(run):
        raise Conflict(_("Run #%(run)s has no file to show lists from.", run=run_id))
    before = queries.find_current_run()
    if before is not None and before.id == run_id:
        return run
    with transaction():
        make_current(run_id)
        # They were the other run's; until the next training popular items stand in for them.
        session.execute(delete(RecommendedItem))
        audit.record(
            actor_id=actor_id,
            action="recommendations.use_run",
            subject=f"training_run:{run_id}",
            changes={"run": [before.id if before else None, run_id]},
        )
    return run


def make_current(run_id: int, **values: Any) -> None:
    """Mark the run as the one in use, in the caller's transaction."""
    # Before the new mark is set: the database allows one.
    session.execute(update(TrainingRun).values(is_current=None))
    session.execute(
        update(TrainingRun)
        .where(TrainingRun.id == run_id)
        .values(is_current=True, state=RunState.DONE, **values)
    )


def _fallen(new: dict[str, float], split: str, current: TrainingRun, *, max_drop: float) -> str:
    old = _ndcg(current.metrics, SERVED, split)
    if old is None or new["value"] >= old["value"] * (1 - max_drop) or new["high"] >= old["value"]:
        return ""
    return _(
        "Held back: NDCG on held-out data (%(split)s) fell from %(old)s (run %(run)s) to %(new)s.",
        split=SPLIT_LABELS[split],
        old=f"{old['value']:.3f}",
        new=f"{new['value']:.3f}",
        run=f"#{current.id}",
    )


def _below_popularity(new: dict[str, float], split: str, plain: dict[str, float] | None) -> str:
    if plain is None or new["high"] >= plain["value"]:
        return ""
    return _(
        "Held back: NDCG on held-out data (%(split)s) is %(new)s, plain popularity reaches %(plain)s.",
        split=SPLIT_LABELS[split],
        new=f"{new['value']:.3f}",
        plain=f"{plain['value']:.3f}",
    )


def _ndcg(metrics: Metrics, model: str, split: str) -> dict[str, float] | None:
    """The figure of a model on a split that judged enough people."""
    rows = (row for row in metrics if row["model"] == model and row["split"] == split)
    return next((row["ndcg"] for row in rows if row["n_users"] >= FEWEST_JUDGED), None)
