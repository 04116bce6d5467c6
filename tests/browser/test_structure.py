"""The 3D structure in a real Chromium, whose WebGL is drawn by software."""

import base64
import io
import re
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect
from werkzeug.datastructures import FileStorage

from dashboard.accounts.models import User
from dashboard.activity import services as activity
from dashboard.catalogue import services as catalogue
from dashboard.catalogue.models import Item
from dashboard.core.database import transaction
from dashboard.job_queue.services import enqueue
from dashboard.organisation import services
from dashboard.organisation.messages import TidyFiles
from tests.browser.test_look import faults
from tests.factories.catalogue import make_item
from tests.factories.organisation import make_glb, make_unit
from tests.factories.portal import Visitor, violations

pytestmark = pytest.mark.browser

SCENE = "document.querySelector('[data-island=Structure]').structure"
NO_WEBGL = "HTMLCanvasElement.prototype.getContext = () => null"
# Where a room (or, of a kind "item", a course in it) is to be seen in the window, in pixels.
SPOT = f"""(wanted) => {{
  const s = {SCENE};
  const [key, kind = 'room'] = [wanted].flat();
  const room = s.plan.rooms.find((each) => each.source.key === key);
  const frame = s.canvas.getBoundingClientRect();
  for (let y = frame.top + 4; y < frame.bottom; y += 3)
    for (let x = frame.left + 4; x < frame.right; x += 3)
      if (s.hand.pick(x, y)?.room === room && s.hand.pick(x, y).kind === kind) return [x + 1, y + 1];
  return null;
}}"""
# How many of the picture's points have a colour of their own.
COLOURED = """async (picture) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4)
    if (Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 30) count++;
  return count;
}"""


@pytest.fixture
def house(app: Flask) -> dict[str, Any]:
    """Two divisions: two departments with a position each and two courses to the first, and one without any."""
    top = make_unit("研究院", name_en="Research", colour="#2f7f9e")
    genomics = make_unit("基因组学部", name_en="Genomics", parent=top)
    statistics = make_unit("统计部", name_en="Statistics", parent=top)
    make_unit("运营中心", name_en="Operations")
    analyst, lead = make_item("position", title="Analyst"), make_item("position", title="团队主管")
    courses = [make_item(title="Tables"), make_item(title="统计基础")]
    catalogue.link_courses(analyst.id, actor_id=None, course_ids=[c.id for c in courses])
    services.set_positions(genomics.id, actor_id=None, item_ids=[analyst.id])
    services.set_positions(statistics.id, actor_id=None, item_ids=[lead.id])
    return {
        "floor": str(genomics.id),
        "room": f"{genomics.id}-{analyst.id}",
        "other": f"{statistics.id}-{lead.id}",
        "position": analyst,
    }


def red_picture() -> bytes:
    """A PNG of 8 x 8 red pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    rows = (b"\0" + b"\xff\0\0" * 8) * 8
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def opened(visitor: Visitor, path: str = "/3d", **options: Any) -> Page:
    """The page with its view drawn."""
    page = visitor.open(path, **options)
    page.wait_for_selector("[data-drawn]")
    page.wait_for_function(f"() => {SCENE}.frames > 0")
    return page


def frames(page: Page) -> int:
    return int(page.evaluate(f"() => {SCENE}.frames"))


class TestView:
    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_is_drawn_in_colour_and_is_sound(
        self, visitor: Visitor, house: dict[str, Any], dark: bool
    ) -> None:
        page = opened(visitor, dark=dark)

        picture = base64.b64encode(page.locator(".scene-frame").screenshot()).decode()

        assert page.evaluate(COLOURED, picture) > 2000
        assert violations(page) == []
        assert faults(page) == []
        assert page.console_errors == []  # type: ignore[attr-defined]

    def test_draws_nothing_while_nothing_happens(
        self, visitor: Visitor, house: dict[str, Any]
    ) -> None:
        page = opened(visitor)
        page.wait_for_timeout(400)
        before = frames(page)

        page.wait_for_timeout(1000)

        assert frames(page) == before

    def test_opens_the_page_of_what_is_clicked(
        self, visitor: Visitor, house: dict[str, Any]
    ) -> None:
        page = opened(visitor)

        page.mouse.move(*page.evaluate(SPOT, house["room"]))
        expect(page.locator(".scene-tip")).to_contain_text("Analyst")
        expect(page.locator(f"[data-room='{house['room']}']")).to_have_attribute("data-lit", "")
        page.mouse.click(*page.evaluate(SPOT, house["room"]))
        expect(page.locator(".scene-status")).to_have_text("Genomics: 2 courses")
        page.mouse.click(*page.evaluate(SPOT, house["room"]))

        expect(page).to_have_url(re.compile(rf"/positions/{house['position'].id}$"))

    def test_opens_a_course_in_its_room(self, visitor: Visitor, house: dict[str, Any]) -> None:
        page = opened(visitor, f"/3d?unit={house['floor']}")
        page.wait_for_function(f"() => {SCENE}.items?.things.length === 2")
        page.wait_for_timeout(100)
        spot = page.evaluate(SPOT, [house["room"], "item"])

        page.mouse.move(*spot)
        title = page.locator(".scene-tip strong").inner_text()
        page.mouse.click(*spot)

        expect(page).to_have_url(re.compile(r"/courses/\d+$"))
        expect(page.get_by_role("heading", level=1)).to_have_text(title)

    def test_can_be_used_by_keyboard_alone(self, visitor: Visitor, house: dict[str, Any]) -> None:
        page = opened(visitor)
        page.locator(".scene-canvas").focus()

        angle = page.evaluate(f"() => {SCENE}.rig.view.theta")
        page.keyboard.press("ArrowLeft")
        assert page.evaluate(f"() => {SCENE}.rig.view.theta") != angle
        page.keyboard.press("PageDown")
        expect(page.locator(f"[data-unit='{house['floor']}']")).to_have_attribute("data-chosen", "")
        page.keyboard.press("Escape")
        expect(page.locator("[data-chosen]")).to_have_count(0)
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")

        expect(page).to_have_url(re.compile("/positions/"))

    def test_is_walked_through_room_by_room(self, visitor: Visitor, app: Flask) -> None:
        floor = make_unit("运营中心", name_en="Operations")
        rooms = [make_item("position", title=f"Room {letter}") for letter in "ABCDEFG"]
        services.set_positions(floor.id, actor_id=None, item_ids=[each.id for each in rooms])
        page = opened(visitor, f"/3d?unit={floor.id}")
        canvas, status = page.locator(".scene-canvas"), page.locator(".scene-status")
        expect(status).to_have_text("Operations: 0 courses")
        canvas.focus()
        lit = page.locator(".scene-label.is-lit")

        for key, room, at in [
            ("ArrowRight", "Room A", 1),
            ("ArrowRight", "Room B", 2),
            ("ArrowDown", "Room E", 5),
            ("ArrowRight", "Room F", 6),
            ("ArrowUp", "Room B", 2),
            ("ArrowLeft", "Room A", 1),
        ]:
            page.keyboard.press(key)
            expect(status).to_have_text(f"{room} · Courses: 0 · room {at} of 7")
            expect(lit).to_have_text(room)
        assert status.get_attribute("role") == "status"
        assert faults(page) == []

        page.wait_for_timeout(800)
        before, angle = frames(page), page.evaluate(f"() => {SCENE}.rig.view.theta")
        page.wait_for_timeout(1000)
        assert frames(page) == before
        page.keyboard.press("Shift+ArrowLeft")
        assert page.evaluate(f"() => {SCENE}.rig.view.theta") != angle

        page.keyboard.press("Escape")
        expect(lit).to_have_count(0)
        expect(status).to_have_text("Operations: 0 courses")
        page.keyboard.press("Escape")
        expect(status).to_have_text("Whole view")
        expect(page.locator("[data-chosen]")).to_have_count(0)
        page.keyboard.press("PageDown")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(rf"/positions/{rooms[1].id}$"))

    def test_keeps_the_room_in_the_picture_and_lets_go_of_it(
        self, visitor: Visitor, app: Flask
    ) -> None:
        floor = make_unit("运营中心", name_en="Operations")
        rooms = [make_item("position", title=f"Room {n}") for n in range(12)]
        services.set_positions(floor.id, actor_id=None, item_ids=[each.id for each in rooms])
        page = opened(visitor, f"/3d?room={rooms[0].id}")
        page.locator(".scene-canvas").focus()
        seen = f"""() => {{ const {{ rig, walk: {{ room }} }} = {SCENE};
          return Math.hypot(rig.view.x - room.x, rig.view.z - room.z) / rig.view.radius; }}"""

        # A room that was flown to, and a view that was turned and brought near by hand.
        page.keyboard.press("ArrowRight")
        assert page.evaluate(seen) < 0.1
        page.keyboard.press("Escape")
        for key in ["ArrowRight", *["+"] * 12, *["ArrowRight"] * 5]:
            page.keyboard.press(key)
        page.wait_for_function(f"() => ({seen})() < 0.3")
        page.keyboard.press("Tab")

        assert page.evaluate(f"() => {SCENE}.walk.room") is None

    def test_explains_the_courses_it_shows(
        self, visitor: Visitor, house: dict[str, Any], make_user: Callable[..., User]
    ) -> None:
        learner = make_user("learner")
        activity.set_favourite(learner_id=learner.id, item_id=house["position"].id, on=True)
        page = opened(visitor, user=learner)
        legend = page.locator(".scene-legend")
        expect(legend).to_contain_text("on my way")
        assert "a course" not in legend.inner_text()

        page.evaluate(f"(key) => {SCENE}.choose(key)", house["floor"])
        expect(legend).to_contain_text("a course")
        expect(legend).to_contain_text("a course I finished")
        expect(legend).to_contain_text("a video of it")
        same = f"""() => {{ const s = {SCENE};
          const [r, g, b] = s.palette.itemColour(s.items.things[0]).map(Math.round);
          const swatch = document.querySelector('.scene-course');
          return getComputedStyle(swatch).backgroundColor === `rgb(${{r}}, ${{g}}, ${{b}})`; }}"""
        assert page.evaluate(same)
        assert violations(page) == []
        page.evaluate(f"() => {SCENE}.showAll()")
        expect(legend).not_to_contain_text("a course")

    def test_follows_the_list_and_the_search(self, visitor: Visitor, house: dict[str, Any]) -> None:
        page = opened(visitor, language="zh")
        lit = f"() => {SCENE}.lit?.source.key ?? null"

        page.locator(f"[data-room='{house['other']}']").focus()
        assert page.evaluate(lit) == house["other"]
        page.locator("summary", has_text="基因组学部").click()
        page.wait_for_function(f"() => {SCENE}.items?.things.length === 2")
        assert page.evaluate(f"() => {SCENE}.chosen.source.key") == house["floor"]
        expect(page.locator(f"[data-unit='{house['floor']}']")).to_have_attribute("open", "")
        page.get_by_role("searchbox").fill("主管")
        expect(page.locator(".scene-status")).to_have_text("找到 1 个")
        page.keyboard.press("Enter")

        assert page.evaluate(lit) == house["other"]
        assert page.evaluate(f"() => {SCENE}.chosen.source.name") == "统计部"

    def test_says_when_it_holds_only_the_first_courses(
        self, visitor: Visitor, house: dict[str, Any]
    ) -> None:
        page = opened(visitor)

        def answer_in_part(route: Route) -> None:
            answer = route.fetch()
            part = {**answer.json(), "total": 6000}
            if "page=1&" not in route.request.url:
                part["items"] = []
            route.fulfill(response=answer, json=part)

        page.route("**/items?*", answer_in_part)
        page.evaluate(f"(key) => {SCENE}.choose(key)", house["floor"])

        expect(page.locator(".scene-status")).to_contain_text("the first 2 of 6000 courses")

    def test_finds_a_course_on_a_floor_that_was_never_opened(
        self, visitor: Visitor, house: dict[str, Any]
    ) -> None:
        page = opened(visitor)

        page.get_by_role("searchbox").fill("统计基础")
        expect(page.locator(".scene-status")).to_have_text("1 found")
        bright = f"() => [...{SCENE}.palette.found.rooms].map((room) => room.source.key)"
        assert page.evaluate(bright) == [house["room"]]
        page.keyboard.press("Enter")
        page.wait_for_function(f"() => {SCENE}.items?.things.length === 2")

        assert page.evaluate(f"() => {SCENE}.lit.source.key") == house["room"]
        # Above the room, and near it.
        away = f"""() => {{ const {{ rig, lit }} = {SCENE};
          return Math.hypot(rig.view.x - lit.x, rig.view.z - lit.z) / rig.view.radius; }}"""
        assert page.evaluate(away) < 0.1
        item_colours = f"""() => {SCENE}.items.things.map((thing) =>
          String({SCENE}.palette.itemColour(thing)) === String([0xd9, 0x85, 0]))"""
        assert page.evaluate(item_colours) == [False, True]
        page.get_by_role("searchbox").fill("")
        page.wait_for_function(f"() => {SCENE}.palette.found === null")

    def test_turns_dark_with_the_page(self, visitor: Visitor, house: dict[str, Any]) -> None:
        page = opened(visitor)
        slab = f"() => {SCENE}.plan.floors[0].colour.reduce((a, b) => a + b)"
        light = page.evaluate(slab)

        page.evaluate(
            """() => {
              document.documentElement.dataset.bsTheme = 'dark';
              document.dispatchEvent(new CustomEvent('theme:change'));
            }"""
        )

        assert page.evaluate(slab) < light / 4

    def test_says_when_the_server_does_not_answer(
        self, visitor: Visitor, house: dict[str, Any]
    ) -> None:
        page = opened(visitor)
        page.route("**/organisation/search?*", lambda route: route.abort())
        page.route("**/items?*", lambda route: route.fulfill(status=500, body="{}"))

        page.get_by_role("searchbox").fill("Tables")
        expect(page.locator(".scene-status")).to_have_text("The server did not answer. Try again.")
        page.get_by_role("searchbox").fill("")
        expect(page.locator(".scene-status")).to_have_text("")
        page.evaluate(f"(key) => {SCENE}.choose(key)", house["floor"])

        expect(page.locator(".scene-status")).to_have_text("The server did not answer. Try again.")

    def test_pulls_the_floors_apart(self, visitor: Visitor, house: dict[str, Any]) -> None:
        page = opened(visitor)
        storey = f"() => {{ const [a, b] = {SCENE}.plan.floors; return a.y - b.y; }}"
        closed = page.evaluate(storey)

        page.get_by_label("Floors apart").fill("100")

        page.wait_for_function(f"(closed) => ({storey})() > 1.8 * closed", arg=closed)

    def test_saves_a_picture_with_what_is_to_be_seen(
        self, visitor: Visitor, house: dict[str, Any]
    ) -> None:
        page = opened(visitor, language="zh")

        with page.expect_download() as waiting:
            page.get_by_role("button", name="保存为图片").click()
        picture = waiting.value.path().read_bytes()

        assert waiting.value.suggested_filename == "structure.png"
        assert picture.startswith(b"\x89PNG\r\n\x1a\n")
        assert page.evaluate(COLOURED, base64.b64encode(picture).decode()) > 2000
        width, height = struct.unpack(">II", picture[16:24])
        assert [width, height] == page.evaluate(
            f"() => [{SCENE}.canvas.width, {SCENE}.canvas.height]"
        )

    def test_lays_the_plan_of_a_floor_on_it(self, visitor: Visitor, house: dict[str, Any]) -> None:
        plan = FileStorage(io.BytesIO(red_picture()), filename="plan.png")
        services.replace_floor_plan(int(house["floor"]), actor_id=None, upload=plan)
        page = opened(visitor)
        before = _reds(page)

        page.evaluate(f"(key) => {SCENE}.choose(key)", house["floor"])
        page.wait_for_function(f"() => {SCENE}.floorPlan")
        page.wait_for_timeout(200)

        assert before < 100
        assert _reds(page) > 5000
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.evaluate(f"() => {SCENE}.choose(null)")
        assert page.evaluate(f"() => {SCENE}.floorPlan") is None

    def test_shows_analysts_its_measures(
        self, visitor: Visitor, house: dict[str, Any], make_user: Callable[..., User]
    ) -> None:
        position: Item = house["position"]
        for _ in range(3):
            activity.set_favourite(learner_id=make_user().id, item_id=position.id, on=True)
        page = opened(visitor, user=make_user("analyst"))

        chooser = page.get_by_label("Colour and height")
        chooser.select_option(label="Learners on the way")
        legend = page.locator(".scene-legend")
        expect(legend).to_contain_text("Learners on the way")
        shares = f"() => {SCENE}.plan.rooms.map((room) => [room.source.values.people, room.share])"

        assert page.evaluate(shares) == [[3, 1], [0, 0]]
        expect(legend.locator(".num").last).to_have_text("3")
        names = chooser.locator("option").all_inner_texts()
        assert len(names) == 6
        page.mouse.move(*page.evaluate(SPOT, house["room"]))
        expect(page.locator(".scene-tip")).to_contain_text("Learners on the way: 3")
        chooser.select_option(label="Completion rate")
        expect(legend.locator(".num").last).to_have_text("100 %")
        assert violations(page) == []

    def test_lights_the_way_of_a_learner(
        self, visitor: Visitor, house: dict[str, Any], make_user: Callable[..., User]
    ) -> None:
        learner = make_user("learner")
        position: Item = house["position"]
        activity.set_favourite(learner_id=learner.id, item_id=position.id, on=True)

        page = opened(visitor, f"/3d?room={position.id}", user=learner)

        page.wait_for_function(f"() => {SCENE}.plan.rooms.some((room) => room.lit)")
        lit = f"() => {SCENE}.plan.rooms.filter((room) => room.lit).map((room) => room.source.key)"
        assert page.evaluate(lit) == [house["room"]]
        assert page.evaluate(f"() => {SCENE}.chosen.source.key") == house["floor"]

    def test_takes_one_frame_where_motion_is_not_wanted(
        self, visitor: Visitor, house: dict[str, Any]
    ) -> None:
        page = opened(visitor)
        page.wait_for_timeout(400)
        still = _frames_of_a_change(page, 100)
        page.emulate_media(reduced_motion="no-preference")
        moving = _frames_of_a_change(page, 0)

        assert 1 <= still <= 2
        assert moving > still

    def test_shows_labels_that_stay_apart_and_inside(
        self, visitor: Visitor, house: dict[str, Any]
    ) -> None:
        page = opened(visitor, language="zh", width=390, height=800)

        boxes = page.evaluate(f"() => {SCENE}.labels.shown.map((label) => label.box)")
        legend = page.evaluate(
            """() => {
              const { offsetLeft: x, offsetTop: y, offsetWidth: w, offsetHeight: h } =
                document.querySelector('.scene-legend');
              return { x, y, w, h };
            }"""
        )
        width = page.evaluate(f"() => {SCENE}.canvas.clientWidth")

        assert len(boxes) >= 3
        boxes.append(legend)
        assert all(box["x"] >= 0 and box["x"] + box["w"] <= width for box in boxes)
        assert not [
            (a, b)
            for i, a in enumerate(boxes)
            for b in boxes[i + 1 :]
            if abs(a["x"] + a["w"] / 2 - b["x"] - b["w"] / 2) < (a["w"] + b["w"]) / 2
            and abs(a["y"] + a["h"] / 2 - b["y"] - b["h"] / 2) < (a["h"] + b["h"]) / 2
        ]

    def test_stands_in_the_building_that_was_sent(
        self, visitor: Visitor, house: dict[str, Any]
    ) -> None:
        model = FileStorage(io.BytesIO(make_glb()), filename="house.glb")
        services.replace_backdrop(model, actor_id=None, max_bytes=10**6)

        page = opened(visitor)

        page.wait_for_function(f"() => {SCENE}.backdrop")
        assert violations(page) == []


class TestWithout:
    def test_webgl_the_list_is_the_page(self, visitor: Visitor, house: dict[str, Any]) -> None:
        page = visitor.open("/login")
        page.context.add_init_script(NO_WEBGL)
        page.goto("/3d")

        expect(page.locator(".scene .note")).to_contain_text("The list holds everything")
        page.get_by_role("link", name="Analyst").click()
        expect(page).to_have_url(re.compile("/positions/"))

    def test_its_context_it_says_so_and_comes_back(
        self, visitor: Visitor, house: dict[str, Any]
    ) -> None:
        page = opened(visitor)
        page.evaluate(
            f"() => {{ window.lose = {SCENE}.stage.renderer.getContext().getExtension('WEBGL_lose_context');"
            " window.lose.loseContext(); }"
        )
        expect(page.locator(".scene-note")).to_contain_text("graphics card")
        before = frames(page)

        page.evaluate("() => window.lose.restoreContext()")

        expect(page.locator(".scene-note")).to_have_count(0)
        page.wait_for_function(f"(before) => {SCENE}.frames > before", arg=before)

    def test_leaves_nothing_behind(self, visitor: Visitor, house: dict[str, Any]) -> None:
        page = opened(visitor)
        page.evaluate(
            f"() => {{ window.old = {SCENE}; window.gl = window.old.stage.renderer.getContext(); }}"
        )

        page.evaluate("() => dispatchEvent(new PageTransitionEvent('pagehide'))")

        assert page.locator("canvas").count() == 0
        assert page.evaluate("() => window.gl.isContextLost()")
        count = page.evaluate("() => window.old.frames")
        page.evaluate("() => document.dispatchEvent(new CustomEvent('theme:change'))")
        page.locator(f"[data-room='{house['room']}']").focus()
        page.wait_for_timeout(200)
        assert page.evaluate("() => window.old.frames") == count


class TestPortal:
    def test_shows_its_layers_to_administrators(
        self, visitor: Visitor, make_user: Callable[..., User]
    ) -> None:
        page = opened(visitor, "/3d/portal", user=make_user("admin"))

        names = page.evaluate(f"() => {SCENE}.plan.floors.map((floor) => floor.source.key)")
        assert names[0] == "web"
        assert names[-1] == "data"
        assert faults(page) == []
        assert violations(page) == []

    def test_follows_what_happens_in_the_portal(
        self, visitor: Visitor, make_user: Callable[..., User], app: Flask
    ) -> None:
        page = opened(visitor, "/3d/portal", user=make_user("admin"))
        queued = page.locator("[data-room='queue:queued']")
        expect(queued).to_contain_text("0 jobs")
        page.evaluate(f"() => {SCENE}.choose('queue')")
        page.locator(".scene-canvas").focus()
        page.keyboard.press("ArrowRight")
        lit = page.evaluate(f"() => {SCENE}.lit.source.key")

        with transaction():
            enqueue(TidyFiles(), owner_id=None)

        expect(queued).to_contain_text("1 job", timeout=10_000)
        expect(queued).to_contain_text("at work")
        state = f"""() => {SCENE}.plan.rooms.find((room) => room.source.key === 'queue:queued')
          .source.state"""
        assert page.evaluate(state) == "busy"
        assert page.evaluate(f"() => {SCENE}.chosen.source.key") == "queue"
        assert page.evaluate(f"() => {SCENE}.lit.source.key") == lit
        assert page.locator("canvas").count() == 1


class TestTreeInTheDashboard:
    def test_moves_a_unit_that_is_dragged(
        self, visitor: Visitor, house: dict[str, Any], make_user: Callable[..., User]
    ) -> None:
        page = visitor.open("/admin/structure/", user=make_user("admin"))
        names = page.locator("[data-unit] .org-name a")
        assert names.all_inner_texts() == ["研究院", "基因组学部", "统计部", "运营中心"]

        with page.expect_navigation():
            page.locator("[data-unit]", has_text="统计部").drag_to(
                page.locator("[data-unit]", has_text="基因组学部"),
                source_position={"x": 60, "y": 20},
                target_position={"x": 40, "y": 4},
            )

        assert names.all_inner_texts() == ["研究院", "统计部", "基因组学部", "运营中心"]
        assert violations(page) == []


def _frames_of_a_change(page: Page, explode: int) -> int:
    before = frames(page)
    page.locator("input[type=range]").fill(str(explode))
    page.wait_for_timeout(900)
    return frames(page) - before


def _reds(page: Page) -> int:
    """How many points of the view are red."""
    count = COLOURED.replace(
        "Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 30",
        "data[i] - Math.max(data[i + 1], data[i + 2]) > 120",
    )
    assert count != COLOURED
    picture = base64.b64encode(page.locator(".scene-frame").screenshot()).decode()
    return int(page.evaluate(count, picture))
