"""The API and pages of the organisation: what is whose, and what may be kept."""

import io
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from dashboard.accounts.models import User
from dashboard.activity import services as activity
from dashboard.catalogue import services as catalogue
from dashboard.catalogue.models import Item
from dashboard.core import uploads
from dashboard.core.database import session
from dashboard.core.errors import TooLarge
from dashboard.job_queue.models import JobState
from dashboard.organisation import services
from dashboard.organisation.models import Unit
from dashboard.organisation.queries import portal, ways
from dashboard.serving import services as serving
from dashboard.serving.models import Health
from seeds.organisation import generate
from tests.dashboard.organisation.test_units import shape
from tests.factories.browsing import fetch
from tests.factories.catalogue import make_item, make_ready_video
from tests.factories.dashboard import Desk
from tests.factories.models import add_line, deploy, viewer_of
from tests.factories.organisation import make_glb, make_unit
from tests.factories.pictures import png


@pytest.fixture
def house(app: Flask) -> tuple[Unit, Item, list[Item]]:
    """A unit with a published position that three courses lead to, one of them a draft; and a draft position."""
    unit = make_unit("研究院", name_en="Research")
    position, hidden = make_item("position"), make_item("position", status="draft")
    courses = [make_item(), make_item(), make_item(status="draft")]
    for each in (position, hidden):
        catalogue.link_courses(each.id, actor_id=None, course_ids=[c.id for c in courses])
    services.set_positions(unit.id, actor_id=None, item_ids=[position.id, hidden.id])
    return unit, position, courses


class TestScene:
    def test_shows_published_positions_and_courses_only(
        self, client: FlaskClient, house: tuple[Unit, Item, list[Item]]
    ) -> None:
        unit, position, courses = house

        scene = client.get("/api/v1/organisation/scene").json
        items = client.get(f"/api/v1/organisation/units/{unit.id}/items").json

        assert scene["title"] == "英方整体结构"
        assert [r["id"] for r in scene["units"][0]["rooms"]] == [position.id]
        assert scene["units"][0]["rooms"][0]["courses"] == 2
        assert [(i["room"], i["id"]) for i in items["items"]] == [
            (position.id, courses[0].id),
            (position.id, courses[1].id),
        ]

    @pytest.mark.parametrize("encoding", ["identity", "br, gzip"])
    def test_answers_304_until_something_changes(
        self, client: FlaskClient, house: tuple[Unit, Item, list[Item]], encoding: str
    ) -> None:
        headers = {"Accept-Encoding": encoding}
        address = "/api/v1/organisation/scene"
        first = client.get(address, headers=headers)
        known = {**headers, "If-None-Match": first.headers["ETag"]}

        again = client.get(address, headers=known)
        services.update_unit(house[0].id, actor_id=None, fields={"name": "New"})
        changed = client.get(address, headers=known)

        assert first.headers["Cache-Control"] == "public, max-age=60"
        assert (again.status_code, again.data, changed.status_code) == (304, b"", 200)

    def test_costs_a_fixed_number_of_queries(
        self, client: FlaskClient, app: Flask, count_queries: Callable[[Callable[[], object]], int]
    ) -> None:
        generate(100, n_floors=2, n_rooms=3)
        few = count_queries(lambda: client.get("/api/v1/organisation/scene"))
        for number in range(8):
            make_unit(f"More {number}")

        assert count_queries(lambda: client.get("/api/v1/organisation/scene")) == few
        assert count_queries(lambda: client.get("/3d")) < 12

    def test_pages_the_items(self, client: FlaskClient, app: Flask) -> None:
        generate(120, n_floors=1, n_rooms=2)
        unit_id = client.get("/api/v1/organisation/scene").json["units"][1]["id"]
        address = f"/api/v1/organisation/units/{unit_id}/items"

        pages = [client.get(f"{address}?per_page=50&page={n}").json for n in (1, 2, 3)]

        assert [len(page["items"]) for page in pages] == [50, 50, 20]
        assert len({item["id"] for page in pages for item in page["items"]}) == 120
        assert client.get(f"{address}?per_page=5000").status_code == 422
        assert client.get("/api/v1/organisation/units/99999/items").status_code == 404


class TestSearch:
    def test_finds_positions_units_and_courses_anywhere(
        self, each_database: str, client: FlaskClient, house: tuple[Unit, Item, list[Item]]
    ) -> None:
        unit, position, courses = house
        lead, statistics = make_item("position", title="统计团队主管"), make_item(title="统计 基础")
        other = make_unit("运营中心", name_en="Operations")
        services.set_positions(other.id, actor_id=None, item_ids=[lead.id, position.id])
        ids = [statistics.id, make_item(title="统计草稿", status="draft").id]
        catalogue.link_courses(position.id, actor_id=None, course_ids=[*ids, courses[0].id])

        def found(words: str) -> list[tuple[int, int, int]]:
            answer = client.get("/api/v1/organisation/search", query_string={"words": words})
            assert answer.json["total"] == len(answer.json["rooms"])
            return [(room["unit"], room["room"], room["courses"]) for room in answer.json["rooms"]]

        assert found("统计") == [
            (other.id, lead.id, 0),
            (unit.id, position.id, 1),
            (other.id, position.id, 1),
        ]
        assert found("基础 统计") == [(unit.id, position.id, 1), (other.id, position.id, 1)]
        assert [key[:2] for key in found("operAT")] == [
            (other.id, lead.id),
            (other.id, position.id),
        ]
        assert [found(words) for words in ("草稿", "%", "  ", "\\")] == [[], [], [], []]

    def test_refuses_more_words_than_anybody_types(self, client: FlaskClient) -> None:
        assert client.get("/api/v1/organisation/search").status_code == 422
        assert client.get(f"/api/v1/organisation/search?words={'x' * 81}").status_code == 422


class TestWays:
    def test_are_the_learners_own_and_never_kept(
        self,
        app: Flask,
        tmp_path: Path,
        house: tuple[Unit, Item, list[Item]],
        make_user: Callable[..., User],
        sign_in: Callable[[User], FlaskClient],
    ) -> None:
        _unit, position, courses = house
        learner, other = make_user("learner"), make_user("learner")
        video = make_ready_video(courses[0], tmp_path)
        activity.record_watch(learner_id=learner.id, video_id=video.id, position_s=2.0)

        own = sign_in(learner).get("/api/v1/organisation/ways")
        others = sign_in(other).get("/api/v1/organisation/ways")

        assert own.json["positions"][str(position.id)]["done"] == pytest.approx(0.5, abs=0.03)
        assert own.json["positions"][str(position.id)]["n_courses"] == 2
        assert own.headers["Cache-Control"] == "no-store"
        assert others.json == {"positions": {}, "courses": {}}

    def test_a_favourite_position_is_on_the_way(
        self, house: tuple[Unit, Item, list[Item]], make_user: Callable[..., User]
    ) -> None:
        learner = make_user("learner")
        activity.set_favourite(learner_id=learner.id, item_id=house[1].id, on=True)

        way = ways.ways_of(learner.id).positions[house[1].id]

        assert (way.favourite, way.done, way.n_courses) == (True, 0.0, 2)

    def test_stand_in_the_positions_page(
        self, as_learner: FlaskClient, client: FlaskClient, house: tuple[Unit, Item, list[Item]]
    ) -> None:
        unit, position, courses = house
        part = as_learner.get(f"/3d/way/{position.id}").text

        assert "0 of 2 courses done" in part
        assert courses[2].title not in part
        assert f"/3d?room={position.id}&amp;unit={unit.id}" in part
        assert "courses done" not in client.get(f"/3d/way/{position.id}").text


class TestMeasures:
    def test_count_what_belongs_to_a_room(
        self,
        each_database: str,
        house: tuple[Unit, Item, list[Item]],
        make_user: Callable[..., User],
        sign_in: Callable[[User], FlaskClient],
    ) -> None:
        _unit, position, courses = house
        analyst, learner = make_user("analyst"), make_user("learner")
        activity.record_view(learner_id=learner.id, item_id=position.id)
        activity.record_view(learner_id=analyst.id, item_id=courses[1].id)
        for person in (analyst, learner):
            activity.set_favourite(learner_id=person.id, item_id=position.id, on=True)

        rooms = sign_in(analyst).get("/api/v1/organisation/measures").json["rooms"]

        assert rooms[str(position.id)] == {
            "people": 2,
            "views": 2,
            "completion": None,
            "demand": 0,
        }


class TestPortal:
    def test_tells_the_state_of_every_layer(self, as_admin: FlaskClient) -> None:
        layers = as_admin.get("/api/v1/organisation/portal").json["layers"]

        parts = {part["key"]: part["state"] for layer in layers for part in layer["parts"]}
        assert parts["worker:none"] == "failed"
        assert parts["data:database"] == "ok"
        assert parts["deployment:none"] == "off"
        keys = [layer["key"] for layer in layers]
        assert keys == ["web", "deployments", "workers", "queue", "data"]

    def test_counts_one_job_as_one(self, app: Flask) -> None:
        with app.test_request_context():
            texts = [portal._jobs(JobState.QUEUED, count).text for count in (0, 1, 2)]

        assert texts == ["0 jobs", "1 job", "2 jobs"]

    def test_tells_how_deployments_do(
        self,
        as_admin: FlaskClient,
        make_user: Callable[..., User],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        analyst = make_user("analyst")
        found, _token = deploy(add_line(analyst, tmp_path), analyst, replicas=2)

        def part() -> tuple[str, str, float]:
            layers = as_admin.get("/api/v1/organisation/portal").json["layers"]
            (deployment,) = layers[1]["parts"]
            assert (deployment["key"], deployment["title"]) == (
                f"deployment:{found.id}",
                found.name,
            )
            assert deployment["url"] == f"/deployments/{found.id}"
            return deployment["state"], deployment["text"], deployment["fullness"]

        assert part() == ("busy", "Starting, 0 of 2 replicas ready", 0.0)
        serving.report(found.id, health=Health.READY, n_ready=2)
        assert part() == ("ok", "2 of 2 replicas ready", 1.0)
        serving.report(found.id, health=Health.DEGRADED, n_ready=1)
        assert part()[0::2] == ("failed", 0.5)
        monkeypatch.setattr(portal, "SILENT_AFTER", timedelta(seconds=-1))
        assert part()[:2] == ("failed", "heard of 0 s ago")
        serving.pause_deployment(found.id, viewer=viewer_of(analyst))
        assert part()[0] == "off"


class TestStructurePage:
    def test_is_the_whole_tree_without_script(
        self, client: FlaskClient, house: tuple[Unit, Item, list[Item]]
    ) -> None:
        unit, position, _courses = house
        make_unit("空部门", parent=unit)

        page = client.get("/3d").text

        assert f'href="/positions/{position.id}" data-room="{unit.id}-{position.id}"' in page
        assert "No position here yet." in page
        assert "2 courses" in page

    def test_says_what_to_do_when_it_is_empty(self, client: FlaskClient, desk: Desk) -> None:
        assert "No structure yet" in client.get("/3d").text
        assert "/admin/structure/" in desk.client.get("/3d").text

    def test_opens_one_floor_at_a_time_when_it_is_huge(
        self, client: FlaskClient, app: Flask
    ) -> None:
        generate(10, n_floors=51, n_rooms=8)

        page = client.get("/3d").text

        assert page.count("data-room=") == 0
        assert client.get("/3d?unit=2").text.count("data-room=") == 8


class TestTreeInTheDashboard:
    def test_moves_by_buttons_and_by_drag(self, desk: Desk, app: Flask) -> None:
        first, second = make_unit("First"), make_unit("Second")

        desk.post("/structure/move/", unit=second.id, direction="in")
        nested = desk.get("/structure/").text
        desk.post("/structure/move/", unit=second.id, parent="top", place=0)

        assert f'data-unit="{second.id}" data-parent="{first.id}"' in nested
        page = desk.get("/structure/").text
        assert page.index("Second") < page.index("First")

    def test_two_administrators_at_once_leave_one_tree(
        self,
        each_database: str,
        app: Flask,
        make_user: Callable[..., User],
        sign_in: Callable[[User], FlaskClient],
    ) -> None:
        one, two, three = (make_unit(name) for name in ("One", "Two", "Three"))
        desks = [Desk(sign_in(make_user("admin"))) for _ in range(2)]
        for each in desks:
            each.token()
        together = threading.Barrier(2)

        def move(desk: Desk, unit: int, parent: str) -> bool:
            with app.app_context():
                together.wait(timeout=20)
                answer = desk.post("/structure/move/", unit=unit, parent=parent)
            return "cannot be moved into itself" not in answer.text

        with ThreadPoolExecutor(2) as pool:
            for _ in range(4):
                # Each is right alone; both would be a circle of two units that hangs on nothing.
                wanted = [(one.id, str(two.id)), (two.id, str(one.id))]
                went = list(pool.map(move, desks, *zip(*wanted, strict=True)))
                assert sorted(went) == [False, True]
                # Side by side at the end of the same list: both come, each at a place of its own.
                inner = one.id if went[0] else two.id
                ends = [(inner, "top"), (three.id, "top")]
                assert all(pool.map(move, desks, *zip(*ends, strict=True)))
                assert sorted(shape()) == [("One", 0), ("Three", 0), ("Two", 0)]
                places = session.scalars(select(Unit.ordinal).order_by(Unit.ordinal))
                assert list(places) == [0, 1, 2]
                session.rollback()

    def test_says_why_a_move_is_refused(self, desk: Desk, app: Flask) -> None:
        top = make_unit("Top")
        below = make_unit("Below", parent=top)

        answer = desk.post("/structure/move/", unit=top.id, parent=below.id)
        scripted = desk.client.post(
            "/admin/structure/move/",
            data={"unit": top.id, "parent": below.id},
            headers={"Accept": "application/json", "X-CSRFToken": desk.token()},
        )

        assert "cannot be moved into itself" in answer.text
        assert scripted.status_code == 422

    def test_imports_after_showing_what_would_change(self, desk: Desk, app: Flask) -> None:
        make_unit("Old", code="old")
        text = "code,name\nnew,研究院\n"

        asked = desk.post("/structure/import/", file=(io.BytesIO(text.encode()), "tree.csv"))
        assert "Old" in desk.get("/structure/").text
        seal = services.plan(text.encode()).seal
        done = desk.post("/structure/import/", text=text, confirm="yes", seal=seal)

        assert "Nothing was changed yet" in asked.text
        assert "Imported: 1 units" in done.text
        assert "Old" not in desk.get("/structure/").text
        assert "研究院" in desk.get("/structure/export/csv/").text

    def test_shows_again_what_another_administrator_changed_meanwhile(
        self, desk: Desk, app: Flask
    ) -> None:
        text = "code,name\nnew,New\n"
        seal = services.plan(text.encode()).seal
        make_unit("Theirs")

        answer = desk.post("/structure/import/", text=text, confirm="yes", seal=seal)

        assert answer.status_code == 409
        assert "has changed meanwhile" in answer.text
        assert shape() == [("Theirs", 0)]

    def test_names_the_lines_of_a_bad_file(self, desk: Desk, app: Flask) -> None:
        answer = desk.post("/structure/import/", file=(io.BytesIO(b"code,name\na,\n"), "tree.csv"))

        assert answer.status_code == 422
        assert "line 2" in answer.text

    def test_fills_a_unit_by_its_form(
        self, desk: Desk, app: Flask, make_user: Callable[..., User]
    ) -> None:
        position, person = make_item("position"), make_user("learner")

        answer = desk.post(
            "/units/new/",
            name="统计部",
            name_en="Statistics",
            parent_id="0",
            code="",
            colour="#0d675c",
            position_ids=str(position.id),
            member_ids=str(person.id),
            plan=(io.BytesIO(png()), "plan.png"),
        )
        unit = Unit.query.one()

        assert answer.status_code == 200
        assert (unit.name, unit.code) == ("统计部", f"u{unit.id}")
        assert uploads.path_of("plans", unit.floor_plan).is_file()
        assert fetch(desk.client, f"/3d/plans/{unit.floor_plan}").mimetype == "image/png"
        asked = desk.post("/units/delete/", id=unit.id)
        assert "统计部" in asked.text
        desk.post("/units/delete/", id=unit.id, confirm="yes")
        assert not list((uploads.root() / "plans").iterdir())


class TestBackdrop:
    def test_is_served_until_it_is_taken_away(self, desk: Desk, client: FlaskClient) -> None:
        desk.post("/structure/backdrop/", model=(io.BytesIO(make_glb()), "房子.glb"))
        name = client.get("/api/v1/organisation/scene").json["backdrop"]["name"]

        file = client.get(f"/3d/backdrop/{name}", buffered=True)
        desk.post("/structure/backdrop/", what="remove")

        assert (file.mimetype, file.data) == ("model/gltf-binary", make_glb())
        assert client.get(f"/3d/backdrop/{name}").status_code == 404
        assert client.get("/api/v1/organisation/scene").json["backdrop"] is None

    def test_is_not_found_under_a_name_longer_than_the_disk_takes(
        self, client: FlaskClient
    ) -> None:
        assert client.get(f"/3d/backdrop/{'a' * 400}").status_code == 404

    def test_of_a_crash_is_tidied_away(self, desk: Desk, app: Flask) -> None:
        desk.post("/structure/backdrop/", model=(io.BytesIO(make_glb()), "kept.glb"))
        (kept,) = uploads.stored_names()["scenery"]
        for folder in ("scenery", "plans"):
            for name in ("old", "young"):
                uploads.path_of(folder, name).write_bytes(b"left over")
        two_days_ago = (time.time() - 2 * uploads.STRAY_AGE_S,) * 2
        for path in (("scenery", kept), ("scenery", "old"), ("plans", "old")):
            os.utime(uploads.path_of(*path), two_days_ago)

        assert services.tidy_files() == 2

        assert uploads.stored_names()["scenery"] == {kept, "young"}
        assert uploads.stored_names()["plans"] == {"young"}

    def test_that_cannot_be_shown_is_refused_with_the_reason(self, desk: Desk) -> None:
        cut = make_glb(cut=4)

        answer = desk.post("/structure/backdrop/", model=(io.BytesIO(cut), "x.glb"))

        assert "cut off" in answer.text
        assert uploads.stored_names()["scenery"] == set()

    def test_may_bring_pictures(self, desk: Desk) -> None:
        content = make_glb(pictures=[png(64, 64), png(8, 8)])

        answer = desk.post("/structure/backdrop/", model=(io.BytesIO(content), "x.glb"))

        assert answer.status_code == 200
        assert len(uploads.stored_names()["scenery"]) == 1

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            ([png(8, 8), png(600, 400)[:-40]], "Picture 2 in the model: The picture is damaged"),
            ([png(6000, 4100)], "Picture 1 in the model: The picture may have 24 million"),
            ([b"<svg onload=alert(1)>"], "Picture 1 in the model: The picture must be a JPEG"),
            ([png(4800, 4800)] * 3, "more than 48 million pixels together"),
        ],
        ids=["cut off", "bomb", "svg", "many"],
    )
    def test_with_pictures_that_no_browser_should_get_is_refused(
        self, desk: Desk, bad: list[bytes], message: str
    ) -> None:
        content = make_glb(pictures=bad)

        answer = desk.post("/structure/backdrop/", model=(io.BytesIO(content), "x.glb"))

        assert message in answer.text
        assert uploads.stored_names()["scenery"] == set()

    def test_refuses_a_large_one(self, desk: Desk) -> None:
        with pytest.raises(TooLarge):
            services.replace_backdrop(
                FileStorage(io.BytesIO(make_glb())), actor_id=None, max_bytes=100
            )

        assert uploads.stored_names()["scenery"] == set()
