import io
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage

from dashboard.audit.models import AuditEntry
from dashboard.catalogue import queries, services
from dashboard.catalogue.models import Item, ItemKind, Tag, Video
from dashboard.core import uploads
from dashboard.core.database import db, transaction
from dashboard.core.errors import Conflict, Invalid, NotFound, TooLarge
from tests.factories.catalogue import make_item, make_ready_video
from tests.factories.pictures import png

PNG = png()


def picture(content: bytes = PNG, name: str = "封面.png") -> FileStorage:
    return FileStorage(io.BytesIO(content), filename=name)


def stored(folder: str) -> set[str]:
    return uploads.stored_names()[folder]


def actions() -> list[str]:
    return [entry.action for entry in db.session.query(AuditEntry).order_by(AuditEntry.id)]


@pytest.fixture
def on(request: pytest.FixtureRequest, each_database: str) -> str:
    """A portal on each kind of database."""
    request.getfixturevalue("app")
    return each_database


class TestCreateItem:
    def test_stores_what_is_given_and_writes_the_log(self, on: str) -> None:
        fields = {
            "title": "  Bees 蜜蜂 ",
            "summary": "About bees",
            "content": "x" * 20_000 + "蜂" * 20_000,
            "tags": ["Nature", "nature ", "Résumé", "resume"],
            "level": "beginner",
            "duration_s": 60,
        }

        item = services.create_item("course", actor_id=None, fields=fields)

        db.session.expire_all()
        assert (item.title, item.status, item.language) == ("Bees 蜜蜂", "draft", "en")
        assert len(item.content) == 40_000
        assert item.tag_names == ["Nature", "resume", "Résumé"]
        assert actions() == ["course.create"]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("title", " "),
            ("title", "x" * 201),
            ("summary", "x" * 501),
            ("content", "x" * 50_001),
            ("status", "secret"),
            ("language", "fr"),
            ("level", "expert"),
            ("duration_s", 0),
            ("tags", ["x"] * 31),
        ],
    )
    def test_refuses_bad_fields_by_name(self, app: Flask, field: str, value: Any) -> None:
        with pytest.raises(Invalid) as caught:
            services.create_item("course", actor_id=None, fields={"title": "A", field: value})

        assert [problem.field for problem in caught.value.problems] == [field]
        assert db.session.query(Item).count() == 0

    def test_refuses_another_kind(self, app: Flask) -> None:
        with pytest.raises(Invalid):
            services.create_item("robot", actor_id=None, fields={"title": "A"})

    def test_keeps_the_cover_under_a_name_of_our_own(self, app: Flask) -> None:
        item = services.create_item("course", actor_id=None, cover=picture(), fields={"title": "A"})

        assert stored("covers") == {item.cover}
        assert item.cover.endswith(".png") and "封面" not in item.cover

    @pytest.mark.parametrize(
        "content",
        [b"<svg onload=alert(1)>", b"GIF89a", b"", b"\x89PNX"],
        ids=["svg", "gif", "empty", "no"],
    )
    def test_refuses_other_covers(self, app: Flask, content: bytes) -> None:
        with pytest.raises(Invalid, match="JPEG, PNG or WebP"):
            services.create_item(
                "course", actor_id=None, cover=picture(content), fields={"title": "A"}
            )

        assert stored("covers") == set() and db.session.query(Item).count() == 0

    def test_refuses_a_cover_over_the_limit(self, app: Flask) -> None:
        limit = uploads.settings().max_image_bytes
        fields = {"title": "A"}

        services.create_item(
            "course", actor_id=None, cover=picture(PNG.ljust(limit)), fields=fields
        )
        with pytest.raises(TooLarge):
            services.create_item(
                "course", actor_id=None, cover=picture(PNG.ljust(limit + 1)), fields=fields
            )

        assert len(stored("covers")) == 1

    def test_leaves_no_cover_when_the_row_cannot_be_stored(self, app: Flask) -> None:
        fields = {"title": "A", "external_id": "x:1"}
        services.create_item("course", actor_id=None, fields=fields)

        with pytest.raises(Conflict), transaction():
            services.create_item("course", actor_id=None, cover=picture(), fields={"title": "B"})
            services.create_item("course", actor_id=None, fields=fields)

        assert stored("covers") == set()


class TestUpdateItem:
    def test_changes_what_is_given_and_logs_the_difference(self, app: Flask) -> None:
        item = make_item(title="Old", summary="Stays", tags=["A"])

        services.update_item(item.id, actor_id=None, fields={"title": "New", "tags": ["B"]})

        assert (item.title, item.summary, item.tag_names) == ("New", "Stays", ["B"])
        entry = db.session.query(AuditEntry).order_by(AuditEntry.id.desc()).first()
        assert entry is not None
        assert entry.changes == {"title": ["Old", "New"], "tags": [["A"], ["B"]]}

    def test_replaces_the_cover_and_removes_the_old_file(self, app: Flask) -> None:
        item = services.create_item("course", actor_id=None, cover=picture(), fields={"title": "A"})
        before = item.cover

        services.update_item(item.id, actor_id=None, cover=picture(), fields={})

        assert stored("covers") == {item.cover} and item.cover != before

    def test_knows_no_other_item(self, app: Flask) -> None:
        with pytest.raises(NotFound):
            services.update_item(99, actor_id=None, fields={"title": "A"})


class TestPublishItem:
    def test_shows_and_hides(self, app: Flask) -> None:
        item = make_item(status="draft")

        services.publish_item(item.id, actor_id=None)
        assert queries.get_item(item.id) is item
        services.unpublish_item(item.id, actor_id=None)

        with pytest.raises(NotFound):
            queries.get_item(item.id)
        assert actions()[-2:] == ["course.publish", "course.unpublish"]


class TestLinkCourses:
    def test_keeps_the_order(self, on: str) -> None:
        position = make_item("position")
        first, second, third = (make_item(title=title) for title in "cab")

        services.link_courses(
            position.id, actor_id=None, course_ids=[third.id, first.id, third.id, second.id]
        )
        services.link_courses(position.id, actor_id=None, course_ids=[second.id, third.id])

        assert queries.list_courses_of(position.id) == [second, third]
        assert queries.list_positions_of(third.id) == [position]

    def test_takes_courses_only(self, app: Flask) -> None:
        position, course = make_item("position"), make_item()

        for wanted in ([position.id], [course.id, 99]):
            with pytest.raises(Invalid):
                services.link_courses(position.id, actor_id=None, course_ids=wanted)
        with pytest.raises(NotFound):
            services.link_courses(course.id, actor_id=None, course_ids=[])


class TestDeleteItem:
    def test_removes_rows_links_and_files(self, on: str, tmp_path: Path) -> None:
        item = services.create_item(
            "course", actor_id=None, cover=picture(), fields={"title": "A", "tags": ["T"]}
        )
        make_ready_video(item, tmp_path)
        position = make_item("position")
        services.link_courses(position.id, actor_id=None, course_ids=[item.id])

        services.delete_item(item.id, actor_id=None)

        assert db.session.query(Video).count() == 0
        assert queries.list_courses_of(position.id) == []
        assert not any(uploads.stored_names().values())
        assert actions()[-1] == "course.delete"

    def test_keeps_the_files_when_it_fails(self, app: Flask, tmp_path: Path) -> None:
        item = make_item()
        video = make_ready_video(item, tmp_path)

        with pytest.raises(RuntimeError), transaction():
            services.delete_item(item.id, actor_id=None)
            raise RuntimeError

        assert stored("videos") == {video.stored_name}
        assert queries.get_item(item.id) is not None


class TestSearch:
    @pytest.mark.parametrize("word", ["SHEET", "excel", "数据", "100%", "a_b", "back\\slash"])
    def test_finds_literally_and_in_any_case(self, on: str, word: str) -> None:
        make_item(title="Spreadsheets 100% a_b", summary="数据 back\\slash", tags=["Excel"])
        make_item(title="100 acb", summary="backslash")

        found = queries.list_items(queries.ItemFilter(kind=ItemKind.COURSE, q=word))

        assert found.total == 1

    def test_lists_tags_by_use(self, on: str) -> None:
        make_item(tags=["B", "A"])
        make_item(tags=["B"])
        make_item(tags=["C"], status="draft")

        assert queries.list_tags(kind="course") == [("B", 2), ("A", 1)]
        assert db.session.query(Tag).count() == 3
