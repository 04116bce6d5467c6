from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from dashboard.accounts.models import User
from dashboard.activity import queries, services
from dashboard.activity.models import Event, EventKind, Favourite, Rating, WatchProgress
from dashboard.activity.services import Happening
from dashboard.catalogue import services as catalogue
from dashboard.catalogue.models import Item, Video
from dashboard.core.database import db
from dashboard.core.errors import Invalid, NotFound
from tests.factories.catalogue import make_item, make_ready_video


@pytest.fixture
def learner(app: Flask, make_user: Callable[..., User]) -> User:
    make_user()  # noise
    return make_user()


@pytest.fixture
def item(app: Flask) -> Item:
    return make_item()


@pytest.fixture
def video(item: Item, tmp_path: Path) -> Video:
    return make_ready_video(item, tmp_path, seconds=10)


def kinds() -> list[str]:
    return [event.kind for event in db.session.query(Event).order_by(Event.id)]


class TestSetFavourite:
    @pytest.mark.usefixtures("each_database")
    def test_records_each_change_once(self, request: pytest.FixtureRequest) -> None:
        learner, item = request.getfixturevalue("learner"), request.getfixturevalue("item")
        who = {"learner_id": learner.id, "item_id": item.id}

        for on in (True, True, False, False, True):
            services.set_favourite(**who, on=on)

        assert kinds() == ["favourite", "unfavourite", "favourite"]
        assert db.session.query(Favourite).count() == 1

    def test_knows_no_drafts(self, learner: User) -> None:
        with pytest.raises(NotFound):
            services.set_favourite(
                learner_id=learner.id, item_id=make_item(status="draft").id, on=True
            )


class TestRate:
    @pytest.mark.usefixtures("each_database")
    def test_keeps_the_last_rating_and_logs_all(self, request: pytest.FixtureRequest) -> None:
        learner, item = request.getfixturevalue("learner"), request.getfixturevalue("item")

        for stars in (3, 3, 5):
            services.rate(learner_id=learner.id, item_id=item.id, stars=stars)

        assert db.session.query(Rating).one().stars == 5
        assert [event.value for event in db.session.query(Event)] == [3, 5]

    @pytest.mark.parametrize("stars", [0, 6, -1])
    def test_refuses_what_is_not_one_to_five(self, learner: User, item: Item, stars: int) -> None:
        with pytest.raises(Invalid):
            services.rate(learner_id=learner.id, item_id=item.id, stars=stars)

        assert kinds() == []


class TestRecordWatch:
    @pytest.mark.usefixtures("each_database")
    def test_resumes_at_the_second(self, request: pytest.FixtureRequest) -> None:
        learner, video = request.getfixturevalue("learner"), request.getfixturevalue("video")

        services.record_watch(learner_id=learner.id, video_id=video.id, position_s=3.2)

        (resume,) = queries.list_to_resume(learner.id)
        assert (resume.video.id, resume.position_s, resume.duration_s) == (video.id, 3.2, 10.0)

    def test_makes_no_progress_before_anything_played(self, learner: User, video: Video) -> None:
        assert services.record_watch(learner_id=learner.id, video_id=video.id, position_s=0) is None

        assert kinds() == [] and queries.list_to_resume(learner.id) == []

    def test_makes_no_progress_in_a_video_that_does_not_play(
        self, learner: User, video: Video
    ) -> None:
        video.state = "cannot_play"
        db.session.commit()

        assert services.record_watch(learner_id=learner.id, video_id=video.id, position_s=5) is None
        assert db.session.query(WatchProgress).count() == 0

    def test_is_finished_near_the_end_and_stays_so(self, learner: User, video: Video) -> None:
        for position_s in (9.4, 9.5, 1.0):
            progress = services.record_watch(
                learner_id=learner.id, video_id=video.id, position_s=position_s
            )
            assert progress is not None and progress.finished == (position_s != 9.4)

        assert queries.list_to_resume(learner.id) == []

    def test_logs_a_tenth_once_however_often_it_is_reported(
        self, learner: User, video: Video
    ) -> None:
        for tenths in range(1, 60):
            services.record_watch(learner_id=learner.id, video_id=video.id, position_s=tenths / 10)

        values = [event.value for event in db.session.query(Event).order_by(Event.id)]
        assert len(values) == 6 and values == sorted(values)

    def test_does_not_go_beyond_the_end(self, learner: User, video: Video) -> None:
        progress = services.record_watch(
            learner_id=learner.id, video_id=video.id, position_s=1e6, duration_s=1e7
        )

        assert progress is not None and progress.position_s == progress.duration_s == 10.0


class TestRecordAll:
    def test_records_nothing_when_one_is_wrong(self, learner: User, item: Item) -> None:
        good = Happening(EventKind.VIEW, item.id)

        with pytest.raises(NotFound):
            services.record_all([good, Happening(EventKind.VIEW, 999)], learner_id=learner.id)
        with pytest.raises(Invalid):
            services.record_all(
                [good, Happening(EventKind.RATING, item.id, value=2.5)], learner_id=learner.id
            )

        assert kinds() == []

    def test_refuses_the_video_of_another_item(self, learner: User, video: Video) -> None:
        other = make_item()

        with pytest.raises(Invalid):
            services.record_all(
                [Happening(EventKind.WATCH, other.id, video_id=video.id, value=3)],
                learner_id=learner.id,
            )


class TestDeletedItems:
    @pytest.mark.usefixtures("each_database")
    def test_take_what_was_done_with_them_along(self, request: pytest.FixtureRequest) -> None:
        learner, video = request.getfixturevalue("learner"), request.getfixturevalue("video")
        who = {"learner_id": learner.id, "item_id": video.item_id}
        services.set_favourite(**who, on=True)
        services.rate(**who, stars=4)
        services.record_watch(learner_id=learner.id, video_id=video.id, position_s=3)

        catalogue.delete_item(video.item_id, actor_id=None)

        for model in (Event, Favourite, Rating, WatchProgress):
            assert db.session.query(model).count() == 0

    @pytest.mark.usefixtures("each_database")
    def test_a_deleted_video_leaves_the_events(self, request: pytest.FixtureRequest) -> None:
        learner, video = request.getfixturevalue("learner"), request.getfixturevalue("video")
        services.record_watch(learner_id=learner.id, video_id=video.id, position_s=3)

        catalogue.delete_video(video.id, actor_id=None)

        assert [(event.kind, event.video_id) for event in db.session.query(Event)] == [
            ("watch", None)
        ]
