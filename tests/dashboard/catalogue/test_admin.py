"""Courses, positions and videos in the dashboard."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from dashboard.accounts.models import User
from dashboard.catalogue import queries, services
from dashboard.catalogue.models import Item, ItemKind, Video
from dashboard.core import uploads
from dashboard.core.database import session
from dashboard.job_queue.models import Job
from tests.factories.behaviour import add_event
from tests.factories.catalogue import make_item
from tests.factories.dashboard import Desk, rows_of

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)


def course_fields(**changes: object) -> dict[str, object]:
    """What the form of a course sends."""
    fields = {"title": "Python", "summary": "Snakes", "content": "## Hello", "tags": "data, code"}
    return {**fields, "language": "en", "status": "draft", "level": "", "duration_s": "", **changes}


def make_video(item: Item, app: Flask, **fields: object) -> Video:
    """The row and the file of a video nobody has looked into."""
    name = uploads.new_name("mp4")
    uploads.path_of("videos", name).write_bytes(b"film")
    video = Video(
        item_id=item.id,
        title="Film",
        stored_name=name,
        original_name="f.mp4",
        size_bytes=4,
        **fields,
    )
    session.add(video)
    session.commit()
    return video


class TestCourses:
    def test_lists_courses_only(self, desk: Desk) -> None:
        make_item("course", title="Python")
        make_item("position", title="Analyst")

        assert [row.split()[0] for row in rows_of(desk.get("/courses/"))] == ["Python"]
        assert [row.split()[0] for row in rows_of(desk.get("/positions/"))] == ["Analyst"]

    def test_creates_a_draft_with_its_cover_and_tags(self, desk: Desk) -> None:
        cover = (io.BytesIO(PNG), "封面.png")

        desk.post("/courses/new/", **course_fields(cover=cover))

        course = session.query(Item).one()
        assert (course.title, course.status, course.kind) == ("Python", "draft", "course")
        assert course.tag_names == ["code", "data"]
        assert uploads.path_of("covers", course.cover).read_bytes() == PNG

    def test_refuses_a_cover_that_is_no_picture(self, desk: Desk) -> None:
        cover = (io.BytesIO(b"<svg onload=alert(1)>"), "cover.png")

        response = desk.post("/courses/new/", **course_fields(cover=cover))

        assert "must be a JPEG, PNG or WebP file" in response.text
        assert session.query(Item).count() == 0

    def test_says_beside_the_field_what_is_wrong(self, desk: Desk) -> None:
        response = desk.post("/courses/new/", **course_fields(title="x" * 300, duration_s="-1"))

        assert 'id="title-error"' in response.text
        assert 'id="duration_s-error"' in response.text

    def test_changes_what_was_typed_and_keeps_the_cover(self, desk: Desk) -> None:
        desk.post("/courses/new/", **course_fields(cover=(io.BytesIO(PNG), "c.png")))
        course = session.query(Item).one()
        cover = course.cover

        desk.post(
            f"/courses/edit/?id={course.id}",
            **course_fields(title="Python 3", status="published", tags="code，新"),
        )

        course = queries.get_item(course.id)
        assert (course.title, course.cover, course.tag_names) == ("Python 3", cover, ["code", "新"])

    def test_shows_what_people_wrote_as_text(self, desk: Desk) -> None:
        course = make_item(title="<img src=x onerror=alert(1)>{{7*7}}")

        for page in (
            "/courses/",
            f"/courses/edit/?id={course.id}",
            f"/courses/details/?id={course.id}",
        ):
            text = desk.client.get(f"/admin{page}").text
            assert "<img src=x" not in text
            assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in text

    def test_publishes_many(self, desk: Desk) -> None:
        ids = [make_item(status="draft").id for _number in range(3)]

        desk.post("/courses/action/", action="publish", rowid=ids)

        assert queries.count_published()["courses"] == 3

    def test_changes_no_position(self, desk: Desk) -> None:
        position = make_item("position", title="Analyst")

        assert desk.client.get(f"/admin/courses/edit/?id={position.id}").status_code == 302
        assert desk.post("/courses/delete/", id=position.id, confirm="yes").status_code == 404
        desk.post("/courses/action/", action="delete", rowid=position.id, confirm="yes")

        assert session.get(Item, position.id) is not None


class TestDelete:
    def test_names_what_goes_with_a_course(
        self, app: Flask, desk: Desk, make_user: Callable[..., User]
    ) -> None:
        course = make_item(title="Python")
        for _number in range(2):
            make_video(course, app)
        add_event(make_user().id, course.id)

        text = desk.post("/courses/delete/", id=course.id).text

        assert "<strong>Python</strong>" in text
        assert "videos: 2" in text
        assert "activity events: 1" in text
        assert session.get(Item, course.id) is not None

    def test_removes_the_course_and_its_files(self, app: Flask, desk: Desk) -> None:
        course = make_item()
        path = uploads.path_of("videos", make_video(course, app).stored_name)

        desk.post("/courses/delete/", id=course.id, confirm="yes")

        assert session.query(Item).count() == session.query(Video).count() == 0
        assert not path.exists()

    def test_of_many_asks_and_then_removes(self, desk: Desk) -> None:
        ids = [make_item().id for _number in range(25)]

        asked = desk.post("/courses/action/", action="delete", rowid=ids).text
        n_before = session.query(Item).count()
        desk.post("/courses/action/", action="delete", rowid=ids, confirm="yes")

        assert "and 5 more" in asked
        assert (n_before, session.query(Item).count()) == (25, 0)

    def test_keeps_everything_without_a_token(self, desk: Desk) -> None:
        course = make_item()

        response = desk.post_without_token("/courses/delete/", id=course.id, confirm="yes")

        assert response.status_code == 400
        assert session.get(Item, course.id) is not None


class TestPositions:
    @pytest.fixture
    def courses(self, app: Flask) -> list[Item]:
        return [make_item("course", title=title) for title in ("Algebra", "Biology", "Chemistry")]

    def position_fields(self, **changes: object) -> dict[str, object]:
        fields = course_fields(title="Analyst", **changes)
        del fields["level"], fields["duration_s"]
        return fields

    def test_are_created_with_courses_in_order(self, desk: Desk, courses: list[Item]) -> None:
        ids = [courses[2].id, courses[0].id]

        desk.post("/positions/new/", **self.position_fields(course_ids=[*map(str, ids), ""]))

        position = session.query(Item).filter_by(kind=ItemKind.POSITION).one()
        linked = queries.list_courses_of(position.id)
        assert [course.title for course in linked] == ["Chemistry", "Algebra"]

    def test_show_their_courses_in_the_form(self, desk: Desk, courses: list[Item]) -> None:
        position = make_item("position")
        ids = [courses[1].id, courses[0].id]
        services.link_courses(position.id, actor_id=None, course_ids=ids)

        text = desk.get(f"/positions/edit/?id={position.id}").text

        assert text.index("Biology (#") < text.index("Algebra (#")
        assert "Chemistry" not in text

    def test_lose_the_courses_that_are_not_sent(self, desk: Desk, courses: list[Item]) -> None:
        position = make_item("position")
        ids = [course.id for course in courses]
        services.link_courses(position.id, actor_id=None, course_ids=ids)

        desk.post(
            f"/positions/edit/?id={position.id}",
            **self.position_fields(course_ids=f"{ids[1]}, {ids[0]}"),
        )

        linked = queries.list_courses_of(position.id)
        assert [course.title for course in linked] == ["Biology", "Algebra"]

    @pytest.mark.parametrize("word", ["x", "0", "-1", "99999", str(2**70)])
    def test_refuse_what_is_no_course(self, desk: Desk, word: str) -> None:
        response = desk.post("/positions/new/", **self.position_fields(course_ids=word))

        assert 'id="course_ids-error"' in response.text
        assert session.query(Item).count() == 0

    def test_suggest_courses_by_the_start_of_their_title(
        self, desk: Desk, courses: list[Item]
    ) -> None:
        make_item("course", title="100% Algebra")
        make_item("position", title="Algebra teacher")

        def suggested(word: str) -> list[str]:
            response = desk.client.get(
                "/admin/positions/ajax/lookup/", query_string={"name": "courses", "query": word}
            )
            return [label for _id, label in response.get_json()]

        assert suggested("alg") == [f"Algebra (#{courses[0].id})"]
        assert len(suggested("")) == 4
        assert suggested("%") == []


class TestVideos:
    def test_show_state_and_reason(self, app: Flask, desk: Desk) -> None:
        make_video(make_item(title="Python"), app, state="failed", reason="not_a_video")

        row = rows_of(desk.get("/videos/"))[0]

        assert "Film Python Not usable The file is not a video" in row

    def test_can_be_renamed_moved_and_opened(self, app: Flask, desk: Desk) -> None:
        video = make_video(make_item(), app)

        desk.post(f"/videos/edit/?id={video.id}", title="Film 2", ordinal="7", preview_public="y")

        video = session.get_one(Video, video.id)
        assert (video.title, video.ordinal, video.preview_public) == ("Film 2", 7, True)

    def test_are_not_created_here(self, desk: Desk) -> None:
        assert desk.client.get("/admin/videos/new/").status_code == 302

    def test_are_deleted_with_their_file(self, app: Flask, desk: Desk) -> None:
        video = make_video(make_item(), app)
        path: Path = uploads.path_of("videos", video.stored_name)

        asked = desk.post("/videos/delete/", id=video.id)
        there = path.exists()
        desk.post("/videos/delete/", id=video.id, confirm="yes")

        assert "<strong>Film</strong>" in asked.text
        assert (there, path.exists()) == (True, False)

    def test_are_checked_again(self, app: Flask, desk: Desk) -> None:
        video = make_video(make_item(), app, state="failed")

        desk.post("/videos/action/", action="check", rowid=video.id)

        assert session.get_one(Video, video.id).state == "checking"
        assert session.query(Job).count() == 1

    def test_cost_a_fixed_number_of_queries(
        self, app: Flask, desk: Desk, count_queries: Callable[..., int]
    ) -> None:
        make_video(make_item(), app)
        desk.get("/videos/")
        few = count_queries(lambda: desk.get("/videos/"))
        for _number in range(10):
            make_video(make_item(), app)

        assert count_queries(lambda: desk.get("/videos/")) == few
