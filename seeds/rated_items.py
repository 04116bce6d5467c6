"""The items that loaded interactions are about: published courses with tags."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import insert, select

from dashboard.catalogue import queries as catalogue
from dashboard.catalogue.models import Item, ItemKind, ItemStatus, Language, Level, Tag, item_tag
from dashboard.core.database import session
from jobs.engines import collaborative_filtering as cf

MAX_ID = 80
MAX_TITLE = 200
MAX_SUMMARY = 300
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!<>|~-])")


@dataclass(frozen=True, slots=True)
class ItemIds:
    """The rows of the files' items."""

    by_label: dict[str, int]
    """By the id in the files."""
    n_new: int


def load(
    source: str,
    rated: Iterable[str],
    texts: cf.ItemTexts | None,
    *,
    loaded_at: datetime,
    dry_run: bool,
) -> ItemIds:
    """Make the items that are missing, rated or described; one that no file describes gets its number as title.

    A dry run makes none and gives them numbers below 0."""
    # As text: one file's ids may be whole numbers to the reader and another's not.
    described: dict[str, cf.ItemText] = {}
    if texts:
        described = dict(zip(map(str, texts.item_ids.tolist()), texts.texts, strict=True))
    labels = dict.fromkeys([*described, *rated])
    external = {label: external_id(source, label) for label in labels}
    known = _known(source)
    missing = {name: described.get(label) for label, name in external.items() if name not in known}
    if dry_run:
        known |= {name: -place for place, name in enumerate(missing, start=1)}
    elif missing:
        session.execute(
            insert(Item), [_row(name, text, loaded_at) for name, text in missing.items()]
        )
        known = _known(source)
        _load_tags({known[name]: text for name, text in missing.items() if text})
    return ItemIds({label: known[name] for label, name in external.items()}, len(missing))


def external_id(source: str, label: str) -> str:
    """What an item is called outside: mars:510."""
    name = f"{source}:{label}"
    return name if len(name) <= MAX_ID else f"{source}:{sha256(label.encode()).hexdigest()}"


def _known(source: str) -> dict[str, int]:
    query = select(Item.external_id, Item.id).where(
        Item.external_id.startswith(f"{source}:", autoescape=True)
    )
    return {str(name): item_id for name, item_id in session.execute(query)}


def _row(name: str, text: cf.ItemText | None, loaded_at: datetime) -> dict[str, Any]:
    description = text.description if text else ""
    duration_s = text.duration_s if text else math.nan
    level = text.difficulty.lower() if text else ""
    language = text.language.lower() if text else ""
    return {
        "kind": ItemKind.COURSE.value,
        "title": (text.name if text else name)[:MAX_TITLE],
        "summary": _summary(description),
        "content": _MARKDOWN.sub(r"\\\1", description),
        "status": ItemStatus.PUBLISHED.value,
        "language": Language.ZH.value if language.startswith("zh") else Language.EN.value,
        "level": level if level in set(Level) else None,
        "duration_s": max(1, round(duration_s)) if 0 < duration_s < 2**31 else None,
        "external_id": name,
        "cover": "",
        "created_at": loaded_at,
        "updated_at": loaded_at,
    }


def _summary(description: str) -> str:
    """The first sentences, up to MAX_SUMMARY characters."""
    if len(description) <= MAX_SUMMARY:
        return description
    cut = description[: MAX_SUMMARY - 1]
    end = max(cut.rfind(". "), cut.rfind("。"))
    return cut[: end + 1] if end > MAX_SUMMARY // 3 else cut.rsplit(" ", 1)[0] + "…"


def _load_tags(texts: dict[int, cf.ItemText]) -> None:
    wanted = {catalogue.fold_tag(word): word for text in texts.values() for word in _words(text)}
    known = {tag.key: tag.id for tag in session.scalars(select(Tag))}
    new = [{"key": key, "name": word[:60]} for key, word in wanted.items() if key not in known]
    if new:
        session.execute(insert(Tag), new)
        known = {tag.key: tag.id for tag in session.scalars(select(Tag))}
    rows = [
        {"item_id": item_id, "tag_id": tag_id}
        for item_id, text in texts.items()
        for tag_id in {known[catalogue.fold_tag(word)] for word in _words(text)}
    ]
    if rows:
        session.execute(insert(item_tag), rows)


def _words(text: cf.ItemText) -> Iterator[str]:
    for word in (*text.software, *text.themes, *text.jobs):
        if catalogue.fold_tag(word):
            yield " ".join(word.split())
