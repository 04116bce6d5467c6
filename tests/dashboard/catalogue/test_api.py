from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.catalogue.models import Item
from dashboard.core.database import db
from tests.factories.browsing import csrf
from tests.factories.catalogue import make_item, make_ready_video

ITEMS = "/api/v1/items"


class TestItems:
    def test_lists_what_is_published_and_may_be_kept(self, client: FlaskClient) -> None:
        make_item(title="Bees", tags=["Nature"])
        make_item("position", title="Beekeeper")
        make_item(status="draft")

        answer = client.get(f"{ITEMS}?q=bee&per_page=1&sort=title")

        body = answer.get_json()
        assert (body["total"], body["per_page"]) == (2, 1)
        assert body["items"][0]["title"] == "Beekeeper"
        assert body["items"][0]["url"].startswith("/positions/")
        assert answer.headers["Cache-Control"] == "public, max-age=60"

    @pytest.mark.parametrize("query", ["kind=robot", "page=0", "per_page=101", "sort=x", "level=x"])
    def test_refuses_odd_questions(self, client: FlaskClient, query: str) -> None:
        assert client.get(f"{ITEMS}?{query}").status_code == 422

    def test_filters_by_kind_and_tag(self, client: FlaskClient) -> None:
        make_item(tags=["Nature"])
        make_item("position", tags=["Nature"])

        assert client.get(f"{ITEMS}?kind=course&tag=NATURE").get_json()["total"] == 1


class TestOneItem:
    def test_shows_content_links_and_usable_videos(
        self, client: FlaskClient, tmp_path: Path
    ) -> None:
        item = make_item(content="# Hi")
        video = make_ready_video(item, tmp_path)

        body = client.get(f"{ITEMS}/{item.id}").get_json()

        assert body["content"] == "# Hi"
        assert [one["id"] for one in body["videos"]] == [video.id]
        assert "stored_name" not in str(body)
        assert len(client.get(f"{ITEMS}/{item.id}/videos").get_json()) == 1

    def test_of_a_draft_is_for_administrators(
        self, client: FlaskClient, as_learner: FlaskClient, as_admin: FlaskClient
    ) -> None:
        draft = make_item(status="draft")

        codes = [
            who.get(f"{ITEMS}/{draft.id}").status_code for who in (client, as_learner, as_admin)
        ]

        assert codes == [404, 404, 200]


class TestWriting:
    def test_makes_changes_links_and_deletes(self, as_admin: FlaskClient) -> None:
        headers = csrf(as_admin)
        course = make_item()
        made = as_admin.post(ITEMS, json={"kind": "position", "title": "P"}, headers=headers)
        address = f"{ITEMS}/{made.get_json()['id']}"

        changed = as_admin.patch(
            address, json={"status": "published", "tags": ["x"]}, headers=headers
        )
        linked = as_admin.put(
            f"{address}/courses", json={"course_ids": [course.id]}, headers=headers
        )
        gone = as_admin.delete(address, headers=headers)

        assert made.status_code == 201 and made.get_json()["status"] == "draft"
        assert (changed.get_json()["title"], changed.get_json()["tags"]) == ("P", ["x"])
        assert [one["id"] for one in linked.get_json()["courses"]] == [course.id]
        assert gone.status_code == 204
        assert db.session.query(Item).count() == 1

    @pytest.mark.parametrize(
        "body",
        [
            {"title": "No kind"},
            {"kind": "course"},
            {"kind": "course", "title": " "},
            {"kind": "course", "title": "A", "id": 7},
            {"kind": "course", "title": "A", "cover": "../x"},
            {"kind": "course", "title": "A", "duration_s": 2**40},
        ],
        ids=str,
    )
    def test_refuses_bad_bodies(self, as_admin: FlaskClient, body: dict[str, Any]) -> None:
        answer = as_admin.post(ITEMS, json=body, headers=csrf(as_admin))

        assert answer.status_code == 422
        assert answer.get_json()["errors"]
        assert db.session.query(Item).count() == 0

    def test_is_for_administrators(
        self, client: FlaskClient, as_learner: FlaskClient, as_analyst: FlaskClient
    ) -> None:
        item, body = make_item(), {"kind": "course", "title": "A"}

        for who, code in ((client, 401), (as_learner, 403), (as_analyst, 403)):
            headers, address = csrf(who), f"{ITEMS}/{item.id}"
            assert who.post(ITEMS, json=body, headers=headers).status_code == code
            assert who.patch(address, json={"title": "B"}, headers=headers).status_code == code
            assert who.delete(address, headers=headers).status_code == code
            links = {"course_ids": []}
            assert who.put(f"{address}/courses", json=links, headers=headers).status_code == code
