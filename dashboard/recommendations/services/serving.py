"""Which run a learner's list comes from, and what it follows beside her behaviour."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

from dashboard.core.i18n import current_language
from dashboard.recommendations import queries
from dashboard.recommendations.models import Experiment
from dashboard.recommendations.queries import Ruled, Signals
from dashboard.recommendations.services.artefacts import find_model
from dashboard.recommendations.services.config import event_weights
from jobs.engines.collaborative_filtering import ListRules, TrainedModel

DAY_S = 86_400.0
# Pins that a list begins with at most: the rest is the learner's own.
MOST_PINS = 3


@dataclass(frozen=True, slots=True)
class Served:
    """What answers one reader."""

    run_id: int | None
    experiment_id: int | None
    model: TrainedModel | None


def signals_of(user_id: int) -> Signals:
    """What the learner likes and how much, and what she must not be shown again."""
    return queries.signals_of(user_id, weights=event_weights())


def served_to(user_id: int | None) -> Served:
    """The run in use, or while an experiment runs the one that was drawn for the learner."""
    experiment = queries.find_experiment() if user_id is not None else None
    if experiment is not None and user_id is not None:
        drawn = experiment.run_b_id if in_arm_b(experiment, user_id) else experiment.run_a_id
        if model := find_model(queries.get_run(drawn)):
            return Served(drawn, experiment.id, model)
    run = queries.find_current_run()
    return Served(run.id if run else None, None, find_model(run))


def in_arm_b(experiment: Experiment, user_id: int) -> bool:
    """Drawn from the learner's number, so that she sees the same run every time."""
    digest = hashlib.sha256(f"{experiment.id}:{user_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < experiment.share_b


def ruled(user_id: int | None) -> Ruled:
    """Pins and exclusions for a reader in the language of this request."""
    roles = queries.roles_of(user_id) if user_id is not None else []
    return queries.ruled_for(roles=roles, language=current_language())


def idle_days(model: TrainedModel, own: Signals) -> float:
    """Days from her newest signal to the newest event of all that the run knows."""
    if not own.liked:
        return 0.0
    return max(0.0, model.newest_s - own.liked[-1].at.replace(tzinfo=UTC).timestamp()) / DAY_S


def list_rules(model: TrainedModel, history: Iterable[int]) -> ListRules:
    """How her list is made; her languages are the one she reads in and those of her history."""
    settings = queries.get_settings()
    languages: tuple[str, ...] = ()
    if settings.own_language_first:
        languages = tuple(sorted({current_language(), *model.languages_of(list(history))} - {""}))
    return ListRules(
        content=settings.content,
        penalty=settings.penalty,
        diversity=settings.diversity,
        languages=languages,
    )
