"""Training runs and the lists they stored."""

from collections.abc import Iterable

from sqlalchemy import select

from dashboard.core.database import Page, page_of, session
from dashboard.core.errors import NotFound
from dashboard.recommendations.models import Experiment, RecommendedItem, RunState, TrainingRun


def find_current_run() -> TrainingRun | None:
    """The run whose lists are shown."""
    return session.scalar(select(TrainingRun).where(TrainingRun.is_current.is_(True)))


def get_run(run_id: int) -> TrainingRun:
    """The training run. Raises NotFound."""
    run = session.get(TrainingRun, run_id)
    if run is None:
        raise NotFound()
    return run


def list_runs(*, page: int, per_page: int) -> Page[TrainingRun]:
    """Training runs, newest first."""
    return page_of(
        select(TrainingRun).order_by(TrainingRun.id.desc()), page=page, per_page=per_page
    )


def list_done_runs(*, limit: int) -> list[TrainingRun]:
    """The newest published runs, oldest of them first: the course of the metrics."""
    query = (
        select(TrainingRun)
        .where(TrainingRun.state == RunState.DONE)
        .order_by(TrainingRun.id.desc())
        .limit(limit)
    )
    return list(reversed(session.scalars(query).all()))


def list_stored(user_id: int) -> list[RecommendedItem]:
    """The learner's list as the current run left it, best first."""
    query = (
        select(RecommendedItem)
        .where(RecommendedItem.user_id == user_id)
        .order_by(RecommendedItem.place)
    )
    return list(session.scalars(query))


def find_experiment() -> Experiment | None:
    """The experiment that is running."""
    return session.scalar(select(Experiment).where(Experiment.is_running.is_(True)))


def list_experiments(*, limit: int) -> list[Experiment]:
    """The newest experiments, newest first."""
    return list(session.scalars(select(Experiment).order_by(Experiment.id.desc()).limit(limit)))


def list_served_runs() -> list[TrainingRun]:
    """The runs that anybody's list comes from now."""
    ids = [run.id for run in [find_current_run()] if run]
    if experiment := find_experiment():
        ids += [experiment.run_a_id, experiment.run_b_id]
    return list_runs_by_id(ids)


def list_runs_by_id(ids: Iterable[int]) -> list[TrainingRun]:
    """The runs of these numbers that exist, by number."""
    query = select(TrainingRun).where(TrainingRun.id.in_(set(ids))).order_by(TrainingRun.id)
    return list(session.scalars(query))


def list_kept_runs(*, limit: int) -> list[TrainingRun]:
    """The newest runs whose files are kept, so that one click can bring them back."""
    query = (
        select(TrainingRun)
        .where(TrainingRun.state.in_([RunState.DONE, RunState.HELD]), TrainingRun.artefact != "")
        .order_by(TrainingRun.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query))
