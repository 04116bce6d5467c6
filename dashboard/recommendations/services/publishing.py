"""Which run is shown: a worse one is held back, an older one comes back by one click."""

from typing import Any

from sqlalchemy import delete, update

from dashboard.audit import services as audit
from dashboard.core.database import session, transaction
from dashboard.core.errors import Conflict
from dashboard.core.i18n import _
from dashboard.recommendations import queries
from dashboard.recommendations.models import RecommendedItem, RunState, TrainingRun
from dashboard.recommendations.services import artefacts

# What is served, and what it must not lose to, by the engine's names.
SERVED, BASELINE, SPLIT = "blend with trend", "popularity", "leave-last-out"


def objection(
    metrics: list[dict[str, Any]], current: TrainingRun | None, *, max_drop: float
) -> str:
    """Why a run with these metrics must not replace the current one; "" when it may.

    It may not when its NDCG is lower by more than `max_drop`, a share, and lies below the old one with
    its whole interval; nor when it is certainly worse than plain popularity on the same data."""
    new, old = _ndcg(metrics, SERVED), _ndcg(current.metrics, SERVED) if current else None
    if new is None or old is None:
        return ""
    if new["value"] < old["value"] * (1 - max_drop) and new["high"] < old["value"]:
        return _(
            "Held back: NDCG on held-out data fell from %(old)s (run %(run)s) to %(new)s.",
            old=f"{old['value']:.3f}",
            new=f"{new['value']:.3f}",
            run=f"#{current.id}" if current else "",
        )
    plain = _ndcg(metrics, BASELINE)
    if plain is not None and new["high"] < plain["value"]:
        return _(
            "Held back: NDCG on held-out data is %(new)s, plain popularity reaches %(plain)s.",
            new=f"{new['value']:.3f}",
            plain=f"{plain['value']:.3f}",
        )
    return ""


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


def _ndcg(metrics: list[dict[str, Any]], model: str) -> dict[str, float] | None:
    rows = (row for row in metrics if row["model"] == model and row["split"] == SPLIT)
    return next((row["ndcg"] for row in rows), None)
