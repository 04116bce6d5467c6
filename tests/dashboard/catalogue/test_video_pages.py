from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from dashboard.activity.models import Event
from dashboard.catalogue import queries, services
from dashboard.catalogue.models import Item, Video, VideoState
from dashboard.core import uploads
from dashboard.core.database import db
from dashboard.job_queue.models import Job, JobState
from tests.factories.browsing import fetch, post
from tests.factories.catalogue import make_item, make_ready_video
from tests.factories.videos import make_video


@pytest.fixture
def item(app: Flask) -> Item:
    return make_item()


@pytest.fixture
def video(item: Item, tmp_path: Path) -> Video:
    return make_ready_video(item, tmp_path, title="The film")


@pytest.fixture
def content(video: Video) -> bytes:
    return uploads.path_of("videos", video.stored_name).read_bytes()


class TestStream:
    def test_sends_all_of_it(self, as_learner: FlaskClient, video: Video, content: bytes) -> None:
        answer = fetch(as_learner, f"/videos/{video.id}/stream")

        assert answer.status_code == 200
        assert answer.data == content
        assert answer.mimetype == "video/mp4"
        assert answer.headers["Accept-Ranges"] == "bytes"

    @pytest.mark.parametrize(
        ("wanted", "part"),
        [
            ("bytes=0-99", slice(0, 100)),
            ("bytes=100-", slice(100, None)),
            ("bytes=-50", slice(-50, None)),
        ],
        ids=["first", "rest", "end"],
    )
    def test_sends_a_range(
        self, as_learner: FlaskClient, video: Video, wanted: str, part: slice
    ) -> None:
        content = uploads.path_of("videos", video.stored_name).read_bytes()

        answer = fetch(as_learner, f"/videos/{video.id}/stream", headers={"Range": wanted})

        assert answer.status_code == 206
        assert answer.data == content[part]
        assert answer.headers["Content-Range"].endswith(f"/{len(content)}")

    @pytest.mark.parametrize("wanted", ["bytes=99999999-", "bytes=0-1,5-9"])
    def test_refuses_a_range_it_cannot_send(
        self, as_learner: FlaskClient, video: Video, wanted: str
    ) -> None:
        answer = fetch(as_learner, f"/videos/{video.id}/stream", headers={"Range": wanted})

        assert answer.status_code == 416

    def test_is_not_sent_again_to_a_browser_that_has_it(
        self, as_learner: FlaskClient, video: Video
    ) -> None:
        etag = fetch(as_learner, f"/videos/{video.id}/stream").headers["ETag"]

        answer = fetch(as_learner, f"/videos/{video.id}/stream", headers={"If-None-Match": etag})

        assert answer.status_code == 304

    def test_may_act_as_nothing_but_a_film(self, as_learner: FlaskClient, video: Video) -> None:
        headers = fetch(as_learner, f"/videos/{video.id}/stream").headers

        assert headers["Cache-Control"] == "private, no-cache"
        assert "sandbox" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"

    def test_asks_visitors_to_sign_in_and_brings_them_back(
        self, client: FlaskClient, video: Video
    ) -> None:
        answer = fetch(client, f"/videos/{video.id}/stream")

        assert answer.status_code == 302
        assert f"next=/videos/{video.id}/stream" in answer.headers["Location"]

    def test_is_open_to_visitors_as_a_preview(self, client: FlaskClient, video: Video) -> None:
        services.update_video(video.id, actor_id=None, preview_public=True)

        assert fetch(client, f"/videos/{video.id}/stream").status_code == 200

    def test_of_a_draft_is_for_administrators(
        self, client: FlaskClient, as_learner: FlaskClient, as_admin: FlaskClient, video: Video
    ) -> None:
        services.unpublish_item(video.item_id, actor_id=None)

        codes = [
            fetch(who, f"/videos/{video.id}/{what}").status_code
            for who in (client, as_learner, as_admin)
            for what in ("stream", "poster")
        ]

        assert codes == [404, 404, 404, 404, 200, 200]

    def test_is_404_when_the_file_is_gone(self, as_learner: FlaskClient, video: Video) -> None:
        uploads.path_of("videos", video.stored_name).unlink()

        answer = fetch(as_learner, f"/videos/{video.id}/stream")

        assert answer.status_code == 404
        assert "tell an administrator" in answer.text


class TestDownload:
    def test_is_named_as_it_was_uploaded(
        self, as_learner: FlaskClient, video: Video, content: bytes
    ) -> None:
        video.original_name = '课程 "一".mp4'
        db.session.commit()

        answer = fetch(as_learner, f"/videos/{video.id}/download")

        assert answer.data == content
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment")
        assert "filename*=UTF-8''%E8%AF%BE%E7%A8%8B" in disposition

    def test_counts_once_even_when_it_goes_on_later(
        self, as_learner: FlaskClient, video: Video
    ) -> None:
        as_learner.head(f"/videos/{video.id}/download", buffered=True)
        fetch(as_learner, f"/videos/{video.id}/download")
        fetch(as_learner, f"/videos/{video.id}/download", headers={"Range": "bytes=100-"})

        events = db.session.query(Event).all()

        assert [(event.kind, event.video_id) for event in events] == [("download", video.id)]

    def test_is_for_people_with_an_account(self, client: FlaskClient, video: Video) -> None:
        services.update_video(video.id, actor_id=None, preview_public=True)

        assert fetch(client, f"/videos/{video.id}/download").status_code == 302

    def test_of_a_failed_video_does_not_exist(self, as_learner: FlaskClient, video: Video) -> None:
        video.state = VideoState.FAILED.value
        db.session.commit()

        assert fetch(as_learner, f"/videos/{video.id}/download").status_code == 404


class TestPoster:
    def test_is_a_jpeg(self, client: FlaskClient, video: Video) -> None:
        answer = fetch(client, f"/videos/{video.id}/poster")

        assert answer.mimetype == "image/jpeg"
        assert answer.data.startswith(b"\xff\xd8\xff")


class TestItemPage:
    def test_plays_for_learners(self, as_learner: FlaskClient, video: Video) -> None:
        text = as_learner.get(f"/courses/{video.item_id}").text

        assert f'src="/videos/{video.id}/stream"' in text
        assert f'data-video="{video.id}"' in text and f'data-item="{video.item_id}"' in text
        assert f"/videos/{video.id}/download" in text

    def test_asks_visitors_to_sign_in(self, client: FlaskClient, video: Video) -> None:
        text = client.get(f"/courses/{video.item_id}").text

        assert "<video" not in text
        assert "Sign in to watch" in text

    def test_says_why_a_video_does_not_play(
        self, as_learner: FlaskClient, as_admin: FlaskClient, video: Video
    ) -> None:
        video.state, video.reason, video.reason_detail = "cannot_play", "codec", "hevc"
        db.session.commit()

        text = as_learner.get(f"/courses/{video.item_id}").text

        assert "Browsers cannot play this kind of video" in text and "hevc" in text
        assert f"/videos/{video.id}/download" in text

    def test_hides_unusable_videos_from_learners(
        self, as_learner: FlaskClient, as_admin: FlaskClient, video: Video
    ) -> None:
        video.state, video.reason = "failed", "broken"
        db.session.commit()

        assert "The film" not in as_learner.get(f"/courses/{video.item_id}").text
        assert "damaged or incomplete" in as_admin.get(f"/courses/{video.item_id}").text


class TestAdministration:
    def test_lists_the_videos_and_offers_the_upload(
        self, as_admin: FlaskClient, video: Video
    ) -> None:
        text = as_admin.get(f"/videos/upload?item={video.item_id}").text

        assert "The film" in text
        assert 'data-island="Upload"' in text and "/api/v1/uploads" in text

    def test_follows_a_check_that_is_under_way(
        self, as_admin: FlaskClient, item: Item, tmp_path: Path
    ) -> None:
        path = make_video(tmp_path / "a.mp4")
        services.add_video(item.id, actor_id=None, path=path, title="New")
        job = db.session.query(Job).one()

        text = as_admin.get(f"/videos/upload?item={item.id}").text

        assert f'data-job="{job.id}" data-job-state="queued"' in text
        assert "Being checked" in text and "Check again" not in text

    def test_shows_the_end_of_a_check_that_ended_while_the_page_was_made(
        self, as_admin: FlaskClient, item: Item, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        services.add_video(item.id, actor_id=None, path=make_video(tmp_path / "a.mp4"), title="New")
        read = queries.list_checks

        def end_and_read(video_ids: list[int]) -> dict[int, Job]:
            # By another connection, as its worker would.
            with db.engine.begin() as connection:
                connection.execute(update(Job).values(state=JobState.DONE, unique_key=None))
                connection.execute(update(Video).values(state=VideoState.CANNOT_PLAY))
            return read(video_ids)

        monkeypatch.setattr(queries, "list_checks", end_and_read)
        text = as_admin.get(f"/videos/upload?item={item.id}").text

        assert "Being checked" not in text and "Check again" in text

    @pytest.mark.parametrize("item_id", ["", "0", "999", "x", "9" * 20])
    def test_knows_no_other_item(self, as_admin: FlaskClient, item_id: str) -> None:
        assert as_admin.get(f"/videos/upload?item={item_id}").status_code == 404

    def test_renames_and_opens_a_video(self, as_admin: FlaskClient, video: Video) -> None:
        data = {"title": "New name", "preview_public": "y"}

        answer = post(as_admin, f"/videos/{video.id}", data=data)

        assert answer.status_code == 302
        db.session.refresh(video)
        assert (video.title, video.preview_public) == ("New name", True)

    def test_refuses_an_empty_name(self, as_admin: FlaskClient, video: Video) -> None:
        answer = post(as_admin, f"/videos/{video.id}", data={"title": " "}, follow_redirects=True)

        assert "The title needs 1 to 200 characters." in answer.text
        assert db.session.get(Video, video.id).title == "The film"  # type: ignore[union-attr]

    def test_checks_again(self, as_admin: FlaskClient, video: Video) -> None:
        post(as_admin, f"/videos/{video.id}/check")

        assert db.session.get(Video, video.id).state == VideoState.CHECKING  # type: ignore[union-attr]
        assert db.session.query(Job).count() == 1, "the check that is queued already"

    def test_asks_before_deleting_and_then_deletes_the_files(
        self, as_admin: FlaskClient, video: Video
    ) -> None:
        question = fetch(as_admin, f"/videos/{video.id}/delete")
        assert "Delete this video?" in question.text and db.session.query(Video).count() == 1

        post(as_admin, f"/videos/{video.id}/delete")

        assert db.session.query(Video).count() == 0
        assert not any(uploads.stored_names().values())

    def test_is_for_administrators(
        self,
        client: FlaskClient,
        as_learner: FlaskClient,
        as_analyst: FlaskClient,
        video: Video,
    ) -> None:
        def codes(call: Callable[[FlaskClient], int]) -> list[int]:
            return [call(who) for who in (client, as_learner, as_analyst)]

        assert codes(lambda who: who.get("/videos/upload?item=1").status_code) == [302, 403, 403]
        for path in ("", "/check", "/delete"):
            assert codes(lambda who, at=path: post(who, f"/videos/1{at}").status_code) == [
                302,
                403,
                403,
            ]  # type: ignore[misc]
