"""A model learnt from a table goes to the registry with its metrics (R020)."""

from pathlib import Path

import pytest

from dashboard.accounts.models import User
from dashboard.core.database import session, transaction
from dashboard.core.errors import Invalid
from dashboard.job_queue.models import Job, JobState
from dashboard.serving import charts, services
from dashboard.serving.models import ModelTraining
from tests.factories.models import viewer_of


def request(analyst: User, path: Path, *, target: str = "kind") -> ModelTraining:
    return services.request_training(
        path,
        original_name="t.csv",
        name="learnt",
        target=target,
        algorithms=["linear"],
        viewer=viewer_of(analyst),
    )


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "t.csv"
    rows = [f"{n},{n % 7},{'big' if n > 30 else 'small'}" for n in range(60)]
    path.write_text("\n".join(["x,y,kind", *rows]))
    return path


def test_a_trained_model_is_in_the_registry(analyst: User, table: Path) -> None:
    training = request(analyst, table)
    with transaction():
        job = session.get_one(Job, training.job_id)
        job.state, job.attempt = JobState.RUNNING, 1

    services.train(training.id, job_id=job.id, attempt=1, progress=lambda _f, _t: None)

    assert training.state == "done"
    assert training.metrics["held_out"]["accuracy"] > 0.9
    assert training.version is not None
    assert training.version.baseline["x"]["edges"][0] == 0
    names = [chart.name for chart in charts.training(training.metrics)]
    assert names == ["algorithms", "confusion", "roc", "importance"]


@pytest.mark.parametrize("target", ["", "z"])
def test_an_unknown_target_is_refused(analyst: User, table: Path, target: str) -> None:
    with pytest.raises(Invalid):
        request(analyst, table, target=target)
