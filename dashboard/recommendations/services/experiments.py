"""Two runs side by side on real people, and whether what they did differs by more than chance."""

from dataclasses import dataclass

import numpy as np

from dashboard.audit import services as audit
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict, Invalid, Problem
from dashboard.core.i18n import _
from dashboard.recommendations import queries
from dashboard.recommendations.models import Experiment, RunState
from dashboard.recommendations.services import artefacts

SIGNIFICANT = 0.05
# Resamples of the interval, and the seed that makes it the same at every look.
RESAMPLES, SEED = 1_000, 0


@dataclass(frozen=True, slots=True)
class ArmResult:
    """What the people of one run did."""

    run_id: int
    n_people: int
    n_shown: int
    n_clicked: int
    n_watched: int
    people_clicked: int
    """People who opened at least one item."""
    rate: float
    """Opened / shown."""
    low: float
    high: float
    """95 % interval of the rate: the people are resampled, since one person's clicks hang together."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An experiment's figures."""

    experiment: Experiment
    a: ArmResult
    b: ArmResult
    p_value: float | None
    """Fisher's exact test, two-sided, on the people who opened something; None without people."""

    @property
    def significant(self) -> bool:
        return self.p_value is not None and self.p_value < SIGNIFICANT


def start_experiment(*, run_a_id: int, run_b_id: int, share_b: float, actor_id: int) -> Experiment:
    """Show run b to a share of the learners and run a to the others. Raises Invalid and Conflict."""
    if run_a_id == run_b_id:
        raise Invalid(_("Choose two different runs."))
    if not 0 < share_b < 1:
        message = _("The share must lie between 0 and 1.")
        raise Invalid(message, problems=[Problem("share_b", message)])
    for run_id in (run_a_id, run_b_id):
        run = queries.get_run(run_id)
        if run.state not in (RunState.DONE, RunState.HELD) or not artefacts.has_file(run):
            raise Conflict(_("Run #%(run)s has no file to show lists from.", run=run_id))
    if queries.find_experiment():
        raise Conflict(_("An experiment is running already; end it first."))
    with transaction():
        experiment = Experiment(
            is_running=True, run_a_id=run_a_id, run_b_id=run_b_id, share_b=share_b
        )
        session.add(experiment)
        session.flush()
        audit.record(
            actor_id=actor_id,
            action="recommendations.start_experiment",
            subject=f"experiment:{experiment.id}",
            summary=f"#{run_a_id} / #{run_b_id}, {share_b:.0%}",
        )
    return experiment


def stop_experiment(*, actor_id: int) -> None:
    """End the running experiment: everybody gets the run in use again. Raises Conflict without one."""
    experiment = queries.find_experiment()
    if experiment is None:
        raise Conflict(_("No experiment is running."))
    with transaction():
        experiment.is_running, experiment.ended_at = None, utcnow()
        audit.record(
            actor_id=actor_id,
            action="recommendations.stop_experiment",
            subject=f"experiment:{experiment.id}",
        )


def outcome_of(experiment: Experiment) -> Outcome:
    """The figures of both runs so far, and the test between them."""
    people = queries.people_by_run(experiment.id)
    a, b = (
        _arm(run_id, people.get(run_id, []))
        for run_id in (experiment.run_a_id, experiment.run_b_id)
    )
    p_value = None
    if a.n_people and b.n_people:
        table = [[arm.people_clicked, arm.n_people - arm.people_clicked] for arm in (a, b)]
        # Imported late: it takes every process of the portal half a second.
        from scipy.stats import fisher_exact

        p_value = float(fisher_exact(table).pvalue)
    return Outcome(experiment, a, b, p_value)


def _arm(run_id: int, people: list[tuple[int, int, int]]) -> ArmResult:
    shown, clicked, watched = (np.array([row[i] for row in people], dtype=float) for i in range(3))
    low, high = _interval(shown, clicked)
    total = shown.sum()
    return ArmResult(
        run_id=run_id,
        n_people=len(people),
        n_shown=int(total),
        n_clicked=int(clicked.sum()),
        n_watched=int(watched.sum()),
        people_clicked=int((clicked > 0).sum()),
        rate=float(clicked.sum() / total) if total else 0.0,
        low=low,
        high=high,
    )


def _interval(shown: np.ndarray, clicked: np.ndarray) -> tuple[float, float]:
    if not len(shown):
        return 0.0, 0.0
    random = np.random.default_rng(SEED)
    rates = []
    for _round in range(RESAMPLES):
        drawn = random.integers(0, len(shown), len(shown))
        rates.append(clicked[drawn].sum() / shown[drawn].sum())
    low, high = np.quantile(rates, [0.025, 0.975])
    return float(low), float(high)
