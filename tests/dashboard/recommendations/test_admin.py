"""Training runs in the dashboard."""

from collections.abc import Callable

from dashboard.core.database import session
from dashboard.job_queue.models import Job
from dashboard.recommendations.models import TrainingRun
from tests.dashboard.recommendations.conftest import World
from tests.factories.dashboard import Desk, rows_of


class TestList:
    def test_shows_the_run_in_use_with_its_metrics(
        self, desk: Desk, world: World, train: Callable[[], TrainingRun]
    ) -> None:
        run = train()

        assert f"#{run.id} Completed Yes" in rows_of(desk.get("/recommendations/"))[0]
        text = desk.get(f"/recommendations/details/?id={run.id}").text
        assert "NDCG" in text
        assert run.recipe["data_sha256"] in text

    def test_says_what_to_do_when_there_is_none(self, desk: Desk) -> None:
        text = desk.get("/recommendations/").text

        assert "Nothing has been trained yet." in text
        assert "Train now" in text


class TestTrain:
    def test_queues_a_training_once(self, desk: Desk) -> None:
        first = desk.post("/recommendations/train/")
        desk.post("/recommendations/train/")

        job = session.query(Job).one()
        assert job.kind == "recommendations.train"
        assert first.request.path == f"/jobs/{job.id}"

    def test_needs_a_token(self, desk: Desk) -> None:
        assert desk.post_without_token("/recommendations/train/").status_code == 400
        assert session.query(Job).count() == 0
