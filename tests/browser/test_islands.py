"""The parts of pages that scripts bring to life: upload, player, favourites, ratings, charts."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import plotly.graph_objects as go
import pytest
from flask import Flask, render_template_string
from playwright.sync_api import Page, expect

from dashboard.accounts.models import RoleName, User
from dashboard.activity.models import Event, EventKind, Favourite, Rating, WatchProgress
from dashboard.catalogue.models import Item, Video
from dashboard.core import plots, uploads
from dashboard.core.access import PUBLIC
from dashboard.core.database import db
from tests.factories.catalogue import make_item, make_ready_video
from tests.factories.portal import Visitor, violations
from tests.factories.videos import make_video

MIB = 2**20


@pytest.fixture
def course(app: Flask) -> Item:
    return make_item(title="Reading a data table")


@pytest.fixture
def video(course: Item, tmp_path: Path) -> Video:
    return make_ready_video(course, tmp_path, seconds=30)


@pytest.fixture
def learner(make_user: Callable[..., User]) -> User:
    return make_user(RoleName.LEARNER)


def padded(path: Path, n_bytes: int) -> Path:
    """The video at `path` made larger by an empty box, which players skip."""
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", n_bytes, b"free") + bytes(n_bytes - 8))
    return path


class TestUpload:
    def test_pauses_and_goes_on_where_it_stopped(
        self, visitor: Visitor, course: Item, make_user: Callable[..., User], tmp_path: Path
    ) -> None:
        admin = make_user(RoleName.ADMIN)
        file = padded(make_video(tmp_path / "课程.mp4"), 12 * MIB)
        page = visitor.open(f"/videos/upload?item={course.id}", user=admin)
        upload_speed(page, MIB)

        page.set_input_files(".drop input[type=file]", file)
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".drop").get_by_role("status")).to_contain_text("Paused at")
        upload_speed(page, 100 * MIB)
        page.get_by_role("button", name="Go on").click()

        expect(page.get_by_role("heading", name="课程")).to_be_visible(timeout=60_000)
        db.session.expire_all()
        stored = db.session.query(Video).one()
        assert uploads.path_of("videos", stored.stored_name).read_bytes() == file.read_bytes()
        assert violations(page) == []

    def test_says_why_a_file_is_refused(
        self, visitor: Visitor, course: Item, make_user: Callable[..., User], tmp_path: Path
    ) -> None:
        page = visitor.open(f"/videos/upload?item={course.id}", user=make_user(RoleName.ADMIN))
        file = tmp_path / "page.mp4"
        file.write_bytes(b"<!DOCTYPE html><script>alert(1)</script>" * 100)

        page.set_input_files(".drop input[type=file]", file)

        expect(page.locator(".drop").get_by_role("status")).to_contain_text("not a video")
        expect(page.locator(".drop label")).to_be_visible()


class TestPlayer:
    def test_reports_progress_and_resumes_at_the_second(
        self, visitor: Visitor, course: Item, video: Video, learner: User
    ) -> None:
        page = visitor.open(f"/courses/{course.id}", user=learner)
        with page.expect_response(re.compile("/api/v1/events")) as answer:
            page.evaluate(PLAY_UNTIL_12)

        assert answer.value.status == 202
        page.reload()
        page.wait_for_function("() => document.querySelector('video').currentTime > 11")
        progress = db.session.get(WatchProgress, (learner.id, video.id))
        assert progress is not None and 11 < progress.position_s < 15


class TestReactions:
    def test_favourite_and_rating_stay_on_the_page(
        self, visitor: Visitor, course: Item, learner: User
    ) -> None:
        page = visitor.open(f"/courses/{course.id}", user=learner)
        page.get_by_role("button", name="Favourite").click()
        expect(page.get_by_role("button", name="Favourite")).to_have_attribute(
            "aria-pressed", "true"
        )
        page.get_by_role("button", name="4 of 5 stars").click()
        expect(page.locator(".stars button[data-on]")).to_have_count(4)

        assert db.session.get(Favourite, (learner.id, course.id)) is not None
        rating = db.session.get(Rating, (learner.id, course.id))
        assert rating is not None and rating.stars == 4

    def test_looking_at_a_course_counts_once(
        self, visitor: Visitor, course: Item, learner: User
    ) -> None:
        page = visitor.open("/", user=learner)
        with page.expect_response(re.compile("/api/v1/events")):
            page.goto(f"/courses/{course.id}")

        views = db.session.query(Event).filter_by(user_id=learner.id, kind=EventKind.VIEW)
        assert views.count() == 1


class TestChart:
    @pytest.fixture(autouse=True)
    def _page_with_a_heat_map(self, app: Flask) -> None:
        map_ = go.Heatmap(x=["a", "b"], y=["=1+1", "d"], z=[[0.5, 1], [2, 3]])
        figure = plots.figure_json(plots.figure(map_))
        app.add_url_rule("/a-chart", "a_chart", lambda: render_template_string(PAGE, figure=figure))
        app.extensions["atrium_access"] = {**app.extensions["atrium_access"], "a_chart": PUBLIC}

    def test_is_drawn_under_the_policy_in_the_colours_of_the_theme(self, visitor: Visitor) -> None:
        page = visitor.open("/a-chart")
        expect(page.locator("figure[data-ready] .heatmaplayer image")).to_be_attached()

        assert violations(page) == []
        light = page.locator(".xtick text").first.evaluate("(e) => getComputedStyle(e).fill")
        page.emulate_media(color_scheme="dark")
        expect(page.locator(".xtick text").first).not_to_have_css("fill", light)

    def test_gives_its_values_as_a_table_and_a_file(self, visitor: Visitor, tmp_path: Path) -> None:
        page = visitor.open("/a-chart")
        expect(page.locator("figure[data-ready]")).to_be_attached()
        page.get_by_text("Show the values as a table").click()
        expect(page.locator("figure tbody tr")).to_have_count(4)

        with page.expect_download() as download:
            page.get_by_role("button", name="CSV").click()
        download.value.save_as(tmp_path / "map.csv")

        assert download.value.suggested_filename == "map.csv"
        # The name that begins like a formula is disarmed.
        assert "a,'=1+1,0.5" in (tmp_path / "map.csv").read_text(encoding="utf-8-sig")

    def test_keeps_the_room_of_the_chart_free(self, visitor: Visitor) -> None:
        page = visitor.open("/a-chart")
        before = page.locator("figure").bounding_box()
        expect(page.locator("figure[data-ready]")).to_be_attached()

        assert page.locator("figure").bounding_box() == before


def upload_speed(page: Page, bytes_per_s: int) -> None:
    """How fast the page can send: slowly enough to press a button meanwhile, or at once."""
    session = page.context.new_cdp_session(page)
    speed = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
    session.send("Network.emulateNetworkConditions", {"offline": False, **speed})


PLAY_UNTIL_12 = """async () => {
  const video = document.querySelector('video');
  video.muted = true;
  await video.play();
  video.currentTime = 12;
  await new Promise((resolve) => setTimeout(resolve, 600));
  video.pause();
}"""

PAGE = """{% extends "layouts/page.html" %}
{% from "macros/charts.html" import chart, chart_head %}
{% block head %}{{ chart_head() }}{% endblock head %}
{% block main %}<h1>Chart</h1>{{ chart(figure, "A heat map", "map") }}{% endblock main %}"""
