"""The demo's courses and positions: one Markdown file each in seeds/data, with its fields in TOML on top."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.catalogue import services
from dashboard.catalogue.models import Item, ItemKind

DATA = Path(__file__).with_name("data")
FENCE = "+++\n"
FIELDS = ("title", "summary", "language", "level", "duration_s", "tags")


@dataclass(frozen=True, slots=True)
class Page:
    """One file of seeds/data."""

    name: str
    fields: dict[str, Any]
    content: str

    @property
    def film(self) -> str:
        """Which film of seeds/films.py the course shows; empty without one."""
        return str(self.fields.get("film", ""))


def read_pages() -> list[Page]:
    """All pages, courses first."""
    return [_read(path) for path in sorted(DATA.glob("*.md"))]


def load(pages: list[Page]) -> dict[str, Item]:
    """The published items of the pages by file name, positions linked to the courses that lead there."""
    items = {page.name: _create(page) for page in pages}
    for page in pages:
        if page.fields["kind"] == ItemKind.POSITION:
            course_ids = [items[name].id for name in page.fields["courses"]]
            services.link_courses(items[page.name].id, actor_id=None, course_ids=course_ids)
    return items


def _create(page: Page) -> Item:
    fields = {name: page.fields[name] for name in FIELDS if name in page.fields}
    fields |= {"content": page.content, "status": "published", "external_id": f"demo:{page.name}"}
    return services.create_item(page.fields["kind"], actor_id=None, fields=fields)


def _read(path: Path) -> Page:
    _before, head, content = path.read_text(encoding="utf-8").split(FENCE, 2)
    return Page(name=path.stem, fields=tomllib.loads(head), content=content)
