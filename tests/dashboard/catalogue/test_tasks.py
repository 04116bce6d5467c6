from pathlib import Path

import pytest
from flask import Flask

from dashboard.catalogue import services, tasks
from dashboard.catalogue.messages import CheckVideo
from dashboard.catalogue.models import Item, Video, VideoState
from dashboard.core import uploads
from dashboard.core.database import db
from jobs.tasks import Cancelled, JobContext
from tests.factories.catalogue import make_item
from tests.factories.videos import make_video


class Reporter:
    """Keeps what a task says of itself."""

    def __init__(self, stop: str | None = None) -> None:
        self.lines: list[str] = []
        self.stop = stop

    def progress(self, fraction: float, text: str) -> None: ...

    def log(self, line: str) -> None:
        self.lines.append(line)

    def stop_reason(self) -> str | None:
        return self.stop


def context(folder: Path, reporter: Reporter) -> JobContext:
    return JobContext(job_id=1, attempt=1, owner_id=None, folder=folder, reporter=reporter)


@pytest.fixture
def item(app: Flask) -> Item:
    return make_item()


def add(item: Item, path: Path) -> Video:
    return services.add_video(item.id, actor_id=None, path=path, title="Film")


class TestLookIntoVideo:
    def test_stores_what_it_found_with_a_poster(self, item: Item, tmp_path: Path) -> None:
        video = add(item, make_video(tmp_path / "a.mp4"))

        result = tasks.look_into_video(CheckVideo(video.id), context(tmp_path, Reporter()))

        assert result == {"verdict": "ready", "reason": ""}
        assert (video.state, video.codec, video.width, video.duration_s) == (
            "ready",
            "h264",
            160,
            2,
        )
        assert len(video.sha256) == 64
        assert uploads.stored_names()["posters"] == {video.poster}

    def test_replaces_the_poster_when_asked_again(self, item: Item, tmp_path: Path) -> None:
        video = add(item, make_video(tmp_path / "a.mp4"))
        for _time in range(2):
            tasks.look_into_video(CheckVideo(video.id), context(tmp_path, Reporter()))

        assert uploads.stored_names()["posters"] == {video.poster}

    def test_says_why_a_file_is_no_video(self, item: Item, tmp_path: Path) -> None:
        path = tmp_path / "a.mp4"
        path.write_bytes(b"<html>")
        video, reporter = add(item, path), Reporter()

        result = tasks.look_into_video(CheckVideo(video.id), context(tmp_path, reporter))

        assert result == {"verdict": "failed", "reason": "not_a_video"}
        assert (video.state, video.reason) == (VideoState.FAILED, "not_a_video")
        assert reporter.lines == ["failed not_a_video"]

    def test_ends_quietly_when_the_video_is_gone(self, app: Flask, tmp_path: Path) -> None:
        result = tasks.look_into_video(CheckVideo(99), context(tmp_path, Reporter()))

        assert result == {"verdict": "deleted"}

    def test_leaves_no_endless_state_when_it_is_cancelled(
        self, item: Item, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        video = add(item, make_video(tmp_path / "a.mp4"))
        monkeypatch.setattr("jobs.engines.video.child.LOOK_EVERY_S", 0.001)

        with pytest.raises(Cancelled):
            tasks.look_into_video(CheckVideo(video.id), context(tmp_path, Reporter("cancelled")))

        db.session.expire_all()
        assert (video.state, video.reason) == (VideoState.FAILED, "check_failed")
