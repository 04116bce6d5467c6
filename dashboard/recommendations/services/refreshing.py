"""The run in use brought up to date every few minutes: new events, new items, no evaluation."""

import logging
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from flask import current_app
from sqlalchemy import CursorResult, case, update

from dashboard.core.database import session, transaction, utcnow
from dashboard.recommendations import queries
from dashboard.recommendations.models import TrainingRun
from dashboard.recommendations.services import artefacts
from dashboard.recommendations.services.config import event_weights, training_config
from dashboard.recommendations.services.training import matrix_of
from jobs.engines import collaborative_filtering as cf

log = logging.getLogger(__name__)

# Numbers are given to events before they commit: one may appear below the newest that was read. The
# people of this many numbers are read again.
OVERLAP = 1_000


@dataclass(frozen=True, slots=True)
class Refresh:
    """What one refresh did to one run."""

    run_id: int
    n_events: int
    n_rows: int
    n_new_items: int


def refresh_all() -> list[Refresh]:
    """Refresh every run that somebody's list comes from now."""
    found = [refresh(run) for run in queries.list_served_runs()]
    return [each for each in found if each is not None]


def refresh(run: TrainingRun) -> Refresh | None:
    """Take in what happened since the run's file was written; None when nothing did, or it is gone.

    A training, another refresh or an import that finishes meanwhile wins: this one is thrown away then."""
    model = artefacts.find_model(run)
    if model is None or run.last_event_id is None:
        return None
    # What was read: the row may say another name by the time it is changed.
    read, mark = run.artefact, run.last_event_id
    began, last_event_id = utcnow(), queries.last_event_id()
    active = queries.count_events_by_user(after=mark)
    since = run.refreshed_at or run.started_at
    changed_at = queries.catalogue_changed_at()
    catalogue = queries.load_catalogue() if changed_at and changed_at >= since else None
    if not active and catalogue is None:
        return None
    try:
        before = artefacts.load_pairs(read)
    except (OSError, ValueError) as error:
        log.warning("run %s cannot be refreshed: %s", run.id, error)
        return None
    recent = queries.count_events_by_user(after=mark - OVERLAP)
    others, theirs, now = _history_now(before, sorted({*active, *recent}))
    after = _together(others, now)
    settings = current_app.config["ATRIUM"].recommendations
    done = cf.refresh(
        model,
        after,
        touched=cf.touched_items(theirs, now).tolist(),
        config=training_config(settings, model=settings.model),
        catalogue=catalogue,
    )
    name = artefacts.next_name(run)
    _save(name, done.model, after)
    values = {"artefact": name, "refreshed_at": began, "last_event_id": last_event_id}
    if not _replace(run.id, read, mark, values):
        artefacts.remove(name)
        return None
    artefacts.remove_replaced(name)
    return Refresh(run.id, sum(active.values()), done.n_rows, done.n_new_items)


def set_back(last_event_id: int) -> None:
    """Have every run read again what follows that event, in the caller's transaction.

    For a long transaction whose events commit below numbers that were read meanwhile. Every mark gets
    another value, so that a refresh under way, which has not seen these events, does not replace it."""
    mark = TrainingRun.last_event_id
    new = case((mark > last_event_id, last_event_id), else_=mark - 1)
    session.execute(update(TrainingRun).values(last_event_id=new))


def _history_now(
    before: cf.Interactions, user_ids: list[int]
) -> tuple[cf.Interactions, cf.Interactions, cf.Interactions]:
    """Everybody else's pairs; those of these people as they were, and as they are now.

    All that they ever did is read again: an event may take back or outweigh an older one."""
    own = np.isin(before.user_ids, user_ids)[before.users]
    now = matrix_of(queries.load_events(user_ids=user_ids), event_weights())
    return before.only(~own), before.only(own), now


def _together(some: cf.Interactions, others: cf.Interactions) -> cf.Interactions:
    return cf.build_interactions(
        np.concatenate([some.user_ids[some.users], others.user_ids[others.users]]),
        np.concatenate([some.item_ids[some.items], others.item_ids[others.items]]),
        times_s=np.concatenate([some.times, others.times]),
        weights=np.concatenate([some.weights, others.weights]),
    )


def _save(name: str, model: cf.TrainedModel, pairs: cf.Interactions) -> None:
    """Both files, before the run names them: what it names is always whole."""
    try:
        cf.save_run(model, artefacts.folder() / name)
        artefacts.save_pairs(name, pairs)
    except BaseException:
        artefacts.remove(name)
        raise


def _replace(run_id: int, read: str, mark: int, values: dict[str, Any]) -> bool:
    """Whether the run's file and mark were still those that were read."""
    with transaction():
        done = session.execute(
            update(TrainingRun)
            .where(
                TrainingRun.id == run_id,
                TrainingRun.artefact == read,
                TrainingRun.last_event_id == mark,
            )
            .values(**values)
        )
    return bool(cast("CursorResult[Any]", done).rowcount)
