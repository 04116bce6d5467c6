"""Markdown to safe HTML: for text that people write and others read."""

import re
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

# Raw HTML is shown as text. The rules beyond CommonMark are tables and strikethrough.
_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(
    ["table", "strikethrough"]
)
TAGS = {
    *("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("strong", "em", "s", "a", "img", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
}
SCHEMES = {"http", "https", "mailto"}
_HEADING = re.compile(r"(</?h)([1-6])>")


@lru_cache(maxsize=512)
def render_markdown(text: str) -> Markup:
    """`text` as HTML that may stand in any page: an allow-list of tags, no script, no foreign style.

    The page has its own h1, so headings start at h2.
    """
    html = _HEADING.sub(_lower_heading, _markdown.render(text))
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_own_pictures,
        url_schemes=SCHEMES,
        link_rel="noopener nofollow",
        strip_comments=True,
    )
    return Markup(clean)  # noqa: S704 - cleaned by the allow-list above


def _own_pictures(tag: str, name: str, value: str) -> str | None:
    # One of another host would tell it who reads the page; the policy blocks it, so its text stands alone.
    foreign = not value.startswith("/") or value.startswith(("//", "/\\"))
    return None if (tag, name) == ("img", "src") and foreign else value


def _lower_heading(match: re.Match[str]) -> str:
    return f"{match[1]}{min(int(match[2]) + 1, 6)}>"
