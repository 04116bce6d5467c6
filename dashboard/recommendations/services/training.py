"""A training run from the events in the database to published lists.

Nothing of the old run changes before the new one is complete: the file is renamed into place and one
transaction stores the lists and makes the run current.
"""

import hashlib
import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import scipy
from flask import current_app
from sqlalchemy import delete, insert, update

from dashboard.core.config import Recommendations
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import DomainError, Invalid
from dashboard.core.i18n import _
from dashboard.job_queue import services as jobs
from dashboard.recommendations import queries
from dashboard.recommendations.models import RecommendedItem, RunState, TrainingRun
from dashboard.recommendations.queries import Events
from dashboard.recommendations.services import artefacts, publishing
from dashboard.recommendations.services.config import event_weights, training_config
from dashboard.recommendations.services.rating_errors import rating_errors
from jobs.engines import collaborative_filtering as cf

Progress = Callable[[float, str], None]
"""Fraction done and what is being done; it may raise to stop the run."""

# The engine's part of the progress bar; loading comes before, storing after.
ENGINE_STARTS, ENGINE_ENDS = 0.1, 0.8
ROWS_AT_ONCE = 5_000
USERS_PER_REPORT = 500


class TooFewInteractions(Invalid):
    """There is too little behaviour to learn from."""

    code = "too_few_interactions"


def train(
    *,
    job_id: int | None = None,
    attempt: int | None = None,
    requested_by: int | None = None,
    model: str | None = None,
    progress: Progress,
) -> TrainingRun:
    """Learn from every event and publish the result as the current run.

    model: a name of the engine's NAMED; None takes the configured one. A run that is worse than the one
    in use is held back: it is stored, and the old one is still shown.
    With an `attempt` the job is completed in the transaction that publishes: a worker that was given
    up publishes nothing.

    Raises TooFewInteractions below the configured number; the run before stays current then,
    and after any other error too.
    """
    run = _start(job_id=job_id, requested_by=requested_by)
    try:
        return _train(run, progress, attempt=attempt, model=model)
    except BaseException as error:
        # Also when cancelled, which is no Exception: a run must not stay "running" for ever.
        _give_up(run.id, error)
        raise


def _train(
    run: TrainingRun, progress: Progress, *, attempt: int | None, model: str | None
) -> TrainingRun:
    settings: Recommendations = current_app.config["ATRIUM"].recommendations
    progress(0.0, _("Reading events"))
    with transaction():
        # Stored before anything is read: an import that commits meanwhile sets it back.
        run.last_event_id = queries.last_event_id()
    events, weights = queries.load_events(), event_weights()
    interactions = matrix_of(events, weights)
    if interactions.n_pairs < settings.min_interactions:
        raise TooFewInteractions(
            _(
                "There are %(found)s interactions; training needs at least %(needed)s.",
                found=interactions.n_pairs,
                needed=settings.min_interactions,
            )
        )
    config = training_config(settings, model=model or settings.model)
    catalogue = queries.load_catalogue()
    trained = cf.train(interactions, config, progress=_scaled(progress), catalogue=catalogue)
    name = f"{run.id}.npz"
    cf.save_run(trained, artefacts.folder() / name)
    artefacts.save_pairs(name, interactions)
    metrics = [asdict(row) for row in trained.metrics]
    current = queries.find_current_run()
    objection = publishing.objection(metrics, current, max_drop=settings.max_drop)
    progress(ENGINE_ENDS, _("Measuring"))
    ratings = rating_errors(events, seed=config.seed)
    # Made before the transaction, which holds SQLite's only write lock.
    lists = trained.all_lists(interactions, settings.top_n, n_reasons=1)
    rows = [] if objection else _rows_of(run.id, lists, progress)
    values = {
        "finished_at": utcnow(),
        "artefact": name,
        "recipe": recipe_of(events, interactions, config)
        | {"event_weights": asdict(weights), "served": trained.choice, "ratings": ratings},
        "metrics": metrics,
        "message": " ".join(trained.notes)[:500],
    }
    with transaction():
        if not objection:
            _store_lists(rows)
        _publish(run, values, objection=objection)
        if run.job_id is not None and attempt is not None:
            jobs.complete(job_id=run.job_id, attempt=attempt, result={"run_id": run.id})
    served = queries.list_served_runs()
    artefacts.remove_old([*queries.list_kept_runs(limit=settings.kept_runs), *served])
    progress(1.0, _("Held back") if objection else _("Published"))
    return queries.get_run(run.id)


def matrix_of(events: Events, weights: cf.EventWeights) -> cf.Interactions:
    """The behaviour matrix: what somebody dismissed, left out or disliked is no part of it."""
    return cf.behaviour_matrix(
        events.user_ids,
        events.item_ids,
        kinds=events.kinds,
        values=events.values,
        times_s=events.times_s,
        weights=weights,
    )


def recipe_of(
    events: Events, interactions: cf.Interactions, config: cf.TrainingConfig
) -> dict[str, Any]:
    """What it takes to train the same again, as plain JSON."""
    return {
        "window": {"from": _iso(events.times_s.min()), "to": _iso(events.times_s.max())},
        "n_events": len(events),
        "n_pairs": interactions.n_pairs,
        "n_users": interactions.n_users,
        "n_items": interactions.n_items,
        "data_sha256": hash_of(events),
        "parameters": json.loads(json.dumps(asdict(config))),
        "seed": config.seed,
        "versions": {
            "engine": "atrium collaborative filtering 3",
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
    }


def hash_of(events: Events) -> str:
    """SHA-256 of the events; the order in which the database returned them does not matter."""
    columns = (events.user_ids, events.item_ids, events.times_s, events.kinds, events.values)
    order = np.lexsort(columns[::-1])
    digest = hashlib.sha256()
    for column in columns:
        digest.update(np.ascontiguousarray(column[order]).tobytes())
    return digest.hexdigest()


def _start(*, job_id: int | None, requested_by: int | None) -> TrainingRun:
    with transaction():
        if job_id is not None:
            # An attempt that was killed left its run behind.
            session.execute(
                update(TrainingRun)
                .where(TrainingRun.job_id == job_id, TrainingRun.state == RunState.RUNNING)
                .values(state=RunState.FAILED, finished_at=utcnow())
            )
        run = TrainingRun(job_id=job_id, requested_by=requested_by, state=RunState.RUNNING)
        session.add(run)
    return run


def _give_up(run_id: int, error: BaseException) -> None:
    session.rollback()
    refused = isinstance(error, TooFewInteractions)
    text = error.message if isinstance(error, DomainError) else type(error).__name__
    with transaction():
        run = queries.get_run(run_id)
        run.state = RunState.REFUSED if refused else RunState.FAILED
        run.message = text[:500]
        run.finished_at = utcnow()


def _publish(run: TrainingRun, values: dict[str, Any], *, objection: str) -> None:
    """Store what the run made and, unless something speaks against it, show it from now on."""
    if objection:
        values |= {"state": RunState.HELD, "message": objection[:500]}
        session.execute(update(TrainingRun).where(TrainingRun.id == run.id).values(**values))
    else:
        publishing.make_current(run.id, **values)


def _store_lists(rows: list[dict[str, Any]]) -> None:
    """Replace every learner's stored list."""
    session.execute(delete(RecommendedItem))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        session.execute(insert(RecommendedItem), rows[start : start + ROWS_AT_ONCE])


def _rows_of(
    run_id: int, lists: Iterator[tuple[int | str, list[cf.Suggestion]]], progress: Progress
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, (user_id, found) in enumerate(lists):
        rows.extend(_row(run_id, int(user_id), place, each) for place, each in enumerate(found, 1))
        if number % USERS_PER_REPORT == 0:
            progress(ENGINE_ENDS, _("Making the lists"))
    return rows


def _row(run_id: int, user_id: int, place: int, found: cf.Suggestion) -> dict[str, Any]:
    why = found.reasons[0] if found.reasons else None
    return {
        "run_id": run_id,
        "user_id": user_id,
        "place": place,
        "item_id": int(found.item_id),
        "score": found.score,
        "reason_item_id": int(why.item_id) if why else None,
        "n_both": why.counts.both if why else 0,
        "n_people": why.counts.n if why else 0,
    }


def _scaled(progress: Progress) -> Progress:
    span = ENGINE_ENDS - ENGINE_STARTS
    return lambda fraction, text: progress(ENGINE_STARTS + span * fraction, _stage_label(text))


def _stage_label(text: str) -> str:
    """The engine's name of a stage in the reader's language."""
    labels = {
        "choosing a model": _("Choosing a model"),
        "comparing items": _("Comparing items"),
        "counting people in common": _("Counting people in common"),
        "making the lists": _("Making the lists"),
        "comparing people": _("Comparing people"),
        "done": _("Done"),
    }
    return _("Measuring") if text.startswith("measuring") else labels.get(text, text)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="seconds")
