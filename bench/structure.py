"""The 3D structure with 100 to 50,000 courses: frame times as ratios to the 100-course frame of the same run.

    python bench/structure.py [--quick] [--json]

A portal with made-up courses for each size, all opened in one Chromium that draws by software (SwiftShader),
so that no graphics card hides a cost. A frame is: turn, arrange, draw, place the labels, read the pixels back.
The sizes take turns; the fastest frame counts, the median stands beside it. Exit code 1: a limit is broken."""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Page, sync_playwright

from dashboard.app import create_app
from dashboard.core.config import load_config
from dashboard.core.database import db
from seeds.organisation import generate
from tests.factories.portal import serving

ROOT = Path(__file__).resolve().parents[1]
# Courses -> floors of eight rooms: one floor of the two large ones holds 2,000 courses.
SIZES = {100: 5, 1_000: 5, 10_000: 5, 50_000: 25}
OVERVIEW_LIMIT, FLOOR_LIMIT = 1.3, 2.0
ISLAND = "document.querySelector('[data-island=Structure]').structure"
FRAMES = f"""(count) => {{
  const structure = {ISLAND};
  const gl = structure.stage.renderer.getContext();
  const pixel = new Uint8Array(4);
  const times = [];
  for (let i = 0; i < count; i++) {{
    structure.rig.view.theta += 0.01;
    const started = performance.now();
    structure.draw();
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    times.push(performance.now() - started);
  }}
  return times;
}}"""


@contextmanager
def portal(n_items: int, folder: Path) -> Iterator[str]:
    """The address of a portal with so many courses."""
    config = load_config(ROOT / "config.toml", {"ATRIUM_SITE__DATA_DIR": str(folder)})
    app = create_app(config)
    with app.app_context():
        db.create_all()
        generate(n_items, n_floors=SIZES[n_items])
    with serving(app) as address:
        yield address


def open_page(browser: Any, address: str) -> tuple[Page, dict[str, float]]:
    """The structure's page, and what it took: seconds to the drawn view, kB of the page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    started = time.perf_counter()
    page.goto(f"{address}/3d")
    page.wait_for_selector("[data-drawn]", timeout=60_000)
    page.wait_for_function(f"() => {ISLAND}.frames > 0")
    drawn_s = round(time.perf_counter() - started, 2)
    size = len(page.request.get(f"{address}/3d").body())
    return page, {"drawn_s": drawn_s, "page_kb": round(size / 1000, 1)}


def choose_floor(page: Page) -> float:
    """Go to the first floor; seconds until its courses are in their rooms."""
    started = time.perf_counter()
    page.evaluate(f"() => {ISLAND}.choose({ISLAND}.plan.floors[0].source.key)")
    page.wait_for_function(f"() => {ISLAND}.items", timeout=60_000)
    return round(time.perf_counter() - started, 2)


def search(page: Page) -> float:
    """Seconds from the last key of a search over all courses to its result; typing's pause is in it."""
    started = time.perf_counter()
    page.get_by_role("searchbox").fill("course 9")
    page.wait_for_function(f"() => {ISLAND}.palette.found", timeout=60_000)
    taken = round(time.perf_counter() - started, 2)
    page.get_by_role("searchbox").fill("")
    page.wait_for_function(f"() => !{ISLAND}.palette.found")
    return taken


def measure(pages: dict[int, Page], *, rounds: int, frames: int) -> dict[int, dict[str, float]]:
    """Milliseconds of a frame for each size, the sizes taking turns."""
    times: dict[int, list[float]] = {size: [] for size in pages}
    for number in range(rounds + 1):
        for size, page in pages.items():
            taken = page.evaluate(FRAMES, frames)
            if number:  # the first round warms up
                times[size] += taken
    return {
        size: {"min_ms": round(min(t), 1), "median_ms": round(statistics.median(t), 1)}
        for size, t in times.items()
    }


def run(*, quick: bool) -> dict[str, Any]:
    """All figures."""
    sizes = [100, 10_000] if quick else list(SIZES)
    rounds, frames = (3, 8) if quick else (6, 15)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--enable-unsafe-swiftshader"],
        )
        pages, costs = {}, {}
        for size in sizes:
            address = stack.enter_context(portal(size, folder / str(size)))
            pages[size], costs[size] = open_page(browser, address)
        overview = measure(pages, rounds=rounds, frames=frames)
        idle = idle_frames(pages[sizes[-1]])
        for size, page in pages.items():
            costs[size]["search_s"] = search(page)
            costs[size]["floor_s"] = choose_floor(page)
        floor = measure(pages, rounds=rounds, frames=frames)
        browser.close()
    base = overview[100]["min_ms"]
    return {
        "idle_frames_per_s": idle,
        "sizes": {
            size: {
                **costs[size],
                "overview": overview[size],
                "floor": floor[size],
                "overview_ratio": round(overview[size]["min_ms"] / base, 2),
                "floor_ratio": round(floor[size]["min_ms"] / base, 2),
            }
            for size in sizes
        },
    }


def idle_frames(page: Page) -> int:
    """How many frames a page draws in a second in which nothing happens."""
    page.wait_for_timeout(500)
    before = page.evaluate(f"() => {ISLAND}.frames")
    page.wait_for_timeout(1000)
    return int(page.evaluate(f"() => {ISLAND}.frames") - before)


def broken_limits(figures: dict[str, Any]) -> list[str]:
    """The limits that the figures break, in words."""
    found = ["draws while idle"] if figures["idle_frames_per_s"] else []
    for size, row in figures["sizes"].items():
        if row["overview_ratio"] > OVERVIEW_LIMIT:
            found.append(f"overview of {size:,}: {row['overview_ratio']} > {OVERVIEW_LIMIT}")
        if row["floor_ratio"] > FLOOR_LIMIT:
            found.append(f"floor of {size:,}: {row['floor_ratio']} > {FLOOR_LIMIT}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two sizes, few frames")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    arguments = parser.parse_args()
    figures = run(quick=arguments.quick)
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        show(figures)
    broken = broken_limits(figures)
    for text in broken:
        print(f"limit broken: {text}", file=sys.stderr)
    return 1 if broken else 0


def show(figures: dict[str, Any]) -> None:
    print(f"frames in an idle second: {figures['idle_frames_per_s']}")
    print("courses  overview ms (ratio)  floor ms (ratio)  drawn s  floor s  search s  page kB")
    for size, row in figures["sizes"].items():
        print(
            f"{size:>7,}  {row['overview']['min_ms']:>8} ({row['overview_ratio']})"
            f"  {row['floor']['min_ms']:>10} ({row['floor_ratio']})"
            f"  {row['drawn_s']:>7}  {row['floor_s']:>7}  {row['search_s']:>8}  {row['page_kb']:>7}"
        )


if __name__ == "__main__":
    sys.exit(main())
