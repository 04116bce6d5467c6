from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.activity.models import Event, Favourite, Rating
from dashboard.catalogue.models import Item, Video
from dashboard.core.database import db
from tests.factories.browsing import csrf, post
from tests.factories.catalogue import make_item, make_ready_video

EVENTS = "/api/v1/events"


@pytest.fixture
def item(app: Flask) -> Item:
    return make_item(title="Bees")


@pytest.fixture
def video(item: Item, tmp_path: Path) -> Video:
    return make_ready_video(item, tmp_path, seconds=10)


def send(client: FlaskClient, body: Any) -> TestResponse:
    return client.post(EVENTS, json=body, headers=csrf(client))


class TestEvents:
    @pytest.mark.parametrize("kind", ["view", "favourite", "dismiss", "undismiss"])
    def test_accepts_one(self, as_learner: FlaskClient, item: Item, kind: str) -> None:
        answer = send(as_learner, {"kind": kind, "item_id": item.id})

        assert (answer.status_code, answer.get_json()) == (202, {"accepted": 1})
        assert db.session.query(Event).one().kind == kind

    def test_accepts_several(self, as_learner: FlaskClient, video: Video) -> None:
        one = {"item_id": video.item_id}
        events = [
            {**one, "kind": "view"},
            {**one, "kind": "rating", "value": 4},
            {**one, "kind": "watch", "video_id": video.id, "value": 3.5},
        ]

        answer = send(as_learner, {"events": events})

        assert answer.get_json() == {"accepted": 3}
        assert db.session.query(Event).count() == 3
        assert db.session.query(Rating).one().stars == 4

    @pytest.mark.parametrize(
        "body",
        [
            {"kind": "lick"},
            {"kind": "view", "item_id": "1"},
            {"kind": "view", "item_id": 2**63},
            {"kind": "rating", "value": 6},
            {"kind": "rating", "value": 2.5},
            {"kind": "rating"},
            {"kind": "watch", "value": 3},
            {"kind": "watch", "value": -1, "video_id": 1},
            {"kind": "view", "user_id": 1},
            {"events": []},
            {"events": [{"kind": "view", "item_id": 1}], "kind": "view"},
            {"events": [{"kind": "view", "item_id": 1}] * 51},
            {},
        ],
        ids=str,
    )
    def test_refuses_what_makes_no_sense(
        self, as_learner: FlaskClient, item: Item, body: dict[str, Any]
    ) -> None:
        answer = send(as_learner, {"item_id": item.id, **body} if "events" not in body else body)
        if not body:
            answer = send(as_learner, body)

        assert answer.status_code == 422
        assert answer.mimetype == "application/problem+json"
        assert db.session.query(Event).count() == 0

    def test_does_not_know_drafts(self, as_learner: FlaskClient) -> None:
        draft = make_item(status="draft")

        assert send(as_learner, {"kind": "view", "item_id": draft.id}).status_code == 404

    def test_needs_an_account_and_a_csrf_token(
        self, client: FlaskClient, as_learner: FlaskClient, item: Item
    ) -> None:
        body = {"kind": "view", "item_id": item.id}

        assert send(client, body).status_code == 401
        assert as_learner.post(EVENTS, json=body).status_code == 400

    def test_says_so_when_the_database_is_locked(
        self, app: Flask, as_learner: FlaskClient, item: Item, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import sqlite3

        headers, body = csrf(as_learner), {"kind": "view", "item_id": item.id}
        db.session.remove()
        db.engine.dispose()
        monkeypatch.setattr("dashboard.core.database.SQLITE_BUSY_MS", 200)
        holder = sqlite3.connect(str(db.engine.url.database), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            answer = as_learner.post(EVENTS, json=body, headers=headers)
        finally:
            holder.execute("ROLLBACK")
            holder.close()

        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "try again" in answer.get_json()["detail"]
        assert as_learner.post(EVENTS, json=body, headers=headers).status_code == 202


class TestOwnLists:
    def test_show_favourites_and_progress_of_the_learner_only(
        self, as_learner: FlaskClient, as_analyst: FlaskClient, video: Video
    ) -> None:
        send(as_learner, {"kind": "favourite", "item_id": video.item_id})
        watch = {"kind": "watch", "item_id": video.item_id, "video_id": video.id}
        send(as_learner, {**watch, "position_s": 4})

        favourites = as_learner.get("/api/v1/me/favourites").get_json()
        progress = as_learner.get("/api/v1/me/progress").get_json()

        assert [item["title"] for item in favourites["items"]] == ["Bees"]
        assert progress["items"][0]["position_s"] == 4
        for name in ("favourites", "progress"):
            assert as_analyst.get(f"/api/v1/me/{name}").get_json()["total"] == 0

    def test_need_an_account(self, client: FlaskClient) -> None:
        codes = [
            client.get(address).status_code
            for address in ("/api/v1/me/favourites", "/api/v1/me/progress", "/me/favourites")
        ]

        assert codes == [401, 401, 302]


class TestForms:
    def test_keep_and_drop_a_favourite_without_javascript(
        self, as_learner: FlaskClient, item: Item
    ) -> None:
        address = f"/items/{item.id}/favourite"

        kept = post(as_learner, address, data={"on": "1"}, follow_redirects=True)
        listed = as_learner.get("/me/favourites").text
        post(as_learner, address, data={"on": "0"})

        assert kept.request.path == f"/courses/{item.id}"
        assert 'aria-pressed="true"' in kept.text
        assert "Bees" in listed
        assert db.session.query(Favourite).count() == 0

    def test_rate_without_javascript(self, as_learner: FlaskClient, item: Item) -> None:
        answer = post(
            as_learner, f"/items/{item.id}/rating", data={"stars": "4"}, follow_redirects=True
        )

        assert answer.status_code == 200
        assert db.session.query(Rating).one().stars == 4
        assert answer.text.count("data-on") == 4

    @pytest.mark.parametrize("stars", ["", "0", "6", "x", "1e9", "9" * 30])
    def test_refuse_other_ratings(self, as_learner: FlaskClient, item: Item, stars: str) -> None:
        answer = post(as_learner, f"/items/{item.id}/rating", data={"stars": stars})

        assert answer.status_code == 422
        assert "1 to 5 stars" in answer.text

    def test_need_a_csrf_token_and_an_account(
        self, client: FlaskClient, as_learner: FlaskClient, item: Item
    ) -> None:
        address = f"/items/{item.id}/favourite"

        assert as_learner.post(address).status_code == 400
        assert post(client, address).status_code == 302
        assert db.session.query(Event).count() == 0


class TestPages:
    def test_reading_changes_nothing(self, as_learner: FlaskClient, video: Video) -> None:
        for address in (f"/courses/{video.item_id}", "/", "/me/favourites", "/activity/continue"):
            assert as_learner.get(address).status_code == 200

        assert db.session.query(Event).count() == 0

    def test_offer_to_go_on_where_she_stopped(self, as_learner: FlaskClient, video: Video) -> None:
        watch = {"kind": "watch", "item_id": video.item_id, "video_id": video.id}
        send(as_learner, {**watch, "value": 6.5})

        page = as_learner.get(f"/courses/{video.item_id}").text
        part = as_learner.get("/activity/continue").text

        assert 'data-position="6.5"' in page and "Resume at 00:06" in page
        assert "Resume at 00:06" in part and f"/courses/{video.item_id}#video-{video.id}" in part
        assert "<html" not in part

    def test_show_no_forms_on_a_draft(self, as_admin: FlaskClient) -> None:
        draft = make_item(status="draft")

        assert f"/items/{draft.id}/rating" not in as_admin.get(f"/courses/{draft.id}").text
