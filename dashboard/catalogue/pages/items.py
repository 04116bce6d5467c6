"""Home, the lists of courses and positions, and their introduction pages."""

from flask import render_template, request, send_from_directory
from werkzeug.wrappers import Response

from dashboard.catalogue import queries
from dashboard.catalogue.models import ItemKind, Language, Level
from dashboard.catalogue.pages.blueprint import pages, sees_drafts
from dashboard.core import uploads
from dashboard.core.i18n import current_language
from dashboard.core.rich_text import render_markdown

PER_PAGE = 12
ON_HOME = 8
SORTS = ("newest", "title")
MAX_PAGE = 1_000_000
COVER_CACHE_S = 7 * 24 * 3600


@pages.get("/")
def home() -> str:
    """The first page: what can be learned, where it leads, and how to go on."""
    language = current_language()
    return render_template(
        "home/index.html",
        courses=queries.list_newest(kind=ItemKind.COURSE, language=language, limit=ON_HOME),
        positions=queries.list_newest(kind=ItemKind.POSITION, language=language, limit=ON_HOME),
        counts=queries.count_published(),
    )


@pages.get("/courses")
def course_list() -> str:
    """Courses, searched and filtered."""
    return _list(ItemKind.COURSE)


@pages.get("/positions")
def position_list() -> str:
    """Positions, searched and filtered."""
    return _list(ItemKind.POSITION)


@pages.get("/courses/<int:item_id>")
def course(item_id: int) -> str:
    """The introduction page of a course."""
    return _intro(item_id, ItemKind.COURSE)


@pages.get("/positions/<int:item_id>")
def position(item_id: int) -> str:
    """The introduction page of a position."""
    return _intro(item_id, ItemKind.POSITION)


@pages.get("/covers/<name>")
def cover(name: str) -> Response:
    """A cover picture; its name changes with its content, so browsers may keep it."""
    response = send_from_directory(uploads.root() / "covers", name, max_age=COVER_CACHE_S)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.cache_control.public = True
    return response


def _list(kind: ItemKind) -> str:
    wanted = _filter(kind)
    page = queries.list_items(wanted, page=_page_number(), per_page=PER_PAGE)
    return render_template(
        "catalogue/list.html",
        kind=kind,
        page=page,
        wanted=wanted,
        tags=queries.list_tags(kind=kind),
    )


def _filter(kind: ItemKind) -> queries.ItemFilter:
    def choice(name: str, allowed: tuple[str, ...], default: str = "") -> str:
        value = request.args.get(name, default)
        return value if value in allowed else default

    return queries.ItemFilter(
        kind=kind,
        q=request.args.get("q", "").strip()[: queries.MAX_QUERY_LENGTH],
        tag=request.args.get("tag", "").replace("\0", "").strip(),
        language=choice("language", tuple(Language)),
        level=choice("level", tuple(Level)),
        sort=choice("sort", SORTS, "newest"),
        drafts=sees_drafts(),
    )


def _page_number() -> int:
    number = request.args.get("page", 1, type=int)
    return min(max(1, number), MAX_PAGE)


def _intro(item_id: int, kind: ItemKind) -> str:
    drafts = sees_drafts()
    item = queries.get_item(item_id, kind=kind, drafts=drafts)
    linked = queries.list_courses_of if kind is ItemKind.POSITION else queries.list_positions_of
    return render_template(
        "catalogue/item.html",
        item=item,
        content=render_markdown(item.content),
        videos=queries.list_videos(item.id, all_states=drafts),
        linked=linked(item.id, drafts=drafts),
    )
